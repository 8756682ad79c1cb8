"The results say what their files say"
import re, pytest
from book import Page, nbs, root

files = sorted((root/'results'/'runs').glob('*.json'))


@pytest.fixture(scope='module')
def rows():
    from segreg_tutorial.compare import read_results # brings fastai, which changes how tensors compare: not before chapters 00 to 06 have run
    return read_results(files)


def test_files_are_named_by_their_facts(rows):
    from segreg_tutorial.tables import file_name
    assert [o.name for o in files] == [file_name(o) for o in rows], 'tools/results.py'


def test_page_is_in_step(rows):
    from segreg_tutorial.tables import results_page
    assert results_page(rows) in (root/'results'/'README.md').read_text(encoding='utf-8'), 'tools/results.py'


def test_front_page_is_in_step(rows):
    from results import front
    assert front(rows) in '\n'.join(Page(nbs/'index.ipynb').text), 'tools/results.py'


def test_files_name_no_machine():
    for o in files: assert not re.search(r'"[^"]*[/\\\\][^"]*"', o.read_text(encoding='utf-8')), o
