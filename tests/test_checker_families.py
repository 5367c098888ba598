"""Families of submissions, driven without a sandbox: tapes, constructors that insist on more, backwards that step."""

import pytest
import torch
from test_checker_driver import driver
from torch.nn import functional as F

# A convolution, an activation, a loss, an optimiser and a network; each family below puts other text in their places.
PLAIN = """
import copy
from torch import empty
from torch.nn.functional import fold, unfold

HEAD = None

class Conv2d:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.make(in_channels, out_channels, kernel_size, stride, padding)

    def make(self, c, o, k, s, p):
        self.k, self.s, self.p = k, s, p
        self.w, self.b = empty(o, c * k * k).uniform_(-1, 1), empty(o).uniform_(-1, 1)
        self.dw, self.db = self.w * 0, self.b * 0

    def forward(self, x):
        self.x, self.hw = unfold(x, self.k, stride=self.s, padding=self.p), x.shape[2:]
        size = [(n + 2 * self.p - self.k) // self.s + 1 for n in self.hw]
        return (self.w @ self.x + self.b.view(-1, 1)).view(len(x), -1, *size)

    def backward(self, g):
        g = g.flatten(2)
        dx = fold(self.w.t() @ g, self.hw, self.k, stride=self.s, padding=self.p)
        self.got((g @ self.x.transpose(1, 2)).sum(0), g.sum((0, 2)))
        return dx

    def got(self, dw, db):
        self.dw += dw
        self.db += db

    def param(self):
        return [(self.w, self.dw), (self.b, self.db)]

class ReLU:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, g):
        return g * self.mask

    def param(self):
        return []

class Sequential:
    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, g):
        for layer in self.layers[::-1]:
            g = layer.backward(g)
        return g

    def param(self):
        return [pair for layer in self.layers for pair in layer.param()]

class MSE:
    def forward(self, x, t):
        self.d = x - t
        return self.d.pow(2).mean()

    def backward(self):
        return 2 * self.d / self.d.numel()

class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = params, lr

    def step(self):
        for w, g in self.params:
            w -= self.lr * g

class Model:
    def __init__(self):
        self.net = Sequential(Conv2d(3, 8, 3), ReLU())
"""
CONSTRUCTOR = """    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.make(in_channels, out_channels, kernel_size, stride, padding)
"""
MADE = "Conv2d(3, 8, 3)"
ADDS = "        self.dw += dw\n        self.db += db\n"
RETURNED = "return dx"


def constructor(arguments: str, made: str, call="a, b, kernel_size, stride, padding", more="pass"):
    """The edits that give the convolution other arguments, and the Model one of it."""
    text = f"    def __init__(self, {arguments}):\n        self.make({call})\n        {more}\n"
    return (CONSTRUCTOR, text), (MADE, made)


REST = "kernel_size, stride=1, padding=0"
STRICT = (
    "    def forward(self, x):\n        self.x,",
    "    def forward(self, x):\n        assert x.shape[2:] == self.size, x.shape\n        self.x,",
)
IN_ORDER = "in_channels, out_channels, kernel_size, stride, padding"
CONSTRUCTORS = {
    "channels exchanged": constructor(
        f"nodes, depth, {REST}", "Conv2d(8, 3, 3)", "depth, nodes, kernel_size, stride, padding"
    ),
    "size of the input": (
        *constructor(
            "n_out, n_in, kernel_size, input_size, stride=1, padding=0",
            "Conv2d(8, 3, 3, (32, 32))",
            "n_in, n_out, kernel_size, stride, padding",
            "self.size = tuple(input_size)",
        ),
        STRICT,
    ),
    "channels in the size": (
        *constructor(
            "filters, kernel_size, input_shape, stride=1, padding=0",
            "Conv2d(8, 3, (3, 32, 32))",
            "input_shape[0], filters, kernel_size, stride, padding",
            "self.size = tuple(input_shape[1:])",
        ),
        STRICT,
    ),
    "height and width": (
        *constructor(
            f"in_channels, out_channels, height, width, {REST}",
            "Conv2d(3, 8, 32, 32, 3)",
            IN_ORDER,
            "self.size = (height, width)",
        ),
        STRICT,
    ),
    "an initialiser": (
        *constructor(
            f"in_channels, out_channels, init, {REST}", "Conv2d(3, 8, Init(), 3)", IN_ORDER, "init.fill(self.w)"
        ),
        ("HEAD = None", "class Init:\n    def fill(self, w):\n        w.normal_()"),
    ),
}

