"""Train, be killed, go on: `python tests/interrupted.py FOLDER KILLS`.

One process pays for the imports and forks a child for each trial. The child trains in the folder; the parent ends it and looks at what is left.
Prints what it saw as JSON.
"""
import json, os, random, resource, signal, sys, time
from pathlib import Path
import torch
torch.set_num_threads(1) # threads do not survive a fork
from segreg_tutorial.joint import Method, new_registrator
from segreg_tutorial.loaders import Frame, Stack
from segreg_tutorial.losses import dice_ce, diffusion
from segreg_tutorial.cohorts import Case, Cohort, Split
from segreg_tutorial.networks import UNet
from segreg_tutorial.runs import Run, fit, load_state
from segreg_tutorial.warp import warp

cases = [Case(f'c{i}', None) for i in range(4)]
cohort = Cohort('tiny', cases, {0: 'background', 1: 'disc'})
cohort.grids = [torch.zeros(32, 32)] # no files: only the number of axes is asked for
split = Split(cases[:2], cases[2:], [], [], cohort, 0)
x = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))
data = Stack(x, (x[:, 0] > .5).long(), torch.tensor([1, 1, 0, 0]).bool(), torch.eye(2, 3).repeat(4, 1, 1), [o.name for o in cases]), Frame((32, 32))


class Tiny(Method):
    "Two networks, a memory, noise: all that must survive"
    name, networks = 'tiny', dict(segmenter=UNet, registrator=new_registrator)
    def plan(self, steps): return ['registrator', 'segmenter']*steps
    def prepare(self, model, stack, step): model.memory.setdefault('bank', torch.zeros(4))[step % 4] = torch.rand(())
    def losses(self, model, batch, turn):
        if turn == 'segmenter': return dict(seg=dice_ce(model.segment(batch['labelled']['image'] + torch.rand(())), batch['labelled']['label']))
        v, u = model.register(batch['moving']['image'], batch['fixed']['image'])
        return dict(sim=(warp(batch['moving']['image'], u) - batch['fixed']['image']).square().mean()*(1 + model.memory['bank'].mean()), smooth=diffusion(v))


def train(out, steps=15, **kwargs): return fit(Tiny(), split, out, steps=steps, epoch=2, data=data, resume=True, progress=False, **kwargs)


def child(do):
    "Fork; the child does `do` and ends with 0, or with 3 after an error that it could name"
    pid = os.fork()
    if pid: return pid
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try: do()
    except OSError: os._exit(3)
    except BaseException: os._exit(4)
    os._exit(0)


def ended(pid): return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
def step(out): return (load_state(out) or dict(step=0))['step'] if not (out/'weights.safetensors').exists() else 10**6
def same(a, b): return all(torch.equal(p, q) for n in a.nets for p, q in zip(a.nets[n].parameters(), b.nets[n].parameters()))


def kills(out, n, straight, seconds):
    "Kill one run again and again, then let it end"
    rng, at, lost = random.Random(0), [], 0
    for i in range(n):
        pid, was = child(lambda: train(out)), step(out) if out.exists() else 0
        time.sleep(rng.uniform(0, min(seconds/2, .5)))
        os.kill(pid, signal.SIGKILL if i % 11 else signal.SIGTERM)
        ended(pid)
        if (out/'weights.safetensors').exists(): # it was done: begin the next one
            assert same(Run(out), straight)
            out = out.with_name(f'{out.name}_')
            continue
        now = step(out) if out.exists() else 0
        lost += now < was
        at.append(now)
    return dict(kills=n, lost=lost, steps=len(set(at)), same=same(train(out), straight), leftover=[o.name for o in out.iterdir() if 'tmp' in o.name or 'state' in o.name])


def full_disk(out, straight):
    "A disk that takes no more than some kilobytes a file, then one that does"
    def do():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        train(out)
    train_some(out)
    was, code = step(out), ended(child(do))
    return dict(code=code, kept=step(out) == was > 0, same=same(train(out), straight))


def train_some(out):
    "The first epochs"
    from fastai.basics import Callback
    class Stop(Callback):
        order = 90
        def before_batch(self):
            if self.learn.alternate.step == 7: raise KeyboardInterrupt
    try: train(out, cbs=[Stop()])
    except KeyboardInterrupt: pass


def read_only(out, straight):
    "A folder that cannot be written, seen by a user who is not root"
    train_some(out)
    was = step(out)
    for o in [*out.iterdir(), out]: o.chmod(0o555 if o.is_dir() else 0o444)
    def do():
        if os.geteuid() == 0: os.setuid(65534)
        train(out)
    code = ended(child(do))
    out.chmod(0o755)
    for o in out.iterdir(): o.chmod(0o644)
    return dict(code=code, kept=step(out) == was > 0, same=same(train(out), straight))


def notebook(out, straight):
    "Ctrl-C in the process that goes on living, then the cell is run again"
    train_some(out)
    return dict(kept=step(out) > 0, same=same(train(out), straight))


if __name__ == '__main__':
    root, n = Path(sys.argv[1]), int(sys.argv[2])
    straight = train(root/'straight')
    began = time.perf_counter()
    assert same(train(root/'again'), straight)
    seconds = time.perf_counter() - began
    print(json.dumps(dict(kills=kills(root/'killed', n, straight, seconds), full_disk=full_disk(root/'full', straight), read_only=read_only(root/'read_only', straight),
                          notebook=notebook(root/'notebook', straight))))
