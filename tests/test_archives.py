"Archives, checkpoints and runs made by an attacker: each is refused, and nothing is written or run"
import gzip, io, json, os, stat, tarfile, zipfile
import numpy as np
import pytest, torch
from segreg_tutorial.fetch import download, extract


def tar(path, name, kind=None, link='/', content=b'x'):
    with tarfile.open(path, 'w:gz' if str(path).endswith('gz') else 'w') as t:
        m = tarfile.TarInfo(name)
        m.size, m.linkname = len(content), link
        if kind: m.type, m.size = kind, 0
        t.addfile(m, io.BytesIO(content))
    return path


def pack(path, name, mode=None, content=b'x'):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as z:
        m = zipfile.ZipInfo(name)
        m.compress_type = zipfile.ZIP_DEFLATED
        if mode: m.external_attr = mode << 16
        z.writestr(m, content)
    return path


zeros = bytes(2**21)
evil = dict(
    dotdot_tar=lambda d: tar(d/'a.tar', '../evil'), dotdot_zip=lambda d: pack(d/'a.zip', '../evil'),
    deep_tar=lambda d: tar(d/'a.tar.gz', 'a/b/../../../evil'), deep_zip=lambda d: pack(d/'a.zip', 'a/../../evil'),
    abs_tar=lambda d: tar(d/'a.tar', str(d/'evil')), abs_zip=lambda d: pack(d/'a.zip', str(d/'evil')),
    windows_tar=lambda d: tar(d/'a.tar', '..\\evil'), windows_zip=lambda d: pack(d/'a.zip', 'C:\\evil'),
    symlink_tar=lambda d: tar(d/'a.tar', 'evil', tarfile.SYMTYPE), symlink_zip=lambda d: pack(d/'a.zip', 'evil', stat.S_IFLNK | 0o777, b'/'),
    hardlink_tar=lambda d: tar(d/'a.tar', 'evil', tarfile.LNKTYPE, '/etc/hosts'), device_tar=lambda d: tar(d/'a.tar', 'evil', tarfile.CHRTYPE),
    pipe_tar=lambda d: tar(d/'a.tar', 'evil', tarfile.FIFOTYPE),
    bomb_tar=lambda d: tar(d/'a.tar.gz', 'evil', content=zeros), bomb_zip=lambda d: pack(d/'a.zip', 'evil', content=zeros))


@pytest.fixture
def small(monkeypatch):
    "The limit on unpacked bytes, lowered from 1 GB to 1 MB"
    from segreg_tutorial import fetch
    monkeypatch.setattr(fetch._unpack, '__defaults__', (2**20,))


@pytest.mark.parametrize('kind', evil)
def test_archive_is_refused(tmp_path, small, kind):
    home = tmp_path/'home'
    home.mkdir()
    path = evil[kind](home)
    with pytest.raises(ValueError) as e: extract(path, home/'out')
    assert str(path) in str(e.value)
    assert [o.name for o in tmp_path.rglob('*') if o != path] == ['home']


def test_archives_refused(trust):
    "Archives with .., absolute paths, links, devices or bombs are refused, and nothing is written"
    trust(f'{len(evil)} archives refused')


def test_broken_archives_are_refused(tmp_path):
    good = tar(tmp_path/'good.tar.gz', 'a', content=os.urandom(5000)).read_bytes()
    rng = np.random.default_rng(0)
    for i in range(30):
        bad = bytearray(good)
        bad[rng.integers(10, len(good))] ^= 255
        path = tmp_path/f'b{i}.tar.gz'
        path.write_bytes(bytes(bad) if i % 2 else good[:rng.integers(len(good))])
        with pytest.raises(ValueError, match=path.name): extract(path)


class Evil:
    "Runs when it is unpickled"
    def __init__(self, path): self.path = path
    def __reduce__(self): return open, (str(self.path), 'w')


@pytest.mark.parametrize('where', ['alone', 'model', 'opt', 'deep'])
def test_evil_checkpoint_is_refused(tmp_path, where):
    "A checkpoint that would run code is refused, without a second, unsafe attempt; so are damaged ones"
    from segreg_tutorial.runs import load_state
    e = Evil(tmp_path/'owned')
    state = dict(alone=e, model=dict(model=dict(a=e)), opt=dict(opt=[dict(lr=e)]), deep=dict(memory=dict(a=[torch.ones(2), (e,)])))[where]
    torch.save(state, tmp_path/'state.pt')
    with pytest.raises(ValueError, match='not ours'): load_state(tmp_path)
    assert not (tmp_path/'owned').exists()


def test_damaged_checkpoint_is_refused_and_the_one_before_is_used(tmp_path, trust):
    "A checkpoint that would run code is refused, without a second, unsafe attempt; a damaged one too, and the one before it is used"
    from segreg_tutorial.runs import load_state, save_state
    rng = np.random.default_rng(0)
    x = torch.arange(5000.)
    for i in range(2): save_state(dict(step=i, x=x), tmp_path)
    good = (tmp_path/'state.pt').read_bytes()
    for i in range(40):
        bad = bytearray(good)
        if i % 2: bad[rng.integers(len(good))] ^= 1 << rng.integers(8)
        (tmp_path/'state.pt').write_bytes(bytes(bad) if i % 2 else good[:rng.integers(len(good))])
        with pytest.warns(UserWarning, match='damaged') if not i % 2 else unheard():
            state = load_state(tmp_path)
        assert state['step'] in (0, 1) and torch.equal(state['x'], x), i
    trust('4 checkpoints with code refused, 40 damaged ones: 0 read with other numbers')


def unheard():
    import warnings
    context = warnings.catch_warnings()
    context.__enter__(), warnings.simplefilter('ignore')
    class Done:
        def __enter__(self): pass
        def __exit__(self, *a): context.__exit__(*a)
    return Done()


strange = (b'', b'[]', b'{}', b'{"K": 1e9}', b'\xff\xfe', dict(K=10**9), dict(K='8'), dict(D=7), dict(shape=[10**6]*2),
           dict(shape=[-8, 8]), dict(shape='ab'), dict(method='os'), dict(method='..x'), dict(method=['supervised']),
           dict(options=dict(weights_only=False)), dict(options=[1]), dict(labels=3), dict(split=3), dict(split=dict(test=3)),
           b'['*10**5, dict(K=3, labels={'0': 'a', '1': 'b', '2': 'c'}))


@pytest.mark.parametrize('config', strange, ids=range(len(strange)))
def test_run_of_a_stranger(tmp_path, config):
    from segreg_tutorial.networks import UNet
    from segreg_tutorial.runs import Run, save_weights
    good = dict(method='supervised', options={}, labels={'0': 'a', '1': 'b'}, K=2, D=2, shape=[16, 16], split={})
    save_weights({f'segmenter.{k}': v for k, v in UNet(2, 2).state_dict().items()}, tmp_path/'weights.safetensors')
    (tmp_path/'config.json').write_text(json.dumps(good))
    Run(tmp_path)
    (tmp_path/'config.json').write_bytes(config if isinstance(config, bytes) else json.dumps(good | config).encode())
    with pytest.raises(ValueError): Run(tmp_path)


def test_strangers(trust):
    "A run whose configuration makes no sense, or asks for too much memory, is refused before anything is built"
    trust(f'{len(strange)} configurations refused')


def test_download_needs_a_checksum(tmp_path):
    for digest in ('', 'crc32:0', 'none', 'md5:900150983cd24fb0d6963f7d28e17f72'):
        with pytest.raises(ValueError, match='expected a SHA-256'): download('http://127.0.0.1:9/x', tmp_path/'x', digest)
    assert not list(tmp_path.iterdir())