TAPE = """
class Tape:
    def __init__(self):
        self.entries = []

    def walk(self, g):
        while self.entries:
            g = self.entries.pop()(g)

TAPE = Tape()
"""
WALKS = (
    ("HEAD = None", TAPE),
    ("return 2 * self.d / self.d.numel()", "TAPE.walk(2 * self.d / self.d.numel())"),
    ("        for layer in self.layers:\n", "        TAPE.entries = []\n        for layer in self.layers:\n"),
    (
        "        for layer in self.layers[::-1]:\n            g = layer.backward(g)\n        return g\n",
        "        raise RuntimeError('call backward() of the loss')\n",
    ),
)
CONV, RELU = (
    "def backward(self, g):\n        g = g.flatten(2)",
    "def backward(self, g):\n        return g * self.mask",
)


def tape(conv: str, relu: str, *more):
    """The edits that have a convolution and a ReLU put these on the tape in their forward passes."""
    return (
        *WALKS,
        ("        return (self.w @ self.x", f"        TAPE.entries.append({conv})\n        return (self.w @ self.x"),
        ("        return x * self.mask", f"        TAPE.entries.append({relu})\n        return x * self.mask"),
        *more,
    )


PULL = """def recorded(self):
        def pull(g):
            return PULLS[0](self, g)
        return pull

    def inner(self, g):
        g = g.flatten(2)"""
TAPES = {
    "inner methods": tape(
        "self._backward", "self._backward", (CONV, CONV.replace("b", "_b", 1)), (RELU, RELU.replace("b", "_b", 1))
    ),
    "closures": tape(
        "self.recorded()",
        "lambda g, mask=self.mask: g * mask",
        (CONV, PULL),
        (RELU, "pass"),
        ("class ReLU:", "PULLS = [Conv2d.inner]\ndel Conv2d.inner\n\nclass ReLU:"),
    ),
}

OWN_SGD = """    def __init__(self, params, lr):
        self.params, self.lr = params, lr

    def step(self):
        for w, g in self.params:
            w -= self.lr * g
"""
EACH = """    def __init__(self, lr, momentum=0.9):
        self.lr, self.m, self.v = lr, momentum, 0

    def update(self, w, g):
        self.v = self.m * self.v + g
        return w - self.lr * self.v
"""
STARTS = "self.opt_w, self.opt_b = copy.copy(optimizer), copy.copy(optimizer)"
UPDATES = "        self.w, self.b = self.opt_w.update(self.w, dw), self.opt_b.update(self.b, db)\n"
START = """    def initialize(self, optimizer):
        self.opt_w, self.opt_b = copy.copy(optimizer), copy.copy(optimizer)

    def forward(self, x):
        self.x,"""
LAYERS = """    def __init__(self, *layers):
        self.layers = list(layers)
"""
ADD = """    def __init__(self, optimizer, loss):
        self.optimizer, self.layers = optimizer, []

    def add(self, layer):
        if hasattr(layer, 'initialize'):
            layer.initialize(self.optimizer)
        self.layers.append(layer)
"""
ADDED = "self.net = Sequential(SGD(0.1), MSE)\n        self.net.add(Conv2d(3, 8, 3))\n        self.net.add(ReLU())"
COMPILE = f"""{LAYERS}
    def compile(self, optimizer):
        for layer in self.layers:
            layer.opt_w, layer.opt_b = copy.deepcopy(optimizer), copy.deepcopy(optimizer)
"""


def by(rate: str):
    return ADDS, f"        self.w -= {rate} * dw\n        self.b -= {rate} * db\n"


STEPS = {
    "an optimiser for each weight, from the network": (
        (OWN_SGD, EACH),
        (ADDS, UPDATES),
        ("    def forward(self, x):\n        self.x,", START),
        (LAYERS, ADD),
        ("self.net = Sequential(Conv2d(3, 8, 3), ReLU())", ADDED),
    ),
    "an optimiser for each weight, from compile()": (
        (OWN_SGD, EACH),
        (ADDS, UPDATES),
        (LAYERS, COMPILE),
        ("ReLU())\n", "ReLU())\n        self.net.compile(SGD(lr=0.1))\n"),
    ),
    "an optimiser for each layer": (
        *constructor(f"in_channels, out_channels, optimizer, {REST}", "Conv2d(3, 8, SGD(0.1), 3)", IN_ORDER, STARTS),
        (OWN_SGD, EACH),
        (ADDS, UPDATES),
    ),
    "a rate of the layer": (
        by("self.lr"),
        ("        self.k, self.s", "        self.lr = 0.01\n        self.k, self.s"),
    ),
    "a global rate": (by("LEARNING_RATE"), ("HEAD = None", "LEARNING_RATE = 0.01")),
    "a rate that may be left out": (by("self.lr"), (CONV, CONV.replace("g):", "g, lr=0.01):\n        self.lr = lr"))),
}
FAMILIES = CONSTRUCTORS | TAPES | STEPS


