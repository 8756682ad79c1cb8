"A training step asks the device for nothing: on a GPU, each question would wait until all work is done"
import weakref
import pytest, torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from test_interruptions import library, tiny # a fixture, and data

asks = ('_local_scalar_dense', 'nonzero', '_unique2', 'masked_select', 'equal.default', 'bincount')


class Questions(TorchDispatchMode):
    "Follow what is computed from `first`, which would lie on the device, and count what cannot be answered without waiting for it"
    def __init__(self, first):
        super().__init__()
        self.there, self.found = {}, []
        self.follow(first)

    def follow(self, tensors): self.there |= {id(o): weakref.ref(o) for o in tensors}
    def on_device(self, o): return isinstance(o, torch.Tensor) and self.there.get(id(o), lambda: None)() is o

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        mine = [o for o in tree_leaves((args, kwargs)) if self.on_device(o)]
        masks = [o for o in mine if 'aten.index' in str(func) and o is not args[0] and o.dtype == torch.bool]
        if masks or mine and any(o in str(func) for o in asks): self.found.append(str(func))
        out = func(*args, **(kwargs or {}))
        if mine: self.follow(o for o in tree_leaves(out) if isinstance(o, torch.Tensor))
        return out


def questions(name, monkeypatch, steps=4, **options):
    "What a training asks its device, but for the last step of the epoch"
    from fastai.basics import Callback
    from segreg_tutorial import joint, runs
    from segreg_tutorial.loaders import Streams
    real = joint.CheckLosses
    monkeypatch.setattr(joint, 'CheckLosses', lambda streams, every, total: real(streams, total, total)) # as on a GPU
    (stack, _), found = tiny(6)[1], []
    method = runs.make_method(name, options)
    torch.manual_seed(0)
    model, plan = joint.Joint(method, 3, 2), method.plan(steps)
    class Ask(Callback):
        order = -100
        def before_batch(self):
            batch = [o for o in tree_leaves(self.learn.xb) if isinstance(o, torch.Tensor)]
            self.mode = Questions([stack.images, stack.labels, *batch, *model.state_dict(keep_vars=True).values(), *self.last])
            self.mode.__enter__()
        def before_fit(self): self.last = []
    class Answer(Callback):
        order = 100
        def after_batch(self):
            self.learn.ask.mode.__exit__(None, None, None)
            self.learn.ask.last = [model.guessed] if torch.is_tensor(model.guessed) else []
            if self.learn.alternate.step < len(plan) - 1: found.extend(self.learn.ask.mode.found)
    learn = joint.learner(model, Streams(stack), plan, epoch=len(plan), cbs=[Ask(), Answer()])
    with runs.quiet(learn):
        assert not hasattr(learn, 'recorder')
        learn.fit(1)
    return found


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('name', ['supervised', 'mean_teacher', 'deepatlas'])
def test_asks_nothing(monkeypatch, name): assert questions(name, monkeypatch) == []


@pytest.mark.filterwarnings('ignore')
def test_questions_are_found(monkeypatch):
    "Masks leave items out, and how many are left is asked"
    assert questions('unisegreg', monkeypatch, votes=1)
