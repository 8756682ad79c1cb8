"A folder with one thing wrong is told by `segreg-check`, by kind and file; what training refuses, it refuses"
import contextlib, json, shutil, struct
import numpy as np
import nibabel as nib
import pytest
from segreg_tutorial.check import KINDS, check_folder
from segreg_tutorial.cohorts import decathlon, samples

brains = samples()


def change(path, f, affine=None):
    img = nib.load(path)
    nib.save(nib.Nifti1Image(f(np.asarray(img.dataobj).copy()), img.affine if affine is None else affine), path)


def shift(path):
    A = nib.load(path).affine.copy()
    A[0, 3] += 5
    change(path, lambda x: x, A)


def text(path, content): path.write_text(content if isinstance(content, str) else json.dumps(content))


huge = bytearray(nib.Nifti1Image(np.zeros((2, 2, 2), 'u1'), np.eye(4)).to_bytes())
huge[42:48] = struct.pack('<3h', 2000, 2000, 2000)

# how to spoil (root, image, label of one case): kind told, file told
spoilt = dict(
    truncated=(lambda r, i, l: i.write_bytes(i.read_bytes()[:-200]), 'unreadable', 'i'),
    truncated_label=(lambda r, i, l: l.write_bytes(l.read_bytes()[:-20]), 'unreadable', 'l'),
    trailer=(lambda r, i, l: i.write_bytes(i.read_bytes()[:-8] + bytes(8)), 'unreadable', 'i'),
    web_page=(lambda r, i, l: i.write_bytes(b'<html>'), 'unreadable', 'i'),
    nan=(lambda r, i, l: change(i, lambda x: np.where(x > 50, np.nan, x).astype('f4')), 'numbers', 'i'),
    inf=(lambda r, i, l: change(i, lambda x: np.where(x > 50, np.inf, x).astype('f4')), 'numbers', 'i'),
    nan_label=(lambda r, i, l: change(l, lambda x: np.where(x > 5, np.nan, x).astype('f4')), 'values', 'l'),
    half_label=(lambda r, i, l: change(l, lambda x: x*np.float32(.5)), 'values', 'l'),
    unknown_label=(lambda r, i, l: change(l, lambda x: x*9), 'values', 'l'),
    shape=(lambda r, i, l: change(l, lambda x: x[:-1]), 'grid', 'l'),
    affine=(lambda r, i, l: shift(l), 'grid', 'l'),
    spacing=(lambda r, i, l: change(l, lambda x: x, nib.load(l).affine*2), 'grid', 'l'),
    channels=(lambda r, i, l: change(i, lambda x: np.stack([x, x], -1)), 'unreadable', 'i'),
    lost_label=(lambda r, i, l: l.unlink(), 'partner', 'i'),
    lost_image=(lambda r, i, l: i.unlink(), 'partner', 'l'),
    copy=(lambda r, i, l: shutil.copy(i, i.with_name('zz.nii.gz')) and shutil.copy(l, l.with_name('zz.nii.gz')), 'copy', 'imagesTr/zz.nii.gz'),
    flat=(lambda r, i, l: change(i, lambda x: 0*x), 'flat', 'i'),
    empty=(lambda r, i, l: change(l, lambda x: 0*x), 'empty', 'l'),
    two_files=(lambda r, i, l: shutil.copy(i, i.with_name(i.name.replace('.nii', '_0000.nii'))), 'layout', 'imagesTr'),
    listed=(lambda r, i, l: text(r/'dataset.json', dict(labels=brains.labels, training=[dict(image='imagesTr/x.nii.gz')])), 'partner', 'imagesTr/x.nii.gz'),
    json=(lambda r, i, l: text(r/'dataset.json', '{'), 'listing', 'dataset.json'),
    gap=(lambda r, i, l: text(r/'dataset.json', dict(labels={k: v for k, v in brains.labels.items() if k != 3} | {8: 'x'})), 'values', 'dataset.json'),
    unused=(lambda r, i, l: text(r/'dataset.json', dict(labels=brains.labels | {8: 'x'})), 'unused', 'dataset.json'),
    people=(lambda r, i, l: text(r/'subjects.csv', 'case,subject\n'), 'listing', 'subjects.csv'),
    folds=(lambda r, i, l: text(r/'subjects.csv', 'case,subject\n' + ''.join(f'{o.name},ann\n' for o in brains)) or text(
        r/'splits_final.json', [dict(train=[brains[0].name], val=[brains[1].name])]), 'leak', 'splits_final.json, fold 0'),
    test_folder=(lambda r, i, l: shutil.copytree(r/'imagesTr', r/'imagesTs'), 'copy', None),
    huge=(lambda r, i, l: i.with_suffix('').write_bytes(huge) and i.unlink(), 'limit', 'plain'))


