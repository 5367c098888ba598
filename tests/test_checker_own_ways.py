"""What a submission's own Model tells of how it is meant: its geometries, and the list its optimiser is given."""

import pytest
from checker_support import findings, make_data, textbook

from checker import results

MODULES, MODEL = "others/modules.py", "model.py"
OF_TRANSPOSED = "modules.transposed_forward", "modules.transposed_grad_input", "modules.transposed_grad_weight"
FOLD = "fold(self.weight.flatten(1).t() @ self.x, size, **self.windows)"
# The rows and columns of the output padding are left empty, as if nothing reached them.
CUT = f"smaller({FOLD}, self.output_padding)"
SMALLER = """

def smaller(y, more):
    y = y.clone()
    for axis in (0, 1):
        if more[axis]:
            y.narrow(2 + axis, y.shape[2 + axis] - more[axis], more[axis]).zero_()
    return y


class Conv2d("""
USED = (
    MODEL,
    "TransposeConv2d(32, 16, 2, stride=2)",
    "TransposeConv2d(32, 16, 3, stride=2, padding=1, output_padding=1)",
)
EMPTY = (MODULES, FOLD, CUT), (MODULES, "\n\nclass Conv2d(", SMALLER)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("used", [False, True])
def test_an_output_padding_is_asked_for_where_the_model_has_one(used, data, tmp_path):
    folder = textbook(tmp_path / "copy", *EMPTY, *([USED] if used else []))
    found = findings(folder, data, "modules", "beyond")
    status = {name: found[name].status for name in (*OF_TRANSPOSED, "beyond.output_padding")}
    if used:
        assert status[OF_TRANSPOSED[0]] == results.FAILED
        assert "output_padding=1" in found[OF_TRANSPOSED[0]].message
        assert 0.5 < found[OF_TRANSPOSED[0]].share < 1
    else:
        assert {status[name] for name in OF_TRANSPOSED} == {results.PASSED}
        assert status["beyond.output_padding"] == results.FAILED


def test_a_right_output_padding_passes(data, tmp_path):
    found = findings(textbook(tmp_path / "copy", USED), data, "modules")
    assert {found[name].status for name in OF_TRANSPOSED} == {results.PASSED}
    assert found[OF_TRANSPOSED[0]].details["geometries"] == 13


OBJECTS = (
    (
        MODULES,
        "class ReLU(Module):",
        """class Kept:
    def __init__(self, data, grad):
        self.data, self.grad = data, grad


class ReLU(Module):""",
    ),
    (
        MODULES,
        "    def zero_grad(self):\n        for _, grad in self.param():",
        """    def variables(self):
        return [Kept(*both) for both in self.param()]

    def zero_grad(self):
        for _, grad in self.param():""",
    ),
    (MODULES, "for _, grad in self.params:", "for grad in [one.grad for one in self.params]:"),
    (
        MODULES,
        "(weight, grad) in enumerate(self.params)",
        "(weight, grad) in enumerate([(one.data, one.grad) for one in self.params])",
    ),
    (MODEL, "SGD(self.net.param(), ", "SGD(self.net.variables(), "),
)
UP = MODULES, "weight -= self.lr * step", "weight += self.lr * step"


@pytest.mark.parametrize("edits", [(), (UP,)])
def test_an_optimiser_is_given_the_other_list_that_a_network_has(edits, data, tmp_path):
    found = findings(textbook(tmp_path / "copy", *OBJECTS, *edits), data, "optimiser")
    told = found["optimiser.sgd_step"]
    assert told.status == (results.FAILED if edits else results.PASSED), told.message
    assert "up the gradient" in told.hint or not edits
    assert found["optimiser.zero_grad"].status == results.PASSED


FLAT = (
    (
        MODULES,
        """        self.weight = empty(weight_shape).uniform_(-bound, bound)
        self.weight_grad = empty(weight_shape).zero_()
        self.bias = empty(out_channels).uniform_(-bound, bound) if bias else None
        self.bias_grad = empty(out_channels).zero_() if bias else None
""",
        """        self.shape, self.end = weight_shape, empty(weight_shape).numel()
        self.theta = empty(self.end + out_channels * bool(bias)).uniform_(-bound, bound)
        self.dtheta = self.theta * 0
""",
    ),
    (
        MODULES,
        "    def add_bias(self, y):",
        """    @property
    def weight(self):
        return self.theta[: self.end].view(self.shape)

    @property
    def bias(self):
        return self.theta[self.end :] if len(self.theta) > self.end else None

    @property
    def weight_grad(self):
        return self.dtheta[: self.end].view(self.shape)

    @weight_grad.setter
    def weight_grad(self, same):
        pass

    @property
    def bias_grad(self):
        return self.dtheta[self.end :]

    @bias_grad.setter
    def bias_grad(self, same):
        pass

    def add_bias(self, y):""",
    ),
)
LISTED_ALONE = tuple(  # no attribute of a module is its weight
    (MODULES, before + name + after, before + "part" + name[0] + after)
    for name, places in {
        "weight": (("def ", "(self)"), ("self.", ".flatten"), ("self.", ".shape"), ("(self.", ",")),
        "bias": (("def ", "(self)"), ("self.", " is"), ("self.", ".view"), ("(self.", ",")),
    }.items()
    for before, after in places
)
ONLY_AS_A_WHOLE = (
    (MODEL, "SGD(self.net.param(), lr=2.0, momentum=0.9)", "SGD(self.flat(), lr=2.0, momentum=0.9)"),
    (
        MODEL,
        "    def load_pretrained_model(self):",
        """    def flat(self):
        return [(layer.theta, layer.dtheta) for layer in self.net.layers if hasattr(layer, "theta")]

    def load_pretrained_model(self):""",
    ),
)


