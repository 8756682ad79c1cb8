"The shipped samples are what their generator makes."
import gzip, hashlib, zlib
from pathlib import Path
import pytest
from segreg_tutorial.phantoms import make_samples

SHIPPED = Path(__file__).parents[1]/'data_samples'


@pytest.fixture(scope='module')
def again(tmp_path_factory):
    out = tmp_path_factory.mktemp('again')
    make_samples(out)
    return out


def names(root): return sorted(str(o.relative_to(root)) for D in (2, 3) for o in (root/f'brain{D}d').rglob('*') if o.is_file())


def test_same_files(again): assert names(again) == names(SHIPPED)


def test_same_content(again):
    read = lambda f: gzip.decompress(f.read_bytes()) if f.suffix == '.gz' else f.read_bytes()
    assert [o for o in names(SHIPPED) if read(SHIPPED/o) != read(again/o)] == []


@pytest.mark.skipif('ng' in zlib.ZLIB_RUNTIME_VERSION, reason='zlib-ng packs the same content into other bytes')
def test_same_bytes(again):
    digest = lambda f: hashlib.sha256(f.read_bytes()).hexdigest()
    assert [o for o in names(SHIPPED) if digest(SHIPPED/o) != digest(again/o)] == []


def test_small():
    assert sum((SHIPPED/o).stat().st_size for o in names(SHIPPED)) < 3_000_000
