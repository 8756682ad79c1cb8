"Real scans, where they lie beside the repository; skipped elsewhere."
from pathlib import Path
import numpy as np
import nibabel as nib
import pytest
from segreg_tutorial.check import check_folder
from segreg_tutorial.cohorts import decathlon, folder
from segreg_tutorial.volumes import scale_intensity, write_volume

DATA = Path(__file__).parents[1].parent/'shared'/'data'


def at_hand(name):
    if not (DATA/name).is_dir(): pytest.skip(f'{name} is not beside the repository')
    return DATA/name


@pytest.mark.parametrize('name,D,people', [('Task04_Hippocampus', 3, 200), ('brain2d', 2, 24)])
def test_every_case_reads(name, D, people, tmp_path):
    cohort = decathlon(at_hand(name))
    assert cohort.D == D and len({o.subject for o in cohort}) == people
    for case in cohort:
        image, label = case.volume(), case.truth()
        x = scale_intensity(image.data)
        assert image.shape == label.shape and x.min() == 0 and x.max() == 1 and x.std() > .05, case.name
    own, ours = nib.load(case.label), nib.load(write_volume(label.data, label, tmp_path/'out.nii.gz'))
    assert np.array_equal(own.dataobj, ours.dataobj) and np.array_equal(own.affine, ours.affine)


def test_people_stay_on_one_side():
    cohort = decathlon(at_hand('brain2d'))
    for seed in range(5):
        s = cohort.split(labelled=1, test=8, seed=seed)
        assert len({o.subject for o in s.test}) == 8
        assert not {o.subject for o in s.test} & {o.subject for o in s.labelled + s.unlabelled}


def test_dirty_folder_is_refused_with_all_its_problems():
    root = at_hand('dirty_hippocampus')
    with pytest.raises(ValueError) as e: decathlon(root)
    for name in ('imagesTr/hippocampus_118', 'labelsTr/hippocampus_010', 'labelsTr/hippocampus_281'): assert name in str(e.value)
    with pytest.raises(ValueError, match='hippocampus_010'): folder(root/'imagesTr', root/'labelsTr')
    assert len(folder(root/'imagesTr')) == 5


def test_check_tells_each_file_of_a_dirty_folder():
    found = check_folder(at_hand('dirty_hippocampus')).findings
    assert [(o.level, o.file) for o in found] == [('error', f'{o}.nii.gz') for o in (
        'imagesTr/hippocampus_118', 'labelsTr/hippocampus_010', 'labelsTr/hippocampus_281')]


@pytest.mark.parametrize('name', ['Task04_Hippocampus', 'brain2d'])
def test_check_passes_clean_sets(name): assert check_folder(at_hand(name)).findings == []
