"Who may import what"
import ast, os, re, subprocess, sys
import pytest
from book import chapters, lib, pages, root

modules = sorted((root/lib).rglob('*.py'))
number = {o.module: o.number for o in chapters()}
heavy = ('torchvision', 'fastai.vision', 'fastai.medical', 'fastai.tabular', 'fastai.text', 'fastai.collab')


def name(path):
    "`segreg_tutorial/methods/x.py` as `segreg_tutorial.methods.x`"
    parts = path.relative_to(root).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def trees(page):
    "Syntax trees of the code cells, magics turned into calls"
    from IPython.core.inputtransformer2 import TransformerManager
    return [ast.parse(TransformerManager().transform_cell(o)) for o in page.code]


def imported(tree, here=''):
    "Full names of the modules, and of what is taken from them"
    for o in ast.walk(tree):
        if isinstance(o, ast.Import): yield from (a.name for a in o.names)
        if isinstance(o, ast.ImportFrom):
            base = here.split('.')[:-o.level] if o.level else []
            mod = '.'.join([*base, *([o.module] if o.module else [])])
            yield from [mod, *(f"{mod}.{a.name}" for a in o.names)]


sources = [(name(o), o, [ast.parse(o.read_text(encoding='utf-8'))]) for o in modules]
scripts = [(o.name, o, [ast.parse(o.read_text(encoding='utf-8'))]) for o in (*root.glob('*.py'), *root.glob('t[eo]*s/*.py'))]
books = [(o.module or o.rel, o.path, trees(o)) for o in pages()]
every = [pytest.param(*o, id=str(o[1].relative_to(root))) for o in sources + books + scripts]


def test_every_module_has_a_chapter():
    found = {name(o) for o in modules if o.stem != '__init__' and o.stem != '_modidx'}
    assert found == set(number)


@pytest.mark.parametrize('here,path,code', every)
def test_a_chapter_imports_only_lower_ones(here, path, code):
    used = {m for o in code for m in imported(o, here) if m in number}
    if here in number: assert not [m for m in used if number[m] >= number[here] and m != here]


@pytest.mark.parametrize('here,path,code', every)
def test_nothing_needs_torchvision(here, path, code):
    assert not [m for o in code for m in imported(o, here) if any(m == h or m.startswith(h + '.') for h in heavy)]


@pytest.mark.parametrize('here,path,code', [o for o in every if number.get(o.values[0], (99,)) < (7,)])
def test_chapters_below_7_do_not_import_fastai(here, path, code):
    assert not [m for o in code for m in imported(o, here) if m.split('.')[0] == 'fastai']


def python(code):
    "What a fresh interpreter prints"
    run = subprocess.run([sys.executable, '-c', code], cwd=root, capture_output=True, text=True)
    assert not run.returncode, run.stderr
    return run.stdout.split()


def test_modules_import_without_torchvision():
    low = [o for o in number if number[o] < (7,)]
    high = [o for o in number if o not in low]
    code = f"""import sys, importlib
for o in {low}: importlib.import_module(o)
print('fastai' in sys.modules)
for o in {high}: importlib.import_module(o)
print(any(o.startswith('torchvision') for o in sys.modules))"""
    assert python(code) == ['False', 'False']


def test_the_package_imports_quickly():
    code = "import torch, time; t = time.process_time(); import segreg_tutorial; print(time.process_time() - t)"
    assert any(float(python(code)[0]) < 0.1 for _ in range(3))


def test_help_of_every_command_is_quick(tmp_path):
    commands = re.findall(r'^segreg.* = "(.+):(segreg.*)"', (root/'pyproject.toml').read_text(encoding='utf-8'), re.M)
    assert len(commands) > 10
    code = f'''import contextlib, importlib, io, sys, time
began, longest, sys.argv = time.process_time(), 0, ['command', '--help']
for module, name in {commands}:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        getattr(importlib.import_module(module), name)()
    longest, began = max(longest, time.process_time() - began), time.process_time()
print(longest, 'torch' in sys.modules)'''
    (tmp_path/'help.py').write_text(code, encoding='utf-8')
    def slowest():
        run = subprocess.run([sys.executable, tmp_path/'help.py'], capture_output=True, text=True, env=os.environ | dict(PYTHONPATH=str(root)))
        assert run.stdout.split()[1:] == ['False'], run.stdout + run.stderr
        return float(run.stdout.split()[0])
    assert any(slowest() < 0.5 for _ in range(3))
