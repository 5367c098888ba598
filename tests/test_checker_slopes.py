"""Networks that are no chain of layers: what a step of train() does is compared with how the loss really changes."""

import pytest
import torch
from checker_support import TEXTBOOK, findings, make_data, textbook

from checker import results
from checker.driving.recording import Recording, Unrecorded
from checker.driving.slopes import slopes

MODULES, MODEL = "others/modules.py", "model.py"
STEP = "optimiser.step_of_train"
LAYERS = """class Residual(Sequential):
    def forward(self, x):
        return x + super().forward(x)

    def backward(self, grad_y):
        return grad_y + super().backward(grad_y)


class Beside(Sequential):
    def forward(self, x):
        y = super().forward(x)
        self.channels = x.shape[1]
        return cat([x, y], 1)

    def backward(self, grad_y):
        return grad_y[:, :self.channels] + super().backward(grad_y[:, self.channels:])


class Dropout(Module):
    def __init__(self):
        self.training = False

    def forward(self, x):
        self.mask = (empty(x.shape).uniform_() < 0.7) / 0.7 if self.training else 1.0
        return x * self.mask

    def backward(self, grad_y):
        return grad_y * self.mask


class MaxPool2d(Module):
    def forward(self, x):
        n, c, h, w = x.shape
        parts = x.view(n, c, h // 2, 2, w // 2, 2)
        y = parts.amax((3, 5), keepdim=True)
        self.taken = parts == y
        return y.view(n, c, h // 2, w // 2)

    def backward(self, grad_y):
        n, c, h, w = grad_y.shape
        return (self.taken * grad_y.view(n, c, h, 1, w, 1)).view(n, c, 2 * h, 2 * w)


class SGD:"""
NETWORK = """        self.dropout = Dropout()
        self.net = Sequential(
            Conv2d(3, 8, 3, padding=1),
            ReLU(),
            Beside(MaxPool2d(), Conv2d(8, 8, 3, padding=1), ReLU(), self.dropout, NearestUpsampling(2)),
            Residual(Conv2d(16, 16, 3, padding=1), ReLU(), Conv2d(16, 16, 3, padding=1)),
            Conv2d(16, 3, 3, padding=1),
            Sigmoid(),
        )
        self.loss = MSE()
"""
SOURCE = (TEXTBOOK / "Proj_2" / MODEL).read_text("utf-8")
WHOLE = SOURCE[SOURCE.index("        self.net =") : SOURCE.index("        self.optimizer")]
SKIPS = (
    (MODULES, "class SGD:", LAYERS),
    (MODULES, "import empty", "import cat, empty"),
    (MODEL, "import MSE, SGD", "import MSE, SGD, Beside, Dropout, MaxPool2d, Residual"),
    (MODEL, WHOLE, NETWORK),
    (MODEL, "        for epoch in", "        self.dropout.training = True\n        for epoch in"),
    (MODEL, "        height, width = noisy", "        self.dropout.training = False\n        height, width = noisy"),
)
TRAINED = """                total += self.loss.forward(self.net.forward(x), target).item() * len(batch)
                self.optimizer.zero_grad()
                self.net.backward(self.loss.backward())
"""
HALVES = """                self.optimizer.zero_grad()
                for part, t in zip(x.chunk(2), target.chunk(2)):
                    total += self.loss.forward(self.net.forward(part), t).item() * len(t)
                    self.net.backward(self.loss.backward() / len(x))
"""
BOTH_FIRST = """                self.optimizer.zero_grad()
                outputs = [self.net.forward(part) for part in x.chunk(2)]
                for y, t in zip(outputs, target.chunk(2)):
                    total += self.loss.forward(y, t).item() * len(t)
                    self.net.backward(self.loss.backward() / len(x))
"""
STEPPED = MODEL, "                self.optimizer.step()\n"
COPIES = (
    "                params = self.optimizer.params\n"
    "                self.optimizer.params = [(w.clone() if w.dim() == 1 else w, grad) for w, grad in params]\n"
)
FIRST_MASK = (
    "        self.mask = x > 0\n        self.first = getattr(self, 'first', self.mask)\n        return x * self.mask"
)
VALIDATES = "            self.loss.forward(self.net.forward(noisy_in[-1:] / 255), noisy_out[-1:] / 255)\n"
AND_THEN = "                for weight, grad in self.net.param():\n                    "

