"What is said once, and what is never called"
import ast, json
from configparser import ConfigParser
import pytest
from book import pages, root
from test_imports import sources, trees

try: import tomllib
except ImportError: import tomli as tomllib # Python 3.10

ini_names = {'min_python': 'requires-python', 'requirements': 'dependencies', 'author': 'authors', 'author_email': 'authors', 'status': 'classifiers',
             'audience': 'classifiers', 'lib_name': 'name', 'lib_path': 'name', 'git_url': 'urls', 'doc_host': 'urls'}


def test_no_fact_twice():
    project = tomllib.loads((root/'pyproject.toml').read_text())['project']
    ini = ConfigParser(delimiters=['='])
    ini.read_string((root/'settings.ini').read_text())
    keys = list(ini['DEFAULT'])
    ours = {ini_names.get(o, 'optional-dependencies' if o.endswith('_requirements') else o) for o in keys}
    assert not ours & set(project)
    assert ours <= set(project['dynamic'])


def test_samples_are_small():
    assert sum(o.stat().st_size for o in (root/'data_samples').rglob('*') if o.is_file()) < 3e6


def dotted(node):
    "`a.b.c` of a name or attribute"
    if isinstance(node, ast.Attribute): return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ''


def forbidden(tree):
    "Calls that run code from a file, write outside their folder, or lose what they read"
    for o in ast.walk(tree):
        if isinstance(o, (ast.Import, ast.ImportFrom)):
            names = [a.name for a in o.names] + [getattr(o, 'module', None) or '']
            for n in names:
                if n.split('.')[0] in ('pickle', 'cPickle', 'dill', 'cloudpickle', 'joblib', 'shelve'): yield o.lineno, n
        if isinstance(o, (ast.Name, ast.Attribute)):
            n = dotted(o)
            if n.split('.')[-1] in ('load_learner', 'SaveModelCallback') or n.endswith('Image.open'): yield o.lineno, n
        if isinstance(o, ast.Call):
            n, kw = dotted(o.func).split('.')[-1], {k.arg: k.value for k in o.keywords}
            full, off = dotted(o.func), lambda key, value: isinstance(kw.get(key), ast.Constant) and kw[key].value is value
            for key, value in dict(weights_only=False, allow_pickle=True, shell=True, verify=False).items():
                if off(key, value): yield o.lineno, f'{key}={value}'
            if full == 'torch.load' and not off('weights_only', True): yield o.lineno, 'torch.load without weights_only=True'
            if full in ('eval', 'exec', 'compile', '__import__') or full.split('.')[0] in ('marshal', 'yaml') or full.startswith(('torch.hub.', 'torch.jit.load', 'torch.export.load')): yield o.lineno, full
            if full in ('os.system', 'os.popen', 'subprocess.getoutput', 'tempfile.mktemp', 'ssl._create_unverified_context'): yield o.lineno, full
            if n in ('extractall', 'extract') and isinstance(o.func, ast.Attribute) and 'filter' not in kw and _archive(o.func.value):
                yield o.lineno, f"{n} without filter="


def _archive(node):
    "Is it an open archive? By the names that they are given"
    return dotted(node).split('.')[-1] in ('tar', 'tarfile', 'tf', 'archive', 'zip', 'zipfile', 'zf', 'z', 't', 'f', 'a')


bad = ["import pickle", "torch.load(f, weights_only=False)", "np.load(f, allow_pickle=True)", "tar.extractall(out)",
       "torch.load(f)", "eval(text)", "exec(text)", "subprocess.run(text, shell=True)", "os.system(text)", "yaml.load(f)", "marshal.loads(b)",
       "torch.hub.load(a, b)", "requests.get(url, verify=False)", "learn = load_learner(f)", "Image.open(f)", "torch.jit.load(f)", "torch.export.load(f)", "cbs = SaveModelCallback()", "import joblib"]


@pytest.mark.parametrize('code', bad)
def test_forbidden_is_found(code): assert list(forbidden(ast.parse(code)))


@pytest.mark.parametrize('code', ["torch.load(f, weights_only=True)", "model.eval()", "re.compile(a)", "subprocess.run([a])", "tar.extractall(out, filter='data')", "s.extract(x)", "from .fetch import extract"])
def test_allowed_is_not(code): assert not list(forbidden(ast.parse(code)))


@pytest.mark.parametrize('path,code', [pytest.param(p, c, id=str(p.relative_to(root))) for _, p, c in sources])
def test_modules_call_nothing_forbidden(path, code): assert not [x for o in code for x in forbidden(o)]


@pytest.mark.parametrize('page', pages(), ids=lambda o: o.rel)
def test_notebooks_call_nothing_forbidden(page): assert not [x for o in trees(page) for x in forbidden(o)]


def test_forbidden_calls(trust):
    "Nothing is unpickled, evaluated, or handed to a shell: the syntax tree of every module and notebook is searched for such calls"
    trust(f'{len(bad)} kinds of calls forbidden, 0 found')


def test_lower_bounds(trust):
    "Each dependency has a lower bound that leaves out versions with known holes"
    from lowest import lowest
    ini = ConfigParser(delimiters=['='])
    ini.read_string((root/'settings.ini').read_text())
    found = dict(o.split('==') for o in lowest(ini['DEFAULT']['requirements']))
    holes = dict(torch=(2, 10), fastai=(2, 8, 12)) # CVE-2025-32434, CVE-2026-24747; fastai's own loaders are not called at all
    assert all(tuple(map(int, found[o].split('.'))) >= least for o, least in holes.items())
    extras = dict(bench='monai>=1.6', explore='voila>=0.5.6 jupyter-server>=2.20', browser='jupyterlab>=4.6.2', dev='pytest>=9.0.3') # reasons: SECURITY.md
    for name, least in extras.items(): assert set(least.split()) <= set(ini['DEFAULT'][f'{name}_requirements'].split())
    trust(f'{len(found)} of {len(found)} have one')


def test_promises_have_their_tests():
    for key in json.loads((root/'results'/'trust.json').read_text(encoding='utf-8')):
        file, name = key.split('::')
        assert f'def {name}(' in (root/file).read_text(encoding='utf-8'), f'{key}: no such test; take it out of results/trust.json'
