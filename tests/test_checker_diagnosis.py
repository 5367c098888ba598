"""Known mistakes are named: values computed here as a student would get them wrong, and what is said of them."""

import pytest
import torch
from checker_support import findings, make_data, textbook
from torch.nn import functional as F

from checker.checks import cases, diagnosis
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
