"""The modules together: each of them right by itself, and the network that they make, in steps of train()."""

import pytest
from checker_support import findings, make_data, textbook

from checker import results

MODULES, MODEL = "others/modules.py", "model.py"
STEP = "optimiser.step_of_train"
CLEARS = "                self.optimizer.zero_grad()\n"
BEGINS = "            total = 0.0\n"
NO_MOMENTUM = MODEL, "lr=2.0, momentum=0.9", "lr=2.0"
ONCE_AN_EPOCH = (MODEL, CLEARS, ""), (MODEL, BEGINS, BEGINS + CLEARS[4:])

NEW_GRADIENTS = """                self.optimizer.step()
                for layer in self.net.layers:
                    if hasattr(layer, "weight"):
                        layer.weight_grad = layer.weight_grad * 0
                        layer.bias_grad = layer.bias_grad * 0
"""
SMALL_BATCHES = MODEL, "BATCH = 50", "BATCH = 8"
TURNED = [(MODEL, f"{name}[batch].float()", f"{name}[batch].flip(2).float()") for name in ("noisy_in", "noisy_out")]
ONE_RELU = (
    (MODEL, "        self.net =", "        shared = ReLU()\n        self.net ="),
    (MODEL, "ReLU(),\n            Conv2d", "shared,\n            Conv2d"),
    (MODEL, "ReLU(),\n            TransposeConv2d(16", "shared,\n            TransposeConv2d(16"),
)

ADAM = (
    (MODEL, "SGD(self.net.param(), lr=2.0, momentum=0.9)", "Adam(self.net.param(), 0.002)"),
    (MODEL, "import MSE, SGD", "import MSE, SGD, Adam"),
    (
        MODULES,
        "class SGD:",
        """class Adam:
    def __init__(self, params, lr, betas=(0.9, 0.999)):
        self.params, self.lr, self.betas, self.t = list(params), lr, betas, 0
        self.moments = [(weight * 0, weight * 0) for weight, _ in self.params]

    def zero_grad(self):
        for _, grad in self.params:
            grad.zero_()

    def step(self):
        self.t += 1
        a, b = self.betas
        for (weight, grad), (m, v) in zip(self.params, self.moments, strict=True):
            m.mul_(a).add_((1 - a) * grad)
            v.mul_(b).add_((1 - b) * grad * grad)
            weight -= self.lr * m / (1 - a**self.t) / ((v / (1 - b**self.t)).sqrt() + 1e-8)


class SGD:""",
    ),
)
MIRRORED = (
    MODEL,
    "                total += ",
    """                if float(empty(1).uniform_()) < 0.5:
                    x, target = x.flip(3), target.flip(3)
                total += """,
)
FALLING = (
    (MODEL, "lr=2.0, momentum=0.9", "lr=20.0, momentum=0.9"),
    (MODEL, "optimizer.step()\n", "optimizer.step()\n                self.optimizer.lr *= 0.7\n"),
)

RIGHT = {
    "as it is": (),
    "a batch of eight": (SMALL_BATCHES,),
    "a rate that falls": (
        (MODEL, "            print(", "            self.optimizer.lr *= 0.5\n            print("),
        SMALL_BATCHES,
    ),
    "turned": TURNED,
    "mirrored at random": (MIRRORED, SMALL_BATCHES),
    "mirrored at random, a rate that falls in every step": (MIRRORED, *FALLING),
    "dark, with a buffer of zeros": (
        (MODEL, "self.loss = MSE()", "self.loss = MSE()\n        self.net.layers[-2].bias.sub_(5)"),
        (MODEL, "x, target = ", "zeros = noisy_in[batch].float() * 0\n                x, target = "),
    ),
    "Adam": ADAM,
    "Adam, a batch of eight": (*ADAM, SMALL_BATCHES),
}
WRONG = {
    "one ReLU at two places": (ONE_RELU, "the gradient that it hands on"),
    "cleared once an epoch": ((*ONCE_AN_EPOCH, NO_MOMENTUM, SMALL_BATCHES), "added to those of the second"),
    "cleared once an epoch, with momentum": (ONCE_AN_EPOCH, "added to those of the second"),
    "a velocity for each shape": (
        (
            (MODULES, "self.velocities = [None for _ in self.params]", "self.velocities = {}"),
            (MODULES, "velocity = self.velocities[i]", "velocity = self.velocities.get(tuple(weight.shape))"),
            (MODULES, "self.velocities[i] = velocity", "self.velocities[tuple(weight.shape)] = velocity"),
        ),
        "of another parameter of the same shape",
    ),
    "never cleared, mirrored at random": ((MIRRORED, (MODEL, CLEARS, "")), "added to those of the second"),
    "never cleared, a rate that falls in every step": (
        ((MODEL, CLEARS, ""), *FALLING),
        "added to those of the second",
    ),
    "never cleared": (((MODEL, CLEARS, ""),), "added to those of the second"),
    "one ReLU at two places, with Adam": ((*ADAM, *ONE_RELU), "the gradient that it hands on"),
    "the gradients of the first step in every other": (
        (
            (MODEL, CLEARS, ""),
            (MODEL, "                self.optimizer.step()\n", NEW_GRADIENTS),
            NO_MOMENTUM,
            SMALL_BATCHES,
        ),
        "along the gradients of the first one again",
    ),
    "Adam counts parameters": (
        (
            *ADAM,
            (MODULES, "        self.t += 1\n", ""),
            (MODULES, "            m.mul_(a)", "            self.t += 1\n            m.mul_(a)"),
        ),
        "Adam's first step is shorter",
    ),
    "cleared once an epoch, with Adam": ((*ADAM, *ONCE_AN_EPOCH, SMALL_BATCHES), "added to those of the second"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("name", RIGHT)
def test_right_modules_that_are_used_rightly_pass(name, data, tmp_path):
    found = findings(textbook(tmp_path / "copy", *RIGHT[name]), data, "modules", "optimiser")
    assert found[STEP].status == results.PASSED, found[STEP].message
    assert "optimiser.zero_grad" in found[STEP].details["judged"]


@pytest.mark.parametrize("name", WRONG)
def test_right_modules_that_are_used_wrongly_fail_in_the_network(name, data, tmp_path):
    edits, words = WRONG[name]
    found = findings(textbook(tmp_path / "copy", *edits), data, "modules", "optimiser")
    assert {name for name, one in found.items() if one.status == results.FAILED} == {STEP}
    assert words in found[STEP].message


def test_a_module_that_is_wrong_is_told_once(data, tmp_path):
    edit = MODULES, "return grad_y * self.mask", "return grad_y"
    found = findings(textbook(tmp_path / "copy", edit), data, "modules", "optimiser")
    assert found["modules.relu_backward"].status == results.FAILED
    assert found[STEP].status == results.ABSENT
