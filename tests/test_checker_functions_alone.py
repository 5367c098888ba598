"""A submission that is functions and a dictionary of weights, which only a step of its training tells anything of."""

import pytest
import torch
from checker_support import findings, make_data, package
from test_checker_driver import driver
from test_checker_families import edited
from torch.nn import functional as F

from checker import results

SOURCE = """
from pathlib import Path

import torch
from torch.nn.functional import fold, unfold

torch.set_grad_enabled(False)
PLAN = [(3, 8, 2), (8, 8, 1), (8, 3, 1)]
GRADIENTS = {}


def convolve(x, w, b, stride):
    columns = unfold(x, 3, stride=stride, padding=1)
    y = w.flatten(1) @ columns + b[:, None]
    return y.unflatten(2, (x.shape[2] // stride, -1)), (columns, w, x.shape[2:], stride)


def convolve_back(g, kept):
    columns, w, size, stride = kept
    g = g.flatten(2)
    dw = (g @ columns.transpose(1, 2)).sum(0).view(w.shape)
    return fold(w.flatten(1).t() @ g, size, 3, stride=stride, padding=1), dw, g.sum((0, 2))


def enlarge(x):
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def enlarge_back(g):
    return g.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).sum((3, 5))


def run(weights, x):
    kept = []
    for i, (_, _, stride) in enumerate(PLAN):
        x, cache = convolve(x, weights[f"w{i}"], weights[f"b{i}"], stride)
        if i < 2:
            x = x.clamp(min=0)
        else:
            x = 1 / (1 + (-x).exp())
        kept.append((cache, x))
        if i == 1:
            x = enlarge(x)
    return x, kept


def run_back(g, kept):
    found = {}
    for i in (2, 1, 0):
        cache, y = kept[i]
        if i == 1:
            g = enlarge_back(g)
        g = g * y * (1 - y) if i == 2 else g * (y > 0)
        g, found[f"w{i}"], found[f"b{i}"] = convolve_back(g, cache)
    return found


class Model:
    def __init__(self):
        self.weights = {}
        for i, (c, o, _) in enumerate(PLAN):
            self.weights[f"w{i}"] = torch.empty(o, c, 3, 3).normal_(0, 0.2)
            self.weights[f"b{i}"] = torch.empty(o).zero_()

    def load_pretrained_model(self):
        self.weights = torch.load(Path(__file__).parent / "bestmodel.pth")

    def train(self, noisy, target, num_epochs):
        for _ in range(num_epochs):
            for i in range(0, len(noisy), 20):
                x, t = noisy[i : i + 20] / 255, target[i : i + 20] / 255
                y, kept = run(self.weights, x)
                self.loss = (y - t).pow(2).mean()
                for name, g in run_back(2 * (y - t) / t.numel(), kept).items():
                    GRADIENTS[name] = g
                    self.weights[name] -= 0.5 * GRADIENTS[name]

    def predict(self, noisy):
        return run(self.weights, noisy / 255)[0] * 255
"""
LAST = "dw = (g @ columns.transpose(1, 2)).sum(0)", "dw = (g @ columns.transpose(1, 2))[-1]"
AVERAGED = ".sum((3, 5))", ".mean((3, 5))"
ADDED = "GRADIENTS[name] = g", "GRADIENTS[name] = GRADIENTS.get(name, 0) + g"
RELU = (
    "def run(weights, x):",
    """MASKS = {}


def relu_forward(x):
    return x.clamp(min=0), x > 0


def relu_backward(g, mask):
    return g * mask


def run(weights, x):""",
)


def masks_by(key: str, again: str) -> tuple:
    """A ReLU that can be used alone, whose masks are kept by something."""
    kept, used = f"x, MASKS[{key}] = relu_forward(x)", f"relu_backward(g, MASKS[{again}])"
    return RELU, ("x = x.clamp(min=0)", kept), ("g * (y > 0)", used)


BIASES_ADDED = ADDED[0], "GRADIENTS[name] = g if name[0] == 'w' else GRADIENTS.get(name, 0) + g"
CASES = {  # the edits, and what must fail of mathematics
    "right": ((), {}),
    "the last picture's gradient": ((LAST,), {"modules.conv2d_grad_weight": "last picture"}),
    "and gradients are never cleared": (
        (LAST, ADDED),
        {"modules.conv2d_grad_weight": "last picture", "optimiser.zero_grad": "added to those of the second"},
    ),
    "gradients of biases alone are never cleared": (
        (BIASES_ADDED,),
        {"optimiser.zero_grad": "added to those of the second"},
    ),
    "a mask for each layer": (masks_by("i", "i"), {}),
    "a mask for each size": (
        masks_by("len(x[0, 0])", "len(y[0, 0])"),
        {"optimiser.step_of_train": "not in the network"},
    ),
    "blocks are averaged": ((AVERAGED,), {"modules.nearest_backward": "1/(the factor squared)"}),
}


GROUPS = "api", "modules", "optimiser", "behaviour", "conventions"
NO_WEIGHTS = {"api.loads_pretrained", "api.loads_from_anywhere"}  # since no bestmodel.pth is handed in


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("name", CASES)
def test_what_is_functions_alone_is_accused_of_its_mistake_and_of_no_module_that_it_need_not_have(
    name, data, tmp_path
):
    edits, fails = CASES[name]
    source = SOURCE
    for old, new in edits:
        assert old in source
        source = source.replace(old, new)
    found = findings(package(tmp_path, source), data, *GROUPS)
    failed = {check for check, one in found.items() if one.status == results.FAILED and one.kind == results.REQUIRED}
    assert failed - NO_WEIGHTS == fails.keys()
    for check, words in fails.items():
        assert words in f"{found[check].message} {found[check].hint}"
    for check in ("modules.transposed_forward", "modules.transposed_grad_weight", "api.sequential"):
        assert found[check].status == results.ABSENT
    assert found["behaviour.accumulates"].status == results.ABSENT
    assert found["conventions.names"].status == results.FAILED
    if not {ADDED, BIASES_ADDED} & set(edits):
        assert found["optimiser.zero_grad"].status == results.PASSED


@torch.no_grad()
def test_a_matrix_with_the_kernel_before_the_channels_is_read_as_forward_reads_it(tmp_path):
    rows = "(self.w.t().view(-1, self.k**2, x.shape[1]).transpose(1, 2).flatten(1) @ self.x"
    source = edited(("empty(o, c * k * k)", "empty(k * k * c, o)"), ("(self.w @ self.x", rows))
    conv = driver(tmp_path, source).module("Conv2d", [3, 5, 3], {})
    x, weight, bias = torch.randn(2, 3, 6, 6), torch.randn(5, 3, 3, 3), torch.randn(5)
    conv.assign({"weight": weight, "bias": bias})
    torch.testing.assert_close(conv.forward(x), F.conv2d(x, weight, bias), rtol=1e-4, atol=1e-4)
