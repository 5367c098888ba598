"""Manners of stepping and of putting modules together: the driver, in this process, on the textbook submission."""

import importlib
import itertools
import sys

import pytest
import torch
from checker_support import textbook

from checker.driving import growing
from checker.driving.driver import Driver

MODULES, MODEL = "others/modules.py", "model.py"
LR = 0.05
numbers = itertools.count()


def driver_of(folder, *edits):
    """The driver of the textbook submission with edits (file, text, text in its place)."""
    package = textbook(folder, *edits).joinpath("Proj_2").rename(folder / f"driven_{next(numbers)}")
    sys.path.insert(0, str(folder))
    try:
        return Driver(importlib.import_module(f"{package.name}.model"), str(folder))
    finally:
        sys.path.remove(str(folder))


def with_sgd(source):
    """The edit that puts another optimiser in place of the textbook's."""
    return (MODULES, "class SGD:", source + "\n\nclass Before:")


UPDATE = "for w, g in pairs:\n            w -= self.lr * g\n"
KEEPS_RATE = "def __init__(self, lr):\n        self.lr = lr\n"
KEEPS_NET = "def __init__(self, net, lr):\n        self.net, self.lr = net, lr\n"
OPTIMISERS = {
    "the step does the backward": f"""
    {KEEPS_NET}
    def step(self, grad):
        for _, g in self.net.param():
            g.zero_()
        self.net.backward(grad)
        pairs = self.net.param()
        {UPDATE}""",
    "the step does the backward of the loss that it is given": f"""
    {KEEPS_RATE}
    def update(self, net, loss):
        for _, g in net.param():
            g.zero_()
        net.backward(loss.backward())
        pairs = net.param()
        {UPDATE}""",
    "the loss is the optimiser's": f"""
    def __init__(self, model, criterion, learning_rate):
        self.model, self.criterion, self.lr = model, criterion, learning_rate

    def step(self):
        self.model.backward(self.criterion.backward())
        pairs = self.model.param()
        {UPDATE}        self.model.zero_grad()""",
    "the step zeroes": f"""
    {KEEPS_RATE}
    def step(self, net):
        pairs = net.param()
        {UPDATE}        net.zero_grad()""",
    "the step divides by the batch that it is told": f"""
    {KEEPS_NET}
    def step(self, batch_size):
        pairs = [(w, g / batch_size) for w, g in self.net.param()]
        {UPDATE}""",
    "every weight by itself": """
    def __init__(self, lr, momentum):
        self.lr, self.momentum, self.v = lr, momentum, None

    def update(self, w, grad_wrt_w):
        self.v = grad_wrt_w if self.v is None else self.momentum * self.v + grad_wrt_w
        g = self.v
        w = w.clone()
        w -= self.lr * g
        return w
""",
    "the step gets the rate": """
    def step(self, params, lr):
        self.lr = lr
        for w, g in params:
            w -= self.lr * g
""",
    "the method is passed, not what it lists": f"""
    def __init__(self, get_pairs, lr):
        get_pairs()
        self.parameters, self.lr = get_pairs, lr

    def step(self):
        pairs = self.parameters()
        {UPDATE}""",
}


def step_of(driver):
    """(what a step at the rate LR moves the weights by, what it should)"""
    conv = driver.module("Conv2d", [3, 5, 3], {})
    optimiser = driver.optimiser(conv, lr=LR)
    y = conv.forward(torch.rand(2, 3, 6, 6))
    conv.backward(torch.rand(y.shape) - 0.5)
    before = {name: value.clone() for name, value in conv.parameters().items()}
    along = {name: value.clone() for name, value in conv.gradients().items()}
    optimiser.step()
    moved = torch.cat([(conv.parameters()[name] - before[name]).flatten() for name in before])
    return moved, torch.cat([-LR * along[name].flatten() for name in before])


@pytest.mark.parametrize("name", OPTIMISERS)
@torch.no_grad()
def test_an_optimiser_steps_in_its_own_manner_and_a_wrong_rate_shows(name, tmp_path):
    source = f"class SGD:{OPTIMISERS[name]}"
    moved, expected = step_of(driver_of(tmp_path / "right", with_sgd(source)))
    torch.testing.assert_close(moved, expected, rtol=1e-4, atol=1e-5)
    twice = source.replace("w -= self.lr * g", "w -= self.lr * self.lr * g")
    moved, expected = step_of(driver_of(tmp_path / "wrong", with_sgd(twice)))
    torch.testing.assert_close(moved, LR * expected, rtol=1e-4, atol=1e-5)


