"What a page must be, whatever it says"
import json, re, socket
from statistics import median
import pytest
from book import chapters, nbs, pages, root
from labs import labs
from nbdev.config import get_config
from readme import dump, filled, images, readme

every = pytest.mark.parametrize('page', pages(), ids=lambda o: o.rel)
home = re.compile(r'/(?:home|root|Users)/\w|[A-Z]:\\+Users')
somewhere = re.compile(r'(?<![\w.:/<>-])/(?:[\w.-]+/)+[\w.-]+|\bat 0x[0-9a-f]{6,}')
badge = 'https://colab.research.google.com/github/'


@every
def test_is_clean(page):
    assert set(page.nb['metadata']) <= {'kernelspec', 'language_info', 'solveit', 'solveit_dialog_mode'}, 'nbdev-clean'
    for o in page.cells: assert not o.get('execution_count') and 'execution' not in o['metadata'], f"{o['id']}: nbdev-clean"
    assert dump(page.nb) == page.path.read_text(encoding='utf-8'), 'nbdev-clean'


@every
def test_cells_have_their_own_ids(page):
    ids = [o.get('id') for o in page.cells]
    assert all(ids) and len(set(ids)) == len(ids)


@every
def test_names_no_machine(page):
    "No home folder in the code; no absolute path and no address of an object in what it printed"
    for o in page.cells:
        said = ''.join(map(_words, o.get('outputs', [])))
        assert not [m[0] for m in (home.search(''.join(o['source'])), somewhere.search(said)) if m], o['id']


def _words(out):
    data = out.get('data', {})
    return ''.join(''.join(o) for o in [out.get('text', ''), *(v for k, v in data.items() if k.startswith('text/'))])


@every
def test_stores_no_error_and_no_widget(page):
    outs = [o for c in page.cells for o in c.get('outputs', [])]
    assert not [o for o in outs if o['output_type'] == 'error' or 'widget' in ' '.join(o.get('data', {}))]


@every
def test_outputs_are_small(page):
    for c in page.cells: assert len(json.dumps(c.get('outputs', []))) < 1e6, c['id']


def test_pages_are_small():
    sizes = [o.path.stat().st_size for o in pages()]
    assert median(sizes) < 100_000


@pytest.mark.parametrize('page', chapters(), ids=lambda o: o.rel)
def test_begins_like_a_chapter(page):
    first, title, link = ([''.join(o['source']) for o in page.cells] + [''] * 3)[:3]
    assert first.startswith('#| default_exp')
    assert re.fullmatch(r'# .+\n+> .+', title), 'the title cell holds a title and one line; the site drops the rest'
    assert badge in link and all(o in link for o in ('Time:', 'Memory:', 'Download:'))


@every
def test_badge_opens_this_page(page):
    cfg = get_config(nbs)
    for o in re.findall(badge + r'([^)\s"]+)', '\n'.join(page.text)):
        here = page.rel if page in labs() else f"nbs/{page.rel}" # of a lab, the version with gaps
        assert o == f"{cfg.user}/{cfg.repo}/blob/{cfg.branch}/{here}"


@pytest.mark.parametrize('page', [o for o in pages() if badge in '\n'.join(o.text)], ids=lambda o: o.rel)
def test_colab_installs_the_package_and_nothing_else_does(page):
    first = [o for o in page.code if 'default_exp' not in o][0]
    assert re.fullmatch(r"#\| hide\n#\| eval: false\n! \[ -e /content \] && pip install -Uqq ['\"]?segreg-tutorial\b.*", first)
    assert not [o for o in page.code if o != first and re.search(r'^[!%]\s*pip', o, re.M)]


def test_cells_run_offline(monkeypatch):
    monkeypatch.setenv('IN_TEST', '1') # as while a cell runs
    with pytest.raises(OSError, match='without a network'): socket.create_connection(('192.0.2.1', 80), timeout=1)


@every
def test_links_lead_somewhere(page):
    for o in re.findall(r'\]\((?!https?:|#|mailto:|attachment:)([^)#\s]+)', '\n'.join(page.text)):
        assert (page.path.parent/o).exists(), o


def test_readme_is_in_step():
    page = [o for o in pages() if o.rel == 'index.ipynb'][0]
    before = dump(page.nb)
    nb = filled(page.nb)
    text, pics = readme(nb)
    assert dump(nb) == before, 'python tools/readme.py'
    assert text == (root/'README.md').read_text(encoding='utf-8'), 'python tools/readme.py'
    assert {o.name: o.read_bytes() for o in images.glob('index-*.png')} == pics


def test_readme_begins_with_how_to_begin():
    top = '\n'.join((root/'README.md').read_text(encoding='utf-8').splitlines()[:20])
    for o in ('make demo', 'make test', 'pip install segreg-tutorial', badge): assert o in top


def test_sidebar_has_every_page_in_order():
    listed = re.findall(r'- (\S+\.ipynb)', (nbs/'sidebar.yml').read_text())
    assert listed == ['index.ipynb'] + [o.rel for o in pages() if o.rel != 'index.ipynb']
