"""How submissions keep what they need, driven without a sandbox: shared tapes, joined matrices, names."""

import importlib.util
import sys

import pytest
import torch
from torch.nn import functional as F

from checker.driving import building, gradients, methods
from checker.driving.driver import Driver
from checker.driving.state import State

CONVOLUTION = """
from torch.nn.functional import fold, unfold
from torch import empty

class Conv2d:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.c, self.k, self.s, self.p = in_channels, kernel_size, stride, padding
        {make}

    def {forward}(self, x):
        self.x = unfold(x, self.k, stride=self.s, padding=self.p)
        self.hw = x.shape[2:]
        size = [(n + 2 * self.p - self.k) // self.s + 1 for n in self.hw]
        w, b = self.parts()
        return (w @ self.x + b.view(-1, 1)).view(len(x), -1, *size)

    def {backward}(self, g):
        g = g.flatten(2)
        w, b = self.parts()
        self.add((g @ self.x.transpose(1, 2)).sum(0), g.sum((0, 2)))
        dx = fold(w.t() @ g, self.hw, self.k, stride=self.s, padding=self.p)
        {end}
"""
JOINED = """
    def parts(self):
        return self.theta[:, :-1], self.theta[:, -1]

    def add(self, w, b):
        self.dtheta[:, :-1] += w
        self.dtheta[:, -1] += b

    def param(self):
        return [(self.theta, self.dtheta)]
"""
APART = """
    def parts(self):
        return self.w, self.b

    def add(self, w, b):
        self.dw.append(w)
        self.db.append(b)

    def params(self):
        return [self.w, self.b]

    def gradients(self):
        return [sum(self.dw), sum(self.db)]
"""
MAKE_JOINED = (
    "self.theta = empty(out_channels, in_channels * kernel_size**2 + 1).normal_(); self.dtheta = self.theta * 0"
)
MAKE_APART = (
    "self.w = empty(out_channels, in_channels * kernel_size**2).normal_(); self.b = self.w[:, 0].clone(); "
    "self.dw, self.db = [], []"
)
FRENCH = {"forward": "avant", "backward": "retropropager", "end": "return dx"}
NAMES = {"forward": "forward", "backward": "backward", "end": "return dx"}
SOURCES = {
    "one matrix": CONVOLUTION.format(make=MAKE_JOINED, **NAMES) + JOINED,
    "gradients listed by a method": CONVOLUTION.format(make=MAKE_APART, **NAMES) + APART,
    "input's gradient kept": CONVOLUTION.format(make=MAKE_APART, **NAMES | {"end": "self.dx = dx"}) + APART,
    "in French": CONVOLUTION.format(make=MAKE_APART, **FRENCH) + APART,
    "float64": CONVOLUTION.format(make=MAKE_JOINED.replace(".normal_()", ".double().normal_()"), **NAMES) + JOINED,
}  # fmt: skip


def driver(folder, source: str) -> Driver:
    path = folder / "submission.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(f"submission_{folder.name}", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Driver(module, str(folder))


@pytest.mark.parametrize("name", SOURCES)
def test_a_convolution_is_driven_however_it_keeps_its_parameters(name, tmp_path):
    with torch.no_grad():
        conv = driver(tmp_path, SOURCES[name]).module("Conv2d", [3, 5, 3], {"stride": 2, "padding": 1})
        x, weight, bias = torch.randn(2, 3, 7, 9), torch.randn(5, 3, 3, 3), torch.randn(5)
        assert conv.assign({"weight": weight, "bias": bias})["weight"].float().equal(weight)
        y = conv.forward(x).clone()
        grad_y = torch.randn(y.shape)
        grad_x = conv.backward(grad_y)
        found = conv.gradients()
    leaves = [t.double().requires_grad_() for t in (x, weight, bias)]
    expected = F.conv2d(*leaves, stride=2, padding=1)
    expected.backward(grad_y.double())
    answers = y, grad_x, found["weight"], found["bias"]
    for got, right in zip(answers, (expected, *(t.grad for t in leaves)), strict=True):
        torch.testing.assert_close(got.double(), right.detach(), rtol=1e-4, atol=1e-4)


