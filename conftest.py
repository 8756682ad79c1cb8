"""Every notebook cell is a test. Same cells and directives as nbdev-test; cells of a notebook run in order, in one shell.

    pytest nbs/03_warp.ipynb              one chapter
    pytest nbs/03_warp.ipynb -k 1a2b3c4d  one cell, after those above it
    pytest --nb-flags slow                the long settings too
    pytest --nb-outputs                   stored outputs must say what the cells say now
    pytest nbs --nb-times                 the time that each chapter states, beside the processor time it takes
    pytest tests --trust                  write what the tests of promises found to results/trust.json
"""
import os, re, sys, traceback
from pathlib import Path
import pytest

os.environ.setdefault('OMP_NUM_THREADS', '1') # small images gain nothing from a second thread; two processes do (make test)
collect_ignore_glob = ['_proc', '_docs', 'build']
cell_seconds, start_up, times = 600, 6, []


def offline(event, args):
    "While a cell runs, nobody answers but this machine"
    if event != 'socket.connect' or 'IN_TEST' not in os.environ or not isinstance(args[1], tuple): return
    host = str(args[1][0])
    if not host.startswith('127.') and host not in ('localhost', '::1'): raise OSError(f'cells run without a network; this one asks {host}')


sys.addaudithook(offline)


def pytest_addoption(parser):
    parser.addoption('--nb-flags', default='', help="nbdev flags whose cells run too, such as 'slow'")
    parser.addoption('--nb-outputs', action='store_true', help='fail where the stored text or number of figures is stale')
    parser.addoption('--nb-times', action='store_true', help='compare the time that chapters state with the processor time they take')
    parser.addoption('--trust', action='store_true', help='write results/trust.json anew instead of comparing with it')


def pytest_collect_file(file_path, parent):
    skip = file_path.name.startswith(('_', '.')) or (file_path.parent/'.notest').exists()
    if file_path.suffix == '.ipynb' and not skip: return Notebook.from_parent(parent, path=file_path)


def pytest_terminal_summary(terminalreporter, config):
    "Stated and taken times; a chapter opened by itself needs some seconds more, to import torch"
    if not config.getoption('nb_times'): return
    terminalreporter.section('seconds: stated, and taken on the processor')
    for name, stated, took in times:
        off = 2 <= max(stated, took + start_up)/min(stated, took + start_up)
        terminalreporter.line(f"{stated:4} {took:6.1f}  {name}{'  <- more than twice off' if off else ''}")


def stated_seconds(text):
    "Of `Time: 10 s on two cores.`"
    found = re.search(r'Time:[^.]*?(\d+) (s|min)', text)
    return found and int(found[1])*{'s': 1, 'min': 60}[found[2]]


def forget_methods():
    "Methods are known by name: those that a chapter defined go with it, and the library's come back"
    joint = sys.modules.get('segreg_tutorial.joint')
    if not joint: return
    kinds = joint.Method.kinds
    for name in [n for n, o in kinds.items() if not o.__module__.startswith('segreg_tutorial.')]: del kinds[name]
    for module in [o for n, o in sys.modules.items() if n.startswith('segreg_tutorial.methods.')]:
        kinds |= {o.name: o for o in vars(module).values() if getattr(o, '__module__', '') == module.__name__ and 'name' in vars(o)}


def processor(): return sum(os.times()[:4]) # children too


class CellError(Exception):
    "A cell failed; its text is the report"


class Notebook(pytest.File):
    "One shell, and the cells it has to run"
    shell, broken, at = None, None, 0

    @property
    def timed(self): return 'benchmarks' in self.path.parts

    def collect(self):
        from nbdev.config import get_config
        from nbdev.test import nb_test_cells
        flags = set(get_config(self.path.parent).tst_flags.split()) - set(self.config.getoption('nb_flags').split())
        self.todo = []
        for cell in nb_test_cells(self.path):
            if not re.search(r'^\s*[^#\s]', cell.source, re.M): continue
            item = Cell.from_parent(self, name=cell.get('id') or str(cell.idx_), cell=cell)
            held = flags & (cell.directives_ or {}).keys()
            if held: item.add_marker(pytest.mark.skip(reason=f"flag: {', '.join(held)}"))
            else: self.todo.append(item)
            yield item

    def setup(self):
        from execnb.shell import CaptureShell
        import matplotlib
        matplotlib.rcdefaults()
        self.shell, self.broken, self.at = CaptureShell(self.path), None, 0
        self.began = processor()

    def teardown(self):
        if self.shell is None: return
        stated = stated_seconds(self.path.read_text(encoding='utf-8'))
        if stated and not self.broken and self.at == len(self.todo): times.append((_short(self.path), stated, processor() - self.began))
        forget_methods()
        self.shell.close()
        self.shell.user_ns.clear()
        self.shell = None

    def run_to(self, item):
        "Run the cells up to `item` that have not run yet"
        if self.broken: pytest.skip(f"cell {self.broken} above failed")
        while self.at <= self.todo.index(item):
            here, self.at = self.todo[self.at], self.at + 1
            outs, error = here.execute(self.shell)
            if error: self.broken = here.name
            elif self.config.getoption('nb_outputs') and here is item and not self.timed: error = stale(item.cell.outputs, outs)
            if error: raise CellError(error)