RIGHT = {
    "connections past layers": SKIPS,
    "with a decay": (*SKIPS, (*STEPPED, STEPPED[1] + AND_THEN + "weight.mul_(0.999)\n")),
    "in halves": (*SKIPS, (MODEL, TRAINED, HALVES)),
    "some pictures for validation": (
        *SKIPS,
        (MODEL, "empty(len(noisy_in))", "empty(len(noisy_in) - 1)"),
        (MODEL, "            print(", VALIDATES + "            print("),
    ),
}  # fmt: skip
WRONG = {
    "the way past is lost": (MODULES, "return grad_y + super().backward(grad_y)", "return super().backward(grad_y)"),
    "the other input is lost": (MODULES, "return grad_y[:, :self.channels] + super", "return super"),
    "another mask": (MODULES, "return grad_y * self.mask\n\n\nclass MaxPool", "return grad_y\n\n\nclass MaxPool"),
    "to all of the four": (MODULES, "self.taken = parts == y", "self.taken = parts <= y"),
    "two forwards, then two backwards": (MODEL, TRAINED, BOTH_FIRST),
    "only what is listed": (MODEL, "SGD(self.net.param()", "SGD(self.net.param()[2:]"),
    "never cleared": (MODEL, "                self.optimizer.zero_grad()\n", ""),
    "the mask of the step before": (
        (MODULES, "        self.mask = x > 0\n        return x * self.mask", FIRST_MASK),
        (MODULES, "return grad_y * self.mask\n\n\nclass Sigmoid", "return grad_y * self.first\n\n\nclass Sigmoid"),
    ),
    "copies of the biases from the second step on": (*STEPPED, STEPPED[1] + COPIES),
    "biases averaged over pictures": (
        *STEPPED,
        AND_THEN + "grad.div_(len(x) if weight.dim() == 1 else 1)\n" + STEPPED[1],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("name", RIGHT)
def test_right_networks_pass_whatever_they_are_made_of(name, data, tmp_path):
    found = findings(textbook(tmp_path / "copy", *RIGHT[name]), data, "optimiser")
    assert found[STEP].status == results.PASSED, found[STEP].message
    assert found[STEP].details["parameters"] == 10


@pytest.mark.parametrize("name", WRONG)
def test_wrong_networks_of_right_modules_fail(name, data, tmp_path):
    edits = WRONG[name] if isinstance(WRONG[name][0], tuple) else (WRONG[name],)
    found = findings(textbook(tmp_path / "copy", *SKIPS, *edits), data, "optimiser")
    assert {name for name, one in found.items() if one.status == results.FAILED} == {STEP}


def test_a_failure_of_modules_put_together_is_none_if_train_does_the_same_rightly(data, tmp_path):
    copies = (
        (MODULES, "self.layers = list(layers)", "self.layers = deepcopy(list(layers))"),
        (MODULES, "from torch import empty", "from copy import deepcopy\n\nfrom torch import empty"),
    )
    found = findings(textbook(tmp_path / "right", *copies), data, "modules", "optimiser")
    assert found["modules.sequential_backward"].status == results.PASSED
    assert "in train() the same is right" in found["modules.sequential_backward"].warnings[0]
    stops = MODULES, "for layer in reversed(self.layers):", "for layer in reversed(self.layers[1:]):"
    found = findings(textbook(tmp_path / "wrong", *copies, stops), data, "modules", "optimiser")
    assert found["modules.sequential_backward"].status == results.FAILED


def step(loss, *parameters):
    """The slopes of what is computed of three pictures, after a step of 0.1 along torch's gradients."""
    pictures, targets = torch.rand(2, 3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    before = [one.clone() for one in parameters]
    with Recording() as recording:
        views = [recording.view(one) for one in parameters]
        with torch.no_grad():
            loss(pictures, targets, *parameters)
    leaves = [one.double().requires_grad_() for one in before]
    squares = loss(pictures.double(), targets.double(), *leaves)
    gradients = torch.autograd.grad(squares, leaves)
    return slopes(recording.complete(), views, views, [-0.1 * one for one in gradients], before, targets * 255)


def in_place(x, target, weight, bias):
    """With buffers that are written over, views, a default type and numbers drawn at random."""
    y = torch.empty(x.shape, dtype=x.dtype)
    kept = torch.zeros(3, 3, dtype=x.dtype)
    kept[:] = weight
    y.copy_(torch.einsum("oc,nchw->nohw", kept, x))
    y[:, 1:] += bias[1:].view(1, 2, 1, 1)
    y[y < 0.5] = 0.0
    y *= torch.rand(x.shape[0], 1, 1, 1, generator=torch.Generator().manual_seed(1)).to(x.dtype)
    return (y - target).square().sum()


def one_by_one(x, target, weight, bias):
    """The pictures one by one, and the mirrored ones."""
    losses = [
        (t.flip(1) - (torch.einsum("oc,chw->ohw", weight, one.flip(1)) + bias.view(3, 1, 1)).sigmoid()).pow(2).sum()
        for one, t in zip(x, target, strict=True)
    ]
    return sum(losses)


@pytest.mark.parametrize("loss", [in_place, one_by_one])
def test_slopes_are_those_of_autograd(loss):
    weight, bias = torch.rand(3, 3), torch.rand(3)
    for rows in step(loss, weight, bias):
        torch.testing.assert_close(rows[:, 0], -0.1 * rows[:, 1], rtol=1e-4, atol=1e-4)
    with pytest.raises(AssertionError):
        torch.testing.assert_close(rows[:, 0], -0.11 * rows[:, 1], rtol=1e-4, atol=1e-4)


def told_by_a_number(x, target, weight, bias):
    return (x * weight.sum().item() + bias.view(3, 1, 1) + 0 * weight.sum() - target).square().sum()


def compared_with_others(x, target, weight, bias):
    return (x * weight.sum() + bias.sum() - x).square().sum()


@pytest.mark.parametrize(
    ("loss", "words"),
    [(told_by_a_number, "a number was made"), (compared_with_others, "not compared with the targets")],
)
def test_what_can_not_be_told_is_said(loss, words):
    with pytest.raises(Unrecorded, match=words):
        step(loss, torch.rand(3, 3), torch.rand(3))
