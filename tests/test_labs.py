"What a lab promises: a gap for each solution, a check for each gap, and words when it is still open"
import ast, re
import pytest
from book import pages, root
from labs import gap, labs, opened, release, role, student
from readme import dump
from test_notebooks import badge

every = pytest.mark.parametrize('lab', labs(), ids=lambda o: o.rel)


def source(cell): return ''.join(cell['source'])
def gaps(lab): return [o for o in lab.cells if role(o, 'solution') and o['cell_type'] == 'code']


def definitions(src):
    "Its imports, functions and classes"
    if re.search('^[!%]', src, re.M): return ''
    kept = [o for o in ast.parse(src).body if isinstance(o, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef))]
    return ast.unparse(ast.Module(kept, []))


def pairs(lab):
    "Each gap and the check right below it"
    code = [o for o in lab.cells if o['cell_type'] == 'code']
    return [(o, code[code.index(o) + 1]) for o in gaps(lab)]


@every
def test_students_version_is_in_step(lab):
    assert (release/lab.path.name).read_text(encoding='utf-8') == dump(student(lab.nb)), 'make labs'


def test_there_is_no_other_students_version():
    assert {o.name for o in release.glob('*')} == {o.path.name for o in labs()}, 'make labs'


@every
def test_students_version_shows_no_solution(lab):
    page = student(lab.nb)
    said = '\n'.join(map(source, page['cells']))
    assert 'SOLUTION' not in said and '#|' not in said
    assert said.count(gap[1]) == len(gaps(lab)) + 1 # how it works names the line too
    assert not [o for o in page['cells'] if o.get('outputs')]
    assert all(len(''.join(o['source'])) > 20 for o in lab.cells if role(o, 'solution')), 'an empty solution'


@every
def test_links_of_the_students_version_lead_somewhere(lab):
    md = '\n'.join(source(o) for o in student(lab.nb)['cells'] if o['cell_type'] == 'markdown')
    links = re.findall(r'\]\((?!https?:|#)([^)#\s]+)', md)
    assert links and not [o for o in links if not (release/o).exists()]
    assert f"/labs/{lab.path.name}" in md and 'nbs/labs' not in md.split(badge)[1].split(')')[0]


@every
def test_begins_like_a_lab(lab):
    head = '\n'.join(lab.text[1:4])
    for o in ('Time:', 'Memory:', 'Download:', 'Afterwards you can', 'How it works'): assert o in head, o
    assert 4 <= len(gaps(lab)) <= 7
    words = [o for o in lab.cells if role(o, 'solution') and o['cell_type'] == 'markdown']
    assert len(words) == 1 and 'Your picture' in '\n'.join(lab.text)


@every
def test_is_as_nbgrader_wants_it(lab):
    facts = [o['metadata']['nbgrader'] for o in lab.cells if 'nbgrader' in o['metadata']]
    assert len({o['grade_id'] for o in facts}) == len(facts)
    for o in facts:
        assert set(o) - {'points'} == {'grade', 'grade_id', 'locked', 'schema_version', 'solution', 'task'}
        assert o['schema_version'] == 3 and ('points' in o) == o['grade']
    for a, b in pairs(lab):
        assert role(b, 'grade') and role(b, 'locked') and opened(source(a)).count(gap[1]) == 1
        assert b['metadata']['nbgrader']['grade_id'] == a['metadata']['nbgrader']['grade_id'] + '-check'


@every
def test_an_open_gap_fails_its_check_in_words(lab):
    "Checks need imports, functions and the gaps above them, nothing that takes time"
    from execnb.shell import CaptureShell
    shell = CaptureShell(lab.path)
    def run(src):
        shell.run(src)
        return shell.exc
    given = [source(o) for o in lab.cells if o['cell_type'] == 'code' and 'nbgrader' not in o['metadata']]
    assert run('\n'.join(map(definitions, given))) is None
    for solution, check in pairs(lab):
        assert run(opened(source(solution))) is None
        said = run(source(check))
        assert type(said).__name__ == 'NotYet' and str(said).endswith('is still open'), said
        assert run(source(solution)) is None
        assert run(source(check)) is None, "the solution fails its own check"
    shell.close()


def test_each_slide_has_its_figure():
    "The lecturer's table names a figure by its number on the page"
    from slides import wanted
    every, rows = {o.rel.removesuffix('.ipynb'): o for o in pages()}, wanted()
    assert [n for n, _, _ in rows] == list(range(1, 13))
    def figures(page): return sum('image/png' in out.get('data', {}) for o in page.cells for out in o.get('outputs', []))
    assert not [(n, page, k) for n, page, k in rows if not 1 <= k <= figures(every[page])]