class Cell(pytest.Item):
    "One code cell"
    def __init__(self, *, cell, **kw):
        super().__init__(**kw)
        self.cell = cell

    def runtest(self): self.parent.run_to(self)
    def reportinfo(self): return self.path, 0, f"{self.path.name} cell {self.name}"

    def repr_failure(self, excinfo):
        return str(excinfo.value) if isinstance(excinfo.value, CellError) else super().repr_failure(excinfo)

    def execute(self, shell):
        "Run in the notebook's folder; returns the outputs, and the report of a failure"
        old, os.environ['IN_TEST'] = os.getcwd(), '1'
        os.chdir(self.path.parent)
        try: outs = shell.run(self.cell.source, timeout=cell_seconds)
        finally:
            os.chdir(old)
            del os.environ['IN_TEST']
        for o in outs:
            if o['output_type'] == 'stream': self.add_report_section('call', o['name'], ''.join(o['text']))
        return outs, shell.exc and self.report(shell.exc, shell)

    def report(self, exc, shell):
        "The cell with the failing line marked, then the library's frames"
        tb, frames, line = exc.__traceback__, [], 0
        while tb:
            code, no = tb.tb_frame.f_code, tb.tb_lineno
            if tb.tb_frame.f_globals is shell.user_ns:
                if not line: line = no
                frames.append(f"  in the notebook, {code.co_name}: {_line(code, no)}")
            elif line: frames.append(f"  {_short(code.co_filename)}:{no}, {code.co_name}: {_line(code, no)}")
            tb = tb.tb_next
        if isinstance(exc, SyntaxError): line = exc.lineno
        src = [f"{'>' if i == line else ' '} {i:3} {l}" for i, l in enumerate(self.cell.source.splitlines(), 1)]
        what = ''.join(traceback.format_exception_only(exc)).rstrip()
        if exc.__cause__: what += f"\n  from {type(exc.__cause__).__name__}: {exc.__cause__}"
        return '\n'.join([f"{_short(self.path)}, cell {self.name}", '', *src, '', *frames[1:], what])


def said(outs):
    "What a cell printed and answered, and how many figures it drew"
    text = [o.get('text') or o.get('data', {}).get('text/plain', '') for o in outs if o.get('name') != 'stderr']
    return ' '.join(''.join(map(''.join, text)).split()), sum('image/png' in o.get('data', {}) for o in outs)


def stale(stored, fresh):
    "Where stored outputs differ from fresh ones; numbers may drift by a tenth, as they do between machines"
    number = r'(-?\d+\.?\d*(?:e[+-]?\d+)?)'
    (old, figures), (new, drawn) = said(stored), said(fresh)
    if 'not installed' in new: return # an optional peer that the stored run had
    a, b = re.split(number, old), re.split(number, new)
    near = lambda x, y: abs(float(x) - float(y)) <= .02 + .1*max(abs(float(x)), abs(float(y)))
    same = len(a) == len(b) and all(near(x, y) if i % 2 else x.strip(' -') == y.strip(' -') for i, (x, y) in enumerate(zip(a, b)))
    if not same or figures != drawn:
        return f"The stored output is stale: nbdev-test --save && nbdev-clean\n\nstored, {figures} figures: {old}\n\nnow, {drawn} figures: {new}"


def _line(code, no):
    import linecache
    return linecache.getline(code.co_filename, no).strip()


def _short(path):
    path, root = Path(path), Path(__file__).parent
    return path.relative_to(root) if path.is_relative_to(root) else path