@pytest.mark.parametrize(
    "edits",
    [(), LISTED_ALONE, ONLY_AS_A_WHOLE, (*LISTED_ALONE, *ONLY_AS_A_WHOLE)],
    ids=["properties", "listed alone", "a vector for the optimiser", "listed alone, a vector for the optimiser"],
)
def test_weights_are_found_that_are_parts_of_a_vector(edits, data, tmp_path):
    found = findings(textbook(tmp_path / "copy", *FLAT, *edits), data, "modules", "optimiser")
    told = {name: one.message for name, one in found.items() if one.status not in (results.PASSED, results.ABSENT)}
    assert not told
    assert {"optimiser.zero_grad", "modules.conv2d_grad_weight"} <= set(
        found["optimiser.step_of_train"].details["judged"]
    )


BY_MODULES = (
    (MODEL, "self.optimizer.zero_grad()", "self.net.zero_grad()"),
    (
        MODULES,
        "    def zero_grad(self):\n        for _, grad in self.params:",
        "    def unused(self):\n        for grad in ():",
    ),
    (
        MODULES,
        "        self.layers = list(layers)\n",
        """        self.layers = list(layers)

    def zero_grad(self):
        for layer in self.layers:
            layer.zero_grad()
""",
    ),
)
BIAS_LEFT_OUT = (
    MODULES,
    "class TransposeConv2d(Convolution):",
    """class TransposeConv2d(Convolution):
    def zero_grad(self):
        self.weight_grad.zero_()
""",
)


@pytest.mark.parametrize("edits", [(), (BIAS_LEFT_OUT,)])
def test_each_kind_of_module_is_asked_to_clear_its_gradients(edits, data, tmp_path):
    told = findings(textbook(tmp_path / "copy", *BY_MODULES, *edits), data, "modules", "optimiser")[
        "optimiser.zero_grad"
    ]
    assert told.status == (results.FAILED if edits else results.PASSED), told.message
    assert not edits or "grad_bias of a backward of TransposeConv2d" in told.message


WITHOUT_A_LOSS = (
    (MODEL, "import MSE, SGD", "import SGD"),
    (MODEL, '    "MSE",\n', ""),
    (MODEL, "        self.loss = MSE()\n", ""),
    (
        MODEL,
        "total += self.loss.forward(self.net.forward(x), target).item() * len(batch)",
        "y = self.net.forward(x)",
    ),
    (MODEL, "self.net.backward(self.loss.backward())", "self.net.backward((y - target) * (2 / y.numel()))"),
    (MODULES, "class MSE(Module):", "class Unused(Module):"),
)


def test_a_loss_whose_value_is_never_computed_is_judged_by_its_gradient(data, tmp_path):
    found = findings(textbook(tmp_path / "copy", *WITHOUT_A_LOSS), data, "modules", "optimiser")
    assert found["optimiser.mse_backward"].status == results.PASSED
    assert found["optimiser.mse_forward"].status == results.ABSENT


CHANNELS_BEHIND = (
    (
        MODULES,
        """        self.weight = empty(weight_shape).uniform_(-bound, bound)
        self.weight_grad = empty(weight_shape).zero_()
""",
        """        self.kernel = empty(weight_shape[2:] + weight_shape[:2]).uniform_(-bound, bound)
        self.kernel_grad = self.kernel * 0
""",
    ),
    (
        MODULES,
        "    def add_bias(self, y):",
        """    @property
    def weight(self):
        return self.kernel.permute(2, 3, 0, 1)

    @property
    def weight_grad(self):
        return self.kernel_grad.permute(2, 3, 0, 1)

    @weight_grad.setter
    def weight_grad(self, same):
        pass

    def add_bias(self, y):""",
    ),
    (MODULES, "pairs = [(self.weight, self.weight_grad)]", "pairs = [(self.kernel, self.kernel_grad)]"),
)


def test_a_weight_in_another_order_is_not_lost_for_a_property_that_turns_it(data, tmp_path):
    found = findings(textbook(tmp_path / "copy", *CHANNELS_BEHIND), data, "modules", "optimiser")
    told = {name: one.message for name, one in found.items() if one.status not in (results.PASSED, results.ABSENT)}
    assert not told
