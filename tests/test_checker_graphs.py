"""Submissions that build a graph or write a tape, driven without a sandbox: what starts their backward."""

import pytest
import torch
from test_checker_driver import driver
from torch.nn import functional as F

from checker.driving import whole

# Plain functions; each style below puts them into a graph of its own.
MATHEMATICS = """
from torch import empty
from torch.nn.functional import fold, unfold

def convolved(x, w, b, s, p):
    o, _, k, _ = w.shape
    size = [(n + 2 * p - k) // s + 1 for n in x.shape[2:]]
    return (w.view(o, -1) @ unfold(x, k, stride=s, padding=p) + b.view(-1, 1)).view(len(x), o, *size)

def convolution_back(x, w, b, s, p, g):
    o, _, k, _ = w.shape
    g, columns = g.reshape(len(x), o, -1), unfold(x, k, stride=s, padding=p)
    dw = (g @ columns.transpose(1, 2)).sum(0).view(w.shape)
    return fold(w.view(o, -1).t() @ g, x.shape[2:], k, stride=s, padding=p), dw, g.sum((0, 2))

def weights(i, o, k):
    return empty(o, i, k, k).uniform_(-1, 1), empty(o).uniform_(-1, 1)

class Sequential:
    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def param(self):
        return [p for layer in self.layers for p in layer.param()]
"""
MODEL = """
class Model:
    def __init__(self):
        self.net = Sequential(Conv2d(3, 8, 3), ReLU())
"""
NODES = """
class Conv2d:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.w, self.b = map(Cell, weights(in_channels, out_channels, kernel_size))
        self.s, self.p = stride, padding

    def forward(self, x):
        x = x if isinstance(x, Cell) else Cell(x)
        sizes = self.s, self.p
        y = convolved(x.array, self.w.array, self.b.array, *sizes)

        def pull(g):
            dx, dw, db = convolution_back(x.array, self.w.array, self.b.array, *sizes, g)
            return (x, dx), (self.w, dw), (self.b, db)
        return join(y, pull)

    def param(self):
        return [self.w, self.b]

class ReLU:
    def forward(self, x):
        x = x if isinstance(x, Cell) else Cell(x)
        return join(x.array.clamp(min=0), lambda g: [(x, g * (x.array > 0))])

    def param(self):
        return []

class MSE:
    def forward(self, x, t):
        x, t = (one if isinstance(one, Cell) else Cell(one) for one in (x, t))
        d = x.array - t.array
        return join((d * d).mean(), lambda g: [(x, g * 2 * d / d.numel())])

class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = params, lr

    def step(self):
        for p in self.params:
            p.array = p.array - self.lr * p.bar
"""
CELL = """
class Cell:
    __slots__ = "array", "bar", "pull"

    def __init__(self, array, pull=None):
        self.array, self.bar, self.pull = array, None, pull

    def take(self, g):
        self.bar = g if self.bar is None else self.bar + g

def join(y, pull):
    return Cell(y, pull)
"""
ORDER = """
def in_order(cell, found):
    if cell not in found and cell.pull:
        for one, _ in cell.pull(cell.array * 0):
            in_order(one, found)
        found.append(cell)
    return found
"""
REVERSE = """
def reverse(loss):
    loss.bar = loss.array * 0 + 1
    for cell in in_order(loss, [])[::-1]:
        for one, g in cell.pull(cell.bar):
            one.take(g)
"""
HISTORY = """
HISTORY = []

def join(y, pull):
    HISTORY.append(Cell(y, pull))
    return HISTORY[-1]

class Machine:
    def unwind(self, last, seed=None):
        last.take(last.array * 0 + 1 if seed is None else seed)
        while HISTORY:
            cell = HISTORY.pop()
            for one, g in cell.pull(cell.bar) if cell.bar is not None else ():
                one.take(g)

machine = Machine()
"""
GRAD = """
def grad(loss, params):
    bars = {loss: loss.array * 0 + 1}
    for cell in in_order(loss, [])[::-1]:
        for one, g in cell.pull(bars[cell]):
            bars[one] = bars[one] + g if one in bars else g
    return RETURNED
"""
GIVEN = """
    def step(self, grads):
        for p, g in zip(self.params, PAIRED):
            p.array = p.array - self.lr * g
"""
OWN_STEP = NODES[NODES.index("\n    def step") :]
OPENED = """
class GradTape:
    current = None

    def __init__(self):
        self.cells = []

    def __enter__(self):
        GradTape.current = self
        return self

    def __exit__(self, *_):
        GradTape.current = None

    def gradient(self, target, sources):
        bars = {target: target.array * 0 + 1}
        for cell in self.cells[::-1]:
            for one, g in cell.pull(bars[cell]) if cell in bars else ():
                bars[one] = bars[one] + g if one in bars else g
        return [bars.get(one) for one in sources]

def join(y, pull):
    cell = Cell(y, pull)
    if GradTape.current is not None:
        GradTape.current.cells.append(cell)
    return cell
"""
HANDED = """
class Tape:
    def __init__(self):
        self.cells = []

    def join(self, y, pull):
        self.cells.append(Cell(y, pull))
        return self.cells[-1]

    def back(self, loss):
        loss.take(loss.array * 0 + 1)
        for cell in self.cells[::-1]:
            for one, g in cell.pull(cell.bar) if cell.bar is not None else ():
                one.take(g)
"""