@pytest.fixture
def good(tmp_path):
    for c in brains[:4]:
        for f, o in ((c.image, 'imagesTr'), (c.label, 'labelsTr')):
            (tmp_path/o).mkdir(exist_ok=True)
            shutil.copy(f, tmp_path/o)
    text(tmp_path/'dataset.json', dict(labels=brains.labels))
    return tmp_path


@pytest.mark.parametrize('name', spoilt)
def test_each_fault_is_told(good, name):
    image, label = (good/o/brains[2].image.name for o in ('imagesTr', 'labelsTr'))
    assert check_folder(good).findings == []
    do, kind, file = spoilt[name]
    do(good, image, label)
    found = check_folder(good).findings
    file = {'i': f'imagesTr/{image.name}', 'l': f'labelsTr/{label.name}', 'plain': f'imagesTr/{image.stem}'}.get(file, file)
    assert (kind, file) in [(o.kind, o.file if file else None) for o in found], found
    bad = [o for o in found if o.level == 'error']
    assert all(KINDS[o.kind][0] != 'error' for o in found) or bad == found[:len(bad)], 'worst first'


junk = (b'', b'\xff\xfe\x00', b'\0\0', b'['*10**5, b'null', b'3', b'{}', b'[[]]', b'[{"train": 3}]', b'{"labels": 3}', b'{"labels": {"a": [1]}}', b'{"labels": [0]}',
        b'{"labels": {"0": "a"}, "training": 3}', b'{"labels": {"0": "a"}, "training": [{"image": 3}]}', b'{"labels": {"0": "a"}, "numTraining": []}',
        b'case,subject\n"', b'case,subject\nx', b'case\n1', 'case,subject\nMüller,a\n'.encode('latin-1'), b'case,subject\n' + b'x'*200_000)


@pytest.mark.parametrize('name', ['dataset.json', 'subjects.csv', 'splits_final.json'])
@pytest.mark.parametrize('content', junk, ids=range(len(junk)))
def test_junk_is_told(good, name, content):
    (good/name).write_bytes(content)
    found = check_folder(good)
    assert found.errors and any(name in o.file + o.what for o in found.findings) or (name, content) == ('splits_final.json', b'{}')
    with contextlib.suppress(ValueError): decathlon(good)


def test_number_of_junk(trust):
    "Junk in dataset.json, subjects.csv or splits_final.json is told by the name of the file; no command stumbles over it"
    trust(f'{3*len(junk)} files told')


def test_what_training_refuses_is_an_error(good, tmp_path_factory):
    image, label = (good/o/brains[2].image.name for o in ('imagesTr', 'labelsTr'))
    for name in ('truncated', 'shape', 'affine', 'lost_label', 'lost_image', 'json', 'people', 'unknown_label'):
        root = tmp_path_factory.mktemp(name)
        shutil.copytree(good, root, dirs_exist_ok=True)
        spoilt[name][0](root, root/image.relative_to(good), root/label.relative_to(good))
        with pytest.raises(ValueError): [c.truth() and c.volume() for c in decathlon(root)]
        assert check_folder(root).errors, name


def test_number_of_faults(trust):
    "segreg-check names the file and says what to do, for each kind of fault; clean data sets pass"
    trust(f'{len(spoilt)} faults made, all told')
