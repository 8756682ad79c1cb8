"Several processes that share the batch learn what one would have learnt"
import sys
import pytest, torch
from test_interruptions import equal, library, names, stop_at, tiny # `library`: a fixture

pytestmark = [pytest.mark.skipif(sys.platform != 'linux', reason='forks as Linux does'), pytest.mark.filterwarnings('ignore')]
# masks that are believed in one part of the batch and not in the other are augmented by other random numbers than in one process
options = dict.fromkeys(('unisegreg', 'ours'), dict(quality='inert'))


@pytest.fixture
def slow(request):
    if 'slow' not in request.config.getoption('nb_flags'): pytest.skip('flag: slow')


@pytest.fixture
def full_precision(monkeypatch):
    "bfloat16 makes a thousandth of the last digit"
    monkeypatch.setattr('segreg_tutorial.networks.gains_from_bf16', lambda device: False)


def train(name, out, bs, steps, stop=None, **kwargs):
    from segreg_tutorial.runs import fit, make_method
    split, data = tiny(6)
    def work():
        try: fit(make_method(name, options.get(name, {})), split, out, steps=steps, epoch=3, seed=1, bs=bs, data=data, progress=False, cbs=[stop_at(stop)], **kwargs)
        except KeyboardInterrupt: assert stop
    return work


def numbers(run): return torch.cat([p.flatten() for net in run.nets.values() for p in net.parameters()])
def losses(run): return [{k: float(v) for k, v in row.items() if v and k != 'seconds'} for row in run.history]


def compare(tmp_path, name, bs, steps):
    "The same losses and weights, but for the last digits; AdamW makes much of them where a gradient is nearly 0"
    from segreg_tutorial.joint import Joint
    from segreg_tutorial.processes import together
    from segreg_tutorial.runs import Run, make_method
    train(name, tmp_path/'one', bs, steps)()
    together(train(name, tmp_path/'two', bs, steps))
    one, two = Run(tmp_path/'one'), Run(tmp_path/'two')
    torch.manual_seed(1)
    start = numbers(Joint(make_method(name, options.get(name, {})), 3, 2))
    for a, b in zip(losses(one), losses(two)): assert a == pytest.approx(b, rel=1e-3, abs=1e-3)
    moved, apart = (numbers(one) - start).norm(), (numbers(one) - numbers(two)).norm()
    assert moved > 0 and apart < .05*moved, f'{name}: {apart/moved}'


@pytest.mark.parametrize('name', ['supervised', 'deepatlas'])
def test_two_are_one(tmp_path, full_precision, name): compare(tmp_path, name, bs=2, steps=4)


@pytest.mark.parametrize('name', names())
def test_two_are_one_in_every_method(slow, tmp_path, full_precision, name):
    compare(tmp_path, name, bs=4, steps=8)


def test_resumed_by_another_number(tmp_path, full_precision):
    "Begun by two processes, ended by one; both write what one would have written"
    from segreg_tutorial.processes import together
    from segreg_tutorial.runs import Run
    together(train('supervised', tmp_path/'a', 2, 7, stop=5))
    assert (tmp_path/'a'/'state.pt').exists() and not list(tmp_path.glob('a/*.tmp'))
    train('supervised', tmp_path/'a', 2, 7, resume=True)()
    train('supervised', tmp_path/'b', 2, 7)()
    a, b = Run(tmp_path/'a'), Run(tmp_path/'b')
    assert [o.name for o in sorted(a.path.iterdir())] == [o.name for o in sorted(b.path.iterdir())]
    for p, q in zip(losses(a), losses(b)): assert p == pytest.approx(q, rel=1e-3)


def shell(folder, text, **env):
    "Run a shell script where `segreg-*` are these commands"
    import os, subprocess
    from book import root
    for name in ('train', 'compare'):
        file = folder/f'segreg-{name}'
        file.write_text(f'#!{sys.executable}\nimport sys\nsys.dont_write_bytecode = True\nfrom segreg_tutorial.cli import segreg_{name}\nsegreg_{name}()\n')
        file.chmod(0o755)
    env = os.environ | dict(PATH=f"{folder}:{os.environ['PATH']}", PYTHONPATH=str(root), OMP_NUM_THREADS='1') | env
    done = subprocess.run(['bash', '-ec', text], cwd=folder, env=env, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return done.stdout


def test_command_in_two_processes(slow, tmp_path):
    "One command starts both; one of them reports"
    from segreg_tutorial.runs import Run
    args = 'segreg-train supervised samples:2 --steps 4 --test 2'
    said = shell(tmp_path, f'{args} --out two --processes 2; {args} --out one')
    assert said.count('supervised on') == 2 and said.count('Report: two/report.html') == 1
    one, two = [Run(tmp_path/o) for o in ('one', 'two')]
    assert (numbers(one) - numbers(two)).abs().max() < 1e-3
    assert {o.name for o in one.path.iterdir()} == {o.name for o in two.path.iterdir()}


def test_job_array(slow, tmp_path):
    "The jobs of an array, each in a shell of its own, give the table that the printed commands give"
    plan = 'segreg-compare samples:2 --methods supervised mean_teacher --seeds 1 --steps 4 --test 2'
    shell(tmp_path, f'{plan} --out jobs --slurm array.sh')
    for i in (2, 1): shell(tmp_path, 'bash array.sh', SLURM_ARRAY_TASK_ID=str(i))
    shell(tmp_path, shell(tmp_path, f'{plan} --out lines --dry'))
    a, b = [shell(tmp_path, f'segreg-compare {o}') for o in ('jobs', 'lines')]
    from segreg_tutorial.runs import Run
    for o in ('supervised-0', 'mean_teacher-0'): assert equal(Run(tmp_path/'jobs'/o), Run(tmp_path/'lines'/o))
    assert a.count('| 1 |') == b.count('| 1 |') and 'mean_teacher' in a
