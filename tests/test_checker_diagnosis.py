"""Known mistakes are named: values computed here as a student would get them wrong, and what is said of them."""

import pytest
import torch
from checker_support import findings, make_data, textbook
from torch.nn import functional as F

from checker.checks import cases, diagnosis, patterns
from checker.sandbox.child import Raised

TOLERANCE = 1e-5


def outcomes(module: str, part: str, mistake) -> list[cases.Outcome]:
    """What a submission answers that is right but for one part, which is `mistake(case, given, expected)`."""
    found = []
    for one in cases.CORE[module]:
        given = cases.make(one, 3)
        expected = cases.reference(one, given)
        got = expected | {part: mistake(one, given, expected[part])}
        found.append(cases.Outcome(one, given, expected, got))
    return found


def padding(one) -> int:
    return one.option("padding", 0)


def padded_gradient(one, given, _):
    """The gradient with respect to the padded input of a convolution."""
    x = F.pad(given.x.double(), [padding(one)] * 4).requires_grad_()
    y = F.conv2d(x, given.weight.double(), stride=one.option("stride", 1))
    return torch.autograd.grad(y, x, given.cotangent.double())[0]


def cropped_again(one, _, expected):
    p = padding(one)
    return expected[:, :, p : expected.shape[2] - p, p : expected.shape[3] - p]


def left_over(one, keep: bool, expected):
    """Without what the stride leaves over: zeros in its place, or nothing."""
    k, s, p = one.args[2], one.option("stride", 1), padding(one)
    over = [(n + 2 * p - k) % s for n in one.shape[2:]]
    kept = expected[:, :, : expected.shape[2] - over[0], : expected.shape[3] - over[1]]
    return F.pad(kept, (0, over[1], 0, over[0])) if keep else kept


def rows_of_pixels(given) -> torch.Tensor:
    """The gradient of the output as a matrix with a row for each pixel, by reshape alone."""
    n, c, h, w = given.cotangent.shape
    return given.cotangent.double().reshape(n, h, w, c).permute(0, 3, 1, 2)


def weight_gradient_of_rows(one, given, _):
    weight = given.weight.double().requires_grad_()
    y = F.conv2d(given.x.double(), weight, stride=one.option("stride", 1), padding=padding(one))
    return torch.autograd.grad(y, weight, rows_of_pixels(given))[0]


def products_transposed(one, given, expected):
    """PᵀX, viewed in the shape that XᵀP has."""
    n, c = given.x.shape[:2]
    patches = F.unfold(given.cotangent.double(), one.args[2], stride=one.option("stride", 1), padding=padding(one))
    x = given.x.double().reshape(n, c, -1)
    return (patches @ x.transpose(1, 2)).sum(0).reshape(expected.shape)


def sum_of_patches(one, given, _):
    n, c = given.cotangent.shape[:2]
    patches = F.unfold(given.cotangent.double(), one.args[2], stride=one.option("stride", 1), padding=padding(one))
    return patches.view(n, c, -1).sum((0, 2))


def corner(one, given, _):
    return given.cotangent.double()[:, :, :: one.args[0], :: one.args[0]]