class Tape:
    def __init__(self):
        self.entries, self.depth = [], 0


def test_what_a_forward_without_a_backward_leaves_is_taken_out_and_what_came_later_stays():
    module = type(sys)("submission")
    module.TAPE, module.ALL, module.COUNT, module.tape = ["old"], [], 0, Tape()
    state = State([module], lambda kind: kind is Tape)
    tape = module.TAPE
    tape.append("forward")
    module.tape.entries.append("forward")
    module.COUNT = module.tape.depth = 1
    state.end()
    module.ALL.append("built later")
    state.put_back()
    assert module.TAPE is tape == ["old"]
    assert module.tape.entries == []
    assert module.tape.depth == module.COUNT == 0
    assert module.ALL == ["built later"]


METHODS = {
    "torch's": (("forward", "backward", "step"), ("forward", "backward", "step")),
    "short": (("fwd", "bwd", "update"), ("fwd", "bwd", "update")),
    "French": (("avant", "retropropager", "pas"), ("avant", "retropropager", "pas")),
    "what is left": (("forward", "umgekehrt"), ("forward", "umgekehrt", None)),
    "none": (("forward", "set_mode", "load_from"), ("forward", None, None)),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_known_by_other_names(name):
    named, expected = METHODS[name]
    one = type("One", (), {own: lambda self, x: x for own in named})()
    assert tuple(methods.name_of(one, role) for role in ("forward", "backward", "step")) == expected


def test_arguments_whose_names_say_nothing_are_torchs_in_order():
    given, defaults = {"in_channels": 3, "out_channels": 5, "kernel_size": 4}, {"stride": 1, "padding": 0}
    for function in (
        lambda foo, bar, baz, qux=1, quux=0: (foo, bar, baz, qux, quux),
        lambda entrees, sorties, noyau, pas=1, marge=0: (entrees, sorties, noyau, pas, marge),
        lambda foo, bar, baz, pad=0, stride=1: (foo, bar, baz, stride, pad),
    ):
        assert building.build(function, given | {"stride": 2, "padding": 1}, defaults) == (3, 5, 4, 2, 1)


def test_nested_gradients_are_flat_in_their_order():
    a, b, c = (torch.full((1,), i) for i in range(3))
    assert gradients.flat([[a, (b,)], None, c]) == [a, b, c]


RECORDS = """import torch
ops = []
class SGD:
    def __init__(self, params, lr=0.1): pass
class ReLU:
    def forward(self, x):
        ops.append(lambda g: g * x.gt(0))
        return x.relu()
    def backward(self, g): return ops.pop()(g)
"""


def test_the_search_for_a_class_of_tensors_leaves_nothing_on_a_tape(tmp_path):
    made = driver(tmp_path, RECORDS)
    assert made.tensor_class is None
    assert [module.ops for module in made.classes.modules] == [[]]


TOLD = """import torch
class ReLU:
    def forward(self, x):
        self.on = x > 0
        return x * self.on
    def backward(self, g): return g * self.on
class Sequential:
    def __init__(self, *layers): self.layers = layers
    def forward(self, x):
        for layer in self.layers: x = layer.forward(x)
        return x
    def backward(self, g):
        for layer in self.layers[::-1]: g = layer.backward(g)
class MSE:
    def __init__(self, model=None): self.model = model
    def forward(self, x, target):
        self.d = x - target
        return self.d.pow(2).mean()
    def backward(self): self.model.backward(2 * self.d / self.d.numel())
"""


@torch.no_grad()
@pytest.mark.parametrize("sign", [1, -1])
def test_a_loss_that_may_be_told_its_network_is_told_it_and_a_wrong_sign_shows(sign, tmp_path):
    made = driver(tmp_path, TOLD.replace("2 * self.d", f"{2 * sign} * self.d"))
    x, target = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    found = made.loss().gradient_in_a_network(x, target)
    torch.testing.assert_close(found, sign * 2 * (x - target) / x.numel(), rtol=1e-4, atol=1e-5)