def handed(source: str) -> str:
    """The same with a tape that is handed to every forward."""
    source = source.replace("def forward(self, x)", "def forward(self, x, tape)").replace(
        "(self, x, t)", "(self, x, t, tape)"
    )
    return source.replace("return join(", "return tape.join(").replace("layer.forward(x)", "layer.forward(x, tape)")


PAIRS = """
class Conv2d:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.w, self.b = weights(in_channels, out_channels, kernel_size)
        self.dw, self.db = self.w * 0, self.b * 0
        self.s, self.p = stride, padding

    def forward(self, x):
        def pull(g):
            dx, dw, db = convolution_back(x, self.w, self.b, self.s, self.p, g)
            self.dw += dw
            self.db += db
            return dx
        return convolved(x, self.w, self.b, self.s, self.p), pull

    def param(self):
        return [(self.w, self.dw), (self.b, self.db)]

class ReLU:
    def forward(self, x):
        return x.clamp(min=0), lambda g: g * (x > 0)

    def param(self):
        return []

class Sequential:
    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        pulls = []
        for layer in self.layers:
            x, pull = layer.forward(x)
            pulls.append(pull)

        def all_of_them(g):
            for pull in pulls[::-1]:
                g = pull(g)
            return g
        return x, all_of_them

    def param(self):
        return [p for layer in self.layers for p in layer.param()]

class MSE:
    def forward(self, x, t):
        return ((x - t) ** 2).mean(), lambda g=1.0: g * 2 * (x - t) / x.numel()

class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = params, lr

    def step(self):
        for w, g in self.params:
            w -= self.lr * g
"""
YIELDS = (
    (
        "        def pull(g):\n            dx,",
        "        g = yield convolved(x, self.w, self.b, self.s, self.p)\n        if True:\n            dx,",
    ),
    (
        "            return dx\n        return convolved(x, self.w, self.b, self.s, self.p), pull",
        "            yield dx",
    ),
    ("return x.clamp(min=0), lambda g: g * (x > 0)", "g = yield x.clamp(min=0)\n        yield g * (x > 0)"),
    (
        "            x, pull = layer.forward(x)\n            pulls.append(pull)",
        "            pulls.append(layer.forward(x))\n            x = next(pulls[-1])",
    ),
    ("        def all_of_them(g):\n            for", "        g = yield x\n        if True:\n            for"),
    ("g = pull(g)\n            return g\n        return x, all_of_them", "g = pull.send(g)\n        yield g"),
    (
        "return ((x - t) ** 2).mean(), lambda g=1.0: g * 2 * (x - t) / x.numel()",
        "yield ((x - t) ** 2).mean()\n        yield 2 * (x - t) / x.numel()",
    ),
)


def edited(source: str, *edits: tuple[str, str]) -> str:
    for old, new in edits:
        assert old in source, old
        source = source.replace(old, new)
    return source


def returning(gradients: str, pairs: str, *more: str) -> str:
    """A style whose grad() returns the gradients, which a step is given."""
    return (
        MATHEMATICS
        + CELL
        + ORDER
        + GRAD.replace("RETURNED", gradients)
        + edited(NODES, (OWN_STEP, GIVEN.replace("PAIRED", pairs)))
        + MODEL
    )


STYLES = {
    "a function of the loss": MATHEMATICS + CELL + ORDER + REVERSE + NODES + MODEL,
    "an engine, from any node": MATHEMATICS + CELL + HISTORY + NODES + MODEL,
    "a list of gradients": returning("[bars[p] for p in params]", "grads"),
    "gradients by their parameters": returning("bars", "[grads[p] for p in self.params]"),
    "a tape that is opened": MATHEMATICS
    + CELL
    + OPENED
    + edited(NODES, (OWN_STEP, GIVEN.replace("PAIRED", "grads")))
    + MODEL,
    "a tape that is handed on": handed(MATHEMATICS + CELL + HANDED + NODES + MODEL),
    "pairs with a pullback": MATHEMATICS + PAIRS + MODEL,
    "coroutines": MATHEMATICS + edited(PAIRS, *YIELDS) + MODEL,
}
DEFECTS = {
    "input": ("return fold(", "return 2 * fold("),
    "weight": ("dw = (g @ columns.transpose(1, 2)).sum(0)", "dw = (g @ columns.transpose(1, 2))[-1]"),
    "mask": (" > 0)", " > 1)"),
}


