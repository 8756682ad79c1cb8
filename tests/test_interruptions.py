"A training that is stopped goes on to the last bit; whatever stops it, a state that can be loaded is left"
import json, os, subprocess, sys, tempfile
from importlib import import_module
from pathlib import Path
import pytest, torch
from book import root

linux = pytest.mark.skipif(not sys.platform.startswith('linux'), reason='forks and limits as Linux has them')


@pytest.fixture(scope='module')
def seen():
    "What `interrupted.py` saw"
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        env = os.environ | dict(OMP_NUM_THREADS='1', PYTHONPATH=str(root))
        done = subprocess.run([sys.executable, '-W', 'ignore', str(Path(__file__).with_name('interrupted.py')), d, '33'], capture_output=True, text=True, env=env)
    assert not done.returncode, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@linux
def test_kill(seen, trust):
    "A training killed (SIGKILL, SIGTERM) at any moment leaves a state that can be loaded, loses no finished epoch, and ends as if never stopped"
    o = seen['kills']
    assert (o['lost'], o['same'], o['leftover']) == (0, True, [])
    trust(f"{o['kills']} kills, 30 of them SIGKILL: 0 states lost, the end the same to the last bit")


@linux
def test_full_disk_read_only_folder_and_notebook(seen, trust):
    "A full disk, a folder that cannot be written and Ctrl-C in a notebook end in an error; the run is kept, and goes on"
    for o in ('full_disk', 'read_only'): assert seen[o] == dict(code=3, kept=True, same=True), o
    assert seen['notebook'] == dict(kept=True, same=True)
    trust('3 of 3 survived')


def names():
    from segreg_tutorial.cli import method_names
    return method_names()


@pytest.fixture(autouse=True)
def library(monkeypatch):
    "The methods of the package, not those that a chapter defined in the same process"
    from segreg_tutorial.joint import Method
    for name in names():
        module = import_module(f'segreg_tutorial.methods.{name}')
        own = [o for o in vars(module).values() if isinstance(o, type) and issubclass(o, Method) and o.__module__ == module.__name__]
        for o in own: monkeypatch.setitem(Method.kinds, o.name, o)


def tiny(n=4, shape=(32, 32)):
    "A split and its training data, without files"
    from segreg_tutorial.cohorts import Case, Cohort, Split
    from segreg_tutorial.loaders import Frame, Stack
    cases = [Case(f'c{i}', None) for i in range(n)]
    cohort = Cohort('tiny', cases, {0: 'background', 1: 'disc', 2: 'ring'})
    cohort.grids = [torch.zeros(shape)] # no files: only the number of axes is asked for
    g = torch.Generator().manual_seed(0)
    grid = torch.stack(torch.meshgrid(*[torch.linspace(-1, 1, s) for s in shape], indexing='ij'))
    r = torch.stack([(grid + .2*torch.randn(2, 1, 1, generator=g)).norm(dim=0) for _ in cases])
    labels = (r < .7).long() + (r < .4).long()
    images = (labels[:, None]/2 + .1*torch.rand(n, 1, *shape, generator=g)).clamp(0, 1)
    known = torch.tensor([True] + [False]*(n - 1))
    stack = Stack(images, labels*known.view(-1, 1, 1), known, torch.eye(2, 3).repeat(n, 1, 1), [o.name for o in cases])
    return Split(cases[:1], cases[1:], [], [], cohort, 0), (stack, Frame(shape))


def stop_at(*steps):
    from fastai.basics import Callback
    class Stop(Callback):
        order = 90
        def before_batch(self):
            if self.learn.alternate.step in steps: raise KeyboardInterrupt
    return Stop()


def equal(a, b):
    "Networks and history, but for the seconds"
    rows = [[{k: v for k, v in row.items() if k != 'seconds'} for row in o.history] for o in (a, b)]
    return rows[0] == rows[1] and all(torch.equal(p, q) for n in a.nets for p, q in zip(a.nets[n].state_dict().values(), b.nets[n].state_dict().values()))