MISTAKES = {
    "padded": ("Conv2d", "grad_input", padded_gradient, "size of the padded input"),
    "cropped": ("Conv2d", "grad_input", cropped_again, "cut off twice"),
    "zeros at the end": ("Conv2d", "grad_input", lambda o, g, e: left_over(o, True, e), "the stride leaves over"),
    "smaller": ("Conv2d", "grad_input", lambda o, g, e: left_over(o, False, e), "lacks the rows or columns"),
    "one side": (
        "Conv2d", "grad_input", lambda o, g, e: padded_gradient(o, g, e)[:, :, : e.shape[2], : e.shape[3]],
        "at one side alone",
    ),
    "batch": (
        "Conv2d", "grad_input", lambda o, g, e: e if len(e) == 1 else e + e.roll(1, 0), "right only for a batch of 1"
    ),
    "rows": ("Conv2d", "grad_weight", weight_gradient_of_rows, "read in another order"),
    "PᵀX": ("TransposeConv2d", "grad_weight", products_transposed, "computed in its transposed layout"),
    "kernel first": (
        "Conv2d", "grad_weight", lambda o, g, e: e.permute(0, 2, 3, 1).reshape(e.shape), "layout is another one"
    ),
    "patches": ("TransposeConv2d", "grad_bias", sum_of_patches, "as often as windows cover it"),
    "corner": ("NearestUpsampling", "grad_input", corner, "Only one of the pixels"),
    "sign": ("ReLU", "grad_input", lambda o, g, e: (g.cotangent * g.x.sign()).double(), "input's sign"),
    "output": ("ReLU", "grad_input", lambda o, g, e: (g.cotangent * g.x.relu()).double(), "with the output"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_by_the_values_that_it_gives(name):
    module, part, mistake, words = MISTAKES[name]
    assert words in diagnosis.explain(outcomes(module, part, mistake), part, TOLERANCE)


def test_right_values_are_not_explained():
    assert diagnosis.explain(outcomes("Conv2d", "grad_input", lambda o, g, e: e), "grad_input", TOLERANCE) == ""


# Conv2d.backward of the textbook that goes wrong where a dilated kernel leaves a rest, and is right in all else.
FOLDED = "return fold(self.weight.flatten(1).t() @ grad, self.x_shape[2:], **self.windows)"
OF_THE_DILATED = """
        def rest(n, axis):
            k, s, p, d = (self.windows[name][axis] for name in ("kernel_size", "stride", "padding", "dilation"))
            return (n + 2 * p - d * (k - 1) - 1) % s if d > 1 else 0

        height, width = (n - rest(n, axis) for axis, n in enumerate(self.x_shape[2:]))
        grad_x = empty(self.x_shape).zero_()
        grad_x[:, :, :height, :width] = fold(self.weight.flatten(1).t() @ grad, (height, width), **self.windows)
        return grad_x
"""
OF_THE_KERNEL = """
        def size(n, axis):
            k, s, p, d = (self.windows[name][axis] for name in ("kernel_size", "stride", "padding", "dilation"))
            rest = (n + 2 * p - k) % s  # which is that of a kernel without dilation
            return (self.output_size(n, axis) - 1) * s + d * (k - 1) + 1 - 2 * p + rest

        size = [size(n, axis) for axis, n in enumerate(self.x_shape[2:])]
        return fold(self.weight.flatten(1).t() @ grad, size, **self.windows)
"""
LEFT_BY_A_DILATION = {
    "zeros in its place": (OF_THE_DILATED, "do those count that the stride leaves over?"),
    "nothing in its place": (OF_THE_KERNEL, "lacks the rows or columns that the stride leaves over"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("how", LEFT_BY_A_DILATION)
def test_what_a_dilated_kernel_leaves_over_is_found_named_and_costs_no_required_point(how, data, tmp_path):
    source, words = LEFT_BY_A_DILATION[how]
    found = findings(textbook(tmp_path, ("others/modules.py", FOLDED, source.strip())), data, "modules", "beyond")
    told = found["beyond.dilation"]
    assert told.status == "failed"
    assert "gradient of the input" in told.message
    assert words in told.hint
    assert {f.status for f in found.values() if f is not told} <= {"passed", "not applicable"}


@pytest.mark.parametrize(("columns", "left"), [(8, True), (9, False)])
def test_a_rest_is_what_the_dilated_kernel_leaves(columns, left):
    one = cases.case("Conv2d", (1, 2, 9, columns), 2, 3, 2, stride=2, dilation=2)
    assert patterns.rest(one) is left  # three rows or columns are covered, so that 9 leave none over, and 8 one


def test_what_is_right_without_dilation_only_is_named():
    dilated = cases.case("Conv2d", (3, 2, 9, 10), 2, 3, 3, dilation=2)
    given = cases.make(dilated, 3)
    expected = cases.reference(dilated, given)
    wrong = cases.Outcome(dilated, given, expected, expected | {"grad_weight": expected["grad_weight"].sin()})
    right = outcomes("Conv2d", "grad_weight", lambda o, g, e: e)
    assert "right only for dilation 1" in diagnosis.explain([*right, wrong], "grad_weight", TOLERANCE)


EXCEPTIONS = {
    "unsupported operand type(s) for +=: 'NoneType' and 'Tensor'": "None until zero_grad()",
    "shape '[3, 5, 3, 3]' is invalid for input of size 270": "size computed for other cases",
    "expected m1 and m2 to have the same dtype, but got: float != double": "type of the input",
    "pop from empty list": "used up by the first backward",
}


@pytest.mark.parametrize("text", EXCEPTIONS)
def test_an_exception_of_a_known_kind_leads_on(text):
    raised = Raised({"type": "TypeError", "text": text, "where": "Proj_2/model.py:1, in backward"})
    hint = diagnosis.explain(outcomes("Conv2d", "grad_input", lambda o, g, e: raised), "grad_input", TOLERANCE)
    assert EXCEPTIONS[text] in hint


def test_what_raises_is_told_once_and_quotes_the_students_line(tmp_path):
    line = "self.weight_grad += (grad @ self.columns).sum(0).view(self.weight.shape)"
    folder = textbook(
        tmp_path / "a",
        (
            "others/modules.py",
            "self.weight_grad += (grad @ self.columns.transpose(1, 2)).sum(0).view(self.weight.shape)",
            line,
        ),
    )
    found = findings(folder, make_data(tmp_path / "data"), "modules")
    told = [finding for finding in found.values() if finding.status == "failed"]
    assert [finding.source for finding in told] == [line]
    hidden = [f for f in found.values() if f.status == "skipped" and f.behind == told[0].check]
    assert {"modules.conv2d_grad_weight"} <= {f.check for f in hidden}
