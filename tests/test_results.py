"The results say what their files say"
import re
from book import Page, nbs, root
from segreg_tutorial.compare import read_results
from segreg_tutorial.tables import file_name, results_page, table

files = sorted((root/'results'/'runs').glob('*.json'))
rows = read_results(files)


def test_files_are_named_by_their_facts(): assert [o.name for o in files] == [file_name(o) for o in rows], 'tools/results.py'


def test_page_is_in_step():
    assert results_page(rows) in (root/'results'/'README.md').read_text(encoding='utf-8'), 'tools/results.py'


def test_front_page_is_in_step(): assert table(rows) in '\n'.join(Page(nbs/'index.ipynb').text), 'tools/results.py'


def test_files_name_no_machine():
    for o in files: assert not re.search(r'"[^"]*[/\\\\][^"]*"', o.read_text(encoding='utf-8')), o