@pytest.mark.parametrize('name', names())
@pytest.mark.filterwarnings('ignore')
def test_resume_is_exact(tmp_path, name):
    "Stopped in every epoch, each method ends as if never stopped"
    from segreg_tutorial.runs import fit, make_method
    split, data = tiny()
    def train(out, **kw): return fit(make_method(name), split, out, steps=8, epoch=3, seed=1, data=data, progress=False, **kw)
    straight = train(tmp_path/'straight')
    total = int(straight.history[-1]['step'])
    for step in [*range(4, total, 3), None]:
        try: run = train(tmp_path/'stopped', resume=True, cbs=[stop_at(step)])
        except KeyboardInterrupt: assert step
    assert equal(run, straight)


def test_methods_resumed(trust):
    "A training that is resumed ends as if never stopped: weights, averages, optimiser, memory and log, to the last bit, for each method"
    assert {'supervised', 'deepatlas', 'cctr'} <= set(names())
    trust('every method, stopped in every epoch')


def test_other_settings_are_refused(tmp_path):
    from segreg_tutorial.runs import fit, make_method
    split, data = tiny()
    def train(**kw): return fit(make_method('supervised', kw.pop('options', {})), split, tmp_path/'a', **(dict(steps=4, epoch=1, data=data, progress=False) | kw))
    with pytest.raises(KeyboardInterrupt): train(cbs=[stop_at(2)])
    for change, key in ((dict(steps=5), 'steps'), (dict(seed=3), 'seed'), (dict(lr=1.), 'lr'), (dict(bs=1), 'bs'), (dict(options=dict(elastic=0.)), 'options')):
        with pytest.raises(ValueError, match=f'other settings: {key}'): train(resume=True, **change)
    train(resume=True)


same_bits = '''
import sys; sys.path.insert(0, sys.argv[1])
from test_interruptions import tiny
from segreg_tutorial.runs import fit, make_method
import tempfile, hashlib, pathlib
with tempfile.TemporaryDirectory() as d:
    for seed in (0, 0, 1):
        out = pathlib.Path(d, str(len(list(pathlib.Path(d).iterdir()))))
        fit(make_method('deepatlas'), tiny()[0], out, steps=4, seed=seed, data=tiny()[1], progress=False)
        print(hashlib.sha256((out/'weights.safetensors').read_bytes()).hexdigest())
'''


def test_same_seed_same_bits(trust):
    "The same seed gives the same bits, again and in another process, on a CPU; another seed gives others"
    env = os.environ | dict(PYTHONPATH=os.pathsep.join([str(root), str(root/'tools')]))
    def run(): return subprocess.run([sys.executable, '-W', 'ignore', '-c', same_bits, str(Path(__file__).parent)], capture_output=True, text=True, check=True, env=env).stdout.split()
    a, b = run(), run()
    assert a == b and a[0] == a[1] != a[2]
    trust('2 processes, 2 runs each: equal')


def test_no_workers():
    "Cohorts are held in memory and each step draws its own random numbers: there are no workers that could draw others"
    from segreg_tutorial.loaders import StepLoader, Streams
    split, (stack, _) = tiny()
    assert StepLoader(Streams(stack), 3, 3).fake_l.num_workers == 0


def test_nan_stops_the_training_and_names_the_scans(tmp_path, trust):
    "A loss that is no number stops the training before it reaches the weights; the scans of the batch are named, and the last checkpoint is kept"
    from segreg_tutorial.runs import fit, load_state, make_method
    split, (stack, frame) = tiny()
    fit_ = lambda data: fit(make_method('supervised'), split, tmp_path/'a', steps=9, epoch=2, data=data, progress=False, resume=True)
    from fastai.basics import Callback
    class Spoil(Callback):
        order = 50
        def before_batch(self):
            if self.learn.alternate.step == 4: stack.images[0] = float('nan')
    with pytest.raises(ValueError, match=r'step 6: found a loss that is no number \(supervised\). In the batch were labelled: c0, c0'):
        fit(make_method('supervised'), split, tmp_path/'a', steps=9, epoch=2, data=(stack, frame), progress=False, cbs=[Spoil()])
    state = load_state(tmp_path/'a')
    assert state['step'] == 4 and all(v.isfinite().all() for v in state['model'].values())
    assert fit_(tiny()[1]).history[-1]['step'] == '9'
    trust('stopped at the step')