@torch.no_grad()
def errors(folder, source: str) -> dict[str, float]:
    """How far a convolution, a ReLU and the loss of a style are from torch; infinite for what is missing."""
    folder.mkdir()
    own = driver(folder, source)
    conv, relu = own.module("Conv2d", [3, 5, 3], {"stride": 2, "padding": 1}), own.module("ReLU", [], {})
    x, weight, bias = torch.randn(2, 3, 7, 9), torch.randn(5, 3, 3, 3), torch.randn(5)
    conv.assign({"weight": weight, "bias": bias})
    y = conv.forward(x).clone()
    grad_y = torch.randn(y.shape)
    found = {"forward": y, "input": conv.backward(grad_y)} | conv.gradients()
    positive = relu.forward(y).clone()
    found |= {"relu": positive, "mask": relu.backward(grad_y)}
    loss = own.loss()
    loss.forward(y, grad_y)
    found["loss"] = loss.gradient()
    leaves = [t.double().requires_grad_() for t in (x, weight, bias)]
    with torch.enable_grad():
        expected = F.conv2d(*leaves, stride=2, padding=1)
        expected.backward(grad_y.double())
    right = {"forward": expected, "input": leaves[0].grad, "weight": leaves[1].grad, "bias": leaves[2].grad}
    right |= {"relu": y.clamp(min=0), "mask": grad_y * (y > 0), "loss": 2 * (y - grad_y) / y.numel()}
    return {
        part: float((found[part] - value).abs().max()) if isinstance(found.get(part), torch.Tensor) else torch.inf
        for part, value in right.items()
    }


@pytest.mark.parametrize("name", STYLES)
def test_a_graph_is_driven_as_its_author_does_and_a_wrong_gradient_shows(name, tmp_path):
    found = errors(tmp_path / "right", STYLES[name])
    assert max(found.values()) < 1e-4, found
    wrong = STYLES[name]
    for old, new in DEFECTS.values():
        assert old in wrong
        wrong = wrong.replace(old, new)
    found = errors(tmp_path / "wrong", wrong)
    assert all((error > 0.01) == (part in DEFECTS) for part, error in found.items()), found


def test_a_network_passes_gradients_on_to_all_its_layers_where_a_function_starts_them(tmp_path):
    with torch.no_grad():
        own = driver(tmp_path, STYLES["gradients by their parameters"])
        layers = [
            own.module(*one) for one in (("Conv2d", [3, 4, 3], {}), ("ReLU", [], {}), ("Conv2d", [4, 3, 3], {}))
        ]
        for layer in (layers[0], layers[2]):
            layer.assign({"weight": torch.randn(layer.shapes["weight"]), "bias": torch.zeros(layer.shapes["bias"])})
        x, grad_y = torch.randn(2, 3, 8, 8), torch.randn(2, 3, 4, 4)
        found = own.network(layers).run(x, grad_y)
    first, second = (layers[i].parameters()["weight"].double().requires_grad_() for i in (0, 2))
    x = x.double().requires_grad_()
    F.conv2d(F.conv2d(x, first).relu(), second).backward(grad_y.double())
    for part, leaf in (("input", x), ("weight 1", first), ("weight 2", second)):
        torch.testing.assert_close(found[part].double(), leaf.grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["a list of gradients", "gradients by their parameters", "a tape that is handed on"])
def test_a_step_gets_the_gradients_as_the_start_of_the_backward_returned_them(name, tmp_path):
    with torch.no_grad():
        own = driver(tmp_path, STYLES[name])
        conv = own.module("Conv2d", [3, 5, 3], {})
        optimiser = own.optimiser(conv, lr=0.5)
        y = conv.forward(torch.randn(2, 3, 6, 6))
        conv.backward(torch.randn(y.shape))
        before, gradients = conv.parameters(), conv.gradients()
        before = {part: value.clone() for part, value in before.items()}
        optimiser.step()
        for part, value in conv.parameters().items():
            torch.testing.assert_close(value, before[part] - 0.5 * gradients[part], rtol=1e-4, atol=1e-5)


TRAINED = """
class Model:
    def __init__(self):
        self.net = Sequential(Conv2d(3, 3, 3, 1, 1), ReLU())

    def predict(self, x):
        y = self.net.forward(x.float()).array
        HISTORY.clear()
        return y

    def train(self, x, t, epochs):
        machine.unwind(MSE().forward(self.net.forward(x.float()), t.float()))
        SGD(self.net.param(), 0.1).step()
"""


def test_a_step_of_training_finds_the_tape_as_the_author_does_whatever_was_tried_before(tmp_path):
    own = driver(tmp_path, edited(STYLES["an engine, from any node"], (MODEL, TRAINED)))
    history = own.classes.modules[0].HISTORY
    history.append("what no backward can walk")
    with torch.no_grad():
        seen = whole.step(own, torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8), 0, 1, 1.0, "all", False)
    assert len(seen["parameters"]) == 2
    assert all(not torch.equal(before, after) for _, before, after in seen["parameters"])
    assert history == ["what no backward can walk"]
