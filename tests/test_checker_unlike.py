"""What is unlike the assignment and right: convolutions without a bias, a network whose backward takes the target."""

import pytest
from checker_support import findings, make_data, textbook

from checker import results

MODULES, MODEL = "others/modules.py", "model.py"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


# Convolutions without a bias --------------------------------------------------------------------------

NO_ARGUMENT = (
    (MODULES, "groups=1, bias=True\n", "groups=1\n"),
    (MODULES, "        bias=True,\n", ""),
)
BIAS = "stride, padding, dilation, bias)\n"
NO_BIAS = *NO_ARGUMENT, (MODULES, BIAS, BIAS.replace("bias)", "False)"))
FORGOTTEN = *NO_ARGUMENT, (MODULES, BIAS, BIAS.replace("bias)", "True)"))
NEVER_ADDED = MODULES, "return y if self.bias is None else y + self.bias.view(1, -1, 1, 1)", "return y"
IGNORED = MODULES, "empty(out_channels).uniform_(-bound, bound) if bias else None", "None"
WITHOUT = "Conv2d adds no bias"
OF_BIAS = "modules.conv2d_grad_bias", "modules.transposed_grad_bias"
DOUBLED = """
class NearestUpsampling(Module):
    def __init__(self, in_channels, out_channels, kernel_size):
        self.conv = Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
        self.double = Doubling(2)

    def forward(self, x):
        return self.conv.forward(self.double.forward(x))

    def backward(self, grad_y):
        return self.double.backward(self.conv.backward(grad_y))

    def param(self):
        return self.conv.param()


class SGD:"""
WITH_CONVOLUTION = (
    (MODULES, "class NearestUpsampling(Module):", "class Doubling(Module):"),
    (MODULES, "\nclass SGD:", DOUBLED),
)


def failed(found) -> set[str]:
    return {name for name, finding in found.items() if finding.status not in (results.PASSED, results.ABSENT)}


def test_convolutions_without_a_bias_are_judged_and_told_once(data, tmp_path):
    found = findings(textbook(tmp_path, *NO_BIAS), data, "modules", "optimiser", "behaviour", "conventions")
    assert failed(found) == {"conventions.no_bias"}
    assert WITHOUT in found["conventions.no_bias"].message
    assert found["modules.conv2d_forward"].details["geometries"] == 12
    for check in OF_BIAS:
        assert found[check].status == results.ABSENT
        assert "no bias" in found[check].message


def test_an_upsampling_that_holds_such_a_convolution_is_judged(data, tmp_path):
    found = findings(textbook(tmp_path, *WITH_CONVOLUTION, *NO_BIAS), data, "modules")
    assert failed(found) == set()
    assert found["modules.nearest_conv_grad_weight"].status == results.PASSED
    assert found["modules.nearest_conv_grad_bias"].status == results.ABSENT


def test_what_is_wrong_without_a_bias_is_wrong(data, tmp_path):
    wrong = MODULES, "self.weight_grad += (grad @ self.columns", "self.weight_grad -= (grad @ self.columns"
    found = findings(textbook(tmp_path, *NO_BIAS, wrong), data, "modules")
    assert failed(found) == {"modules.conv2d_grad_weight"}


@pytest.mark.parametrize("edits", [(*FORGOTTEN, NEVER_ADDED), (IGNORED,)], ids=["never added", "asked for"])
def test_a_bias_that_is_forgotten_is_wrong(edits, data, tmp_path):
    found = findings(textbook(tmp_path, *edits), data, "modules")
    assert found["modules.conv2d_forward"].status == results.FAILED
    assert "bias is not added" in found["modules.conv2d_forward"].hint


# Networks that compute their loss ---------------------------------------------------------------------

SEQUENTIAL = "self.layers = list(layers)"
FORWARD = "x = layer.forward(x)\n        return x"
KEPT = MODULES, FORWARD, FORWARD.replace("return x", "self.y = x\n        return x")
BACKWARD = "def backward(self, grad_y):\n        for layer in reversed(self.layers):"
GIVEN_LOSS = (
    KEPT,
    (MODULES, "def __init__(self, *layers):\n        " + SEQUENTIAL,
     "def __init__(self, layers, criterion):\n        self.layers, self.criterion = layers, criterion"),
    (MODULES, BACKWARD, BACKWARD.replace("grad_y):", "target):\n        self.criterion.forward(self.y, target)\n"
                                         "        grad_y = self.criterion.backward()")),
    (MODEL, "self.net = Sequential(", "self.net = Sequential(["),
    (MODEL, "Sigmoid(),\n        )", "Sigmoid(),\n        ], MSE())"),
)  # fmt: skip
LOSS_LAST = (
    KEPT,
    (MODULES, SEQUENTIAL, "*self.layers, self.criterion = layers"),
    GIVEN_LOSS[2],
    (MODEL, "Sigmoid(),\n        )", "Sigmoid(),\n            MSE(),\n        )"),
)
OWN_LOSS = (
    KEPT,
    (MODULES, BACKWARD, BACKWARD.replace("grad_y):", "wish):\n        grad_y = (self.y - wish) / len(wish)")),
)
NETWORKS = {"a loss given": GIVEN_LOSS, "the loss last": LOSS_LAST, "a loss of its own": OWN_LOSS}
TRAINS = MODEL, "self.net.backward(self.loss.backward())", "self.net.backward(target)"


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_whose_backward_takes_the_target_is_judged(name, data, tmp_path):
    right = findings(textbook(tmp_path / "right", *NETWORKS[name], TRAINS), data, "modules", "conventions")
    assert {check for check in failed(right) if check.startswith("modules")} == set()
    assert "takes the target" in right["conventions.direct"].message
    wrong = MODULES, "for layer in reversed(self.layers):", "for layer in self.layers:"
    found = findings(textbook(tmp_path / "wrong", *NETWORKS[name], TRAINS, wrong), data, "modules")
    assert found["modules.sequential_backward"].status == results.FAILED
    assert "from the last layer to the first" in found["modules.sequential_backward"].hint