GROWS = "return self.pairs"
LISTS_THAT_GROW = {
    "a list of each module": "if not hasattr(self, 'pairs'):\n            self.pairs = []\n",
    "a list of the class": "if not hasattr(Module, 'pairs'):\n            Module.pairs = []\n",
}


@pytest.mark.parametrize("where", LISTS_THAT_GROW)
@torch.no_grad()
def test_a_list_that_grows_with_every_call_is_stepped_along_once(where, tmp_path):
    grown = (
        f"def param(self):\n        {LISTS_THAT_GROW[where]}        self.pairs += [pair for layer in self.layers for "
        "pair in layer.param()]\n        return self.pairs"
    )
    listed = "def param(self):\n        return [pair for layer in self.layers for pair in layer.param()]"
    moved, expected = step_of(driver_of(tmp_path, (MODULES, listed, grown)))
    torch.testing.assert_close(moved, expected, rtol=1e-4, atol=1e-5)


def test_a_list_that_does_not_grow_is_left_as_it_is():
    pairs = [(torch.ones(2), torch.zeros(2))] * 2  # the parameter stands there twice: the submission's own mistake
    assert growing.added(growing.copied([pairs]), [pairs])[0] is pairs
    grown = [[*pairs, *pairs], {"w": 1}]
    assert growing.added(growing.copied([pairs, {"w": 1}]), grown) == [pairs, {"w": 1}]


CONTAINERS = {
    "name, device, list": "def __init__(self, name, device, layers):\n        self.layers = layers",
    "list, name": "def __init__(self, stack, name):\n        self.layers = stack",
    "name, star": "def __init__(self, name, *layers):\n        self.layers = list(layers)",
    "name, dictionary": "def __init__(self, name, layers):\n        self.layers = list(layers.values())",
    "device, append": (
        "def __init__(self, device):\n        self.layers = []\n\n"
        "    def append(self, layer):\n        self.layers.append(layer)"
    ),
    "an empty list": "def __init__(self):\n        self.layers = []",
}


@pytest.mark.parametrize("name", CONTAINERS)
@torch.no_grad()
def test_a_container_is_built_in_its_own_manner_and_leaving_out_a_layer_shows(name, tmp_path):
    own = (MODULES, "def __init__(self, *layers):\n        self.layers = list(layers)", CONTAINERS[name])
    leaves_out = (MODULES, "in reversed(self.layers):", "in reversed(self.layers[1:]):")
    x = torch.rand(2, 3, 6, 6) - 0.5
    for folder, edits in (("right", (own,)), ("wrong", (own, leaves_out))):
        driver = driver_of(tmp_path / folder, *edits)
        conv, relu = driver.module("Conv2d", [3, 4, 3], {}), driver.module("ReLU", [], {})
        net = driver.network([conv, relu])
        y = relu.forward(conv.forward(x))
        alone = conv.backward(relu.backward(torch.ones(y.shape)))
        found = net.run(x, torch.ones(y.shape))
        torch.testing.assert_close(found["forward"], y)
        assert (folder == "right") == (
            isinstance(found["input"], torch.Tensor) and torch.equal(found["input"], alone)
        )


LOSS = "def forward(self, x, target):\n        self.difference = x - target"


@pytest.mark.parametrize("called", ["prediction first", "target first"])
@pytest.mark.parametrize("names", ["x, target", "a, b", "y_true, y_pred"])
@torch.no_grad()
def test_the_order_in_which_the_authors_training_calls_the_loss_decides_whatever_names_say(names, called, tmp_path):
    first, second = names.split(", ")
    exchanged = called == "target first"
    difference = f"{second} - {first}" if exchanged else f"{first} - {second}"
    forward = f"def forward(self, {names}):\n        self.difference = {difference}"
    call = "self.loss.forward(self.net.forward(x), target)"
    its_own = "self.loss.forward(target, self.net.forward(x))" if exchanged else call
    driver = driver_of(tmp_path, (MODULES, LOSS, forward), (MODEL, call, its_own))
    prediction, target = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    loss = driver.loss()
    loss.forward(prediction, target)
    torch.testing.assert_close(loss.gradient(), 2 * (prediction - target) / prediction.numel())
    assert ("loss_order" in driver.notes) == exchanged