def edited(*edits: tuple[str, str]) -> str:
    source = PLAIN
    for old, new in edits:
        assert old in source, old
        source = source.replace(old, new)
    return source


@torch.no_grad()
def errors(folder, source: str) -> dict[str, float]:
    """How far forward and gradients of a convolution of the source are from torch's; infinite for what is missing."""
    folder.mkdir()
    conv = driver(folder, source).module(
        "Conv2d", [3, 5, 3], {"stride": 2, "padding": 1, "input_shape": (2, 3, 7, 9)}
    )
    x, weight, bias = torch.randn(2, 3, 7, 9), torch.randn(5, 3, 3, 3), torch.randn(5)
    there = conv.assign({"weight": weight, "bias": bias})
    assert all(torch.equal(there[name], value) for name, value in (("weight", weight), ("bias", bias)))
    y = conv.forward(x).clone()
    grad_y = torch.randn(y.shape)
    found = {"forward": y, "input": conv.backward(grad_y)} | conv.gradients()
    leaves = [t.double().requires_grad_() for t in (x, weight, bias)]
    with torch.enable_grad():
        expected = F.conv2d(*leaves, stride=2, padding=1)
        expected.backward(grad_y.double())
    right = {"forward": expected, "input": leaves[0].grad, "weight": leaves[1].grad, "bias": leaves[2].grad}
    return {
        part: float((found[part] - value).abs().max()) if isinstance(found.get(part), torch.Tensor) else torch.inf
        for part, value in right.items()
    }


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_driven_as_its_author_does_and_a_wrong_gradient_shows(name, tmp_path):
    found = errors(tmp_path / "right", edited(*FAMILIES[name]))
    assert max(found.values()) < 1e-4, found
    wrong = edited(*FAMILIES[name], (RETURNED, f"{RETURNED} * 2"))
    found = errors(tmp_path / "wrong", wrong)
    assert found["input"] > 0.1, found
    assert max(error for part, error in found.items() if part != "input") < 1e-4, found


LOSS = """    def forward(self, x, t):
        self.d = x - t
        return self.d.pow(2).mean()

    def backward(self):
        return 2 * self.d / self.d.numel()
"""
LOSSES = {  # (names and arguments of the two methods; the gradient is 2 · (prediction − target) / number)
    "loss, gradient": ("loss(self, y, y_pred)", "gradient(self, y, y_pred)"),
    "__call__, grad": ("__call__(self, y_hat, y)", "grad(self, y_hat, y)"),
    "forward, derivative": ("forward(self, x, t)", "derivative(self, x, t)"),
    "compute, compute_gradient": ("compute(self, pred, target)", "compute_gradient(self, pred, target)"),
    "calc_loss, dloss": ("calc_loss(self, pred, target)", "dloss(self, pred, target)"),
    "mse, mse_prime": ("mse(self, y_true, y_pred)", "mse_prime(self, y_true, y_pred)"),
    "error, delta": ("error(self, out, expected)", "delta(self, out, expected)"),
}
TARGETS = "y", "target", "t", "y_true", "expected"


@pytest.mark.parametrize("name", LOSSES)
@torch.no_grad()
def test_a_loss_is_driven_by_its_own_methods_and_a_wrong_sign_shows(name, tmp_path):
    arguments = LOSSES[name][0].partition("self, ")[2].rstrip(")").split(", ")
    target = next(argument for argument in arguments if argument in TARGETS)
    d = f"({next(argument for argument in arguments if argument != target)} - {target})"
    prediction, wanted = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    for sign in (1, -1):
        own = (
            f"    def {LOSSES[name][0]}:\n        return {d}.pow(2).mean()\n\n"
            f"    def {LOSSES[name][1]}:\n        return {sign * 2} * {d} / {target}.numel()\n"
        )
        folder = tmp_path / f"sign{sign}"
        folder.mkdir()
        loss = driver(folder, edited((LOSS, own))).loss()
        torch.testing.assert_close(loss.forward(prediction, wanted), (prediction - wanted).square().mean())
        torch.testing.assert_close(loss.gradient(), sign * 2 * (prediction - wanted) / wanted.numel())


@torch.no_grad()
def test_a_loss_without_a_gradient_is_not_asked_for_autograds(tmp_path):
    own = "    def forward(self, x, t):\n        return (x - t).pow(2).mean()\n"
    one = driver(tmp_path, edited((LOSS, own)))
    loss = one.loss()
    loss.forward(torch.ones(1, 2), torch.zeros(1, 2))
    with pytest.raises(one.Undriven):
        loss.gradient()
