"""Name the mistake behind a wrong number: which hypothesis would have given just these values?

Four kinds, tried in this order for one part (forward, grad_input, …) of a module's cases: fresh memory that shows;
`hypotheses` computes, from a case, the values that a known mistake gives; a constant factor is recognised and named;
PATTERNS are properties of cases, and one that holds exactly where the answer is right (or wrong) says where it stops
being right. What is said is one sentence that ends as a question.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from ..sandbox.child import Raised
from .cases import Outcome, part_of, reference
from .compare import mismatch, wrong_form
from .factors import common_factor
from .patterns import pair, pattern, rest

OVERFLOW = "Does exp(x) overflow for large x?"
UNFILLED = "torch.empty is not zeros: is something added to memory that nobody has filled?"


def explain(outcomes: list[Outcome], part: str, tolerance: float) -> str:
    """A hint about what is wrong with `part`, or an empty string."""
    wrong = [o for o in outcomes if o.mismatch(part, tolerance)]
    if not wrong:
        return ""
    if hint := of_shape(wrong, part):
        return hint
    valued = [o for o in wrong if not wrong_form(o.got[part], tuple(o.expected[part].shape))]
    if any(o.got[part].isnan().any() for o in valued):
        return OVERFLOW if valued[0].case.module == "Sigmoid" else UNFILLED
    if valued:
        shared = [set(matching(o, part, tolerance)) for o in valued]
        for sentence in matching(valued[-1], part, tolerance):
            if all(sentence in names for names in shared):
                return sentence
        if factor := common_factor(valued, part, tolerance):
            return f"The values are {factor} what they should be: is a factor missing, or one too many?"
    where = pattern([o.case for o in outcomes if o not in wrong], [o.case for o in wrong])
    return where or of_exception(wrong, part)


# Other shapes, and exceptions -------------------------------------------------------------------------


def of_shape(wrong: list[Outcome], part: str) -> str:
    """What is said of gradients that have the size of the padded or of the cropped input in all these cases."""
    if part != "grad_input" or not all(isinstance(o.got[part], Tensor) and o.got[part].dim() == 4 for o in wrong):
        return ""
    off = [
        tuple(g - e for g, e in zip(o.got[part].shape[2:], o.expected[part].shape[2:], strict=True)) for o in wrong
    ]
    paddings = [pair(o.case.option("padding", 0)) for o in wrong]
    if all(any(d) and d == (2 * p, 2 * q) for d, (p, q) in zip(off, paddings, strict=True)):
        return "It has the size of the padded input: is the padding cut off again?"
    if all(any(d) and d == (-2 * p, -2 * q) for d, (p, q) in zip(off, paddings, strict=True)):
        return "It has the size of the input less the padding: is the padding cut off twice?"
    if all(min(d) < 0 and rest(o.case) for d, o in zip(off, wrong, strict=True)):
        return "It lacks the rows or columns that the stride leaves over: is the input's own size remembered?"
    return ""


EXCEPTIONS = (  # (what an exception says, the question that leads on)
    (r"NoneType.*(\+=|add|iadd|mul)|unsupported operand.*NoneType", "Is a gradient None until zero_grad() makes it?"),
    (
        r"(shape|size|dimension).*(match|invalid|expected)|invalid for input of size",
        "Is a size computed for other cases?",
    ),
    (r"expected .*(Float|Double).*found|same dtype", "Is everything of the type of the input?"),
    (r"list index out of range|pop from empty", "Is something used up by the first backward?"),
)


def of_exception(wrong: list[Outcome], part: str) -> str:
    """What is said of an exception that is the same in all these cases."""
    found = {got.text if isinstance(got := o.got[part], Raised) else None for o in wrong}
    if None in found or not found:
        return ""
    return next((hint for text, hint in EXCEPTIONS if all(re.search(text, one) for one in found)), "")


# Values that a known mistake gives --------------------------------------------------------------------


def matching(outcome: Outcome, part: str, tolerance: float) -> list[str]:
    """The sentences of the hypotheses that give the values we got."""
    return [
        sentence
        for sentence, values in hypotheses(outcome, part)
        if values.shape == outcome.expected[part].shape and mismatch(outcome.got[part], values, tolerance) is None
    ]


def hypotheses(outcome: Outcome, part: str) -> Iterator[tuple[str, Tensor]]:
    """(sentence, the values that this mistake would give) for one part of one case."""
    case, given, expected = outcome.case, outcome.given, outcome.expected[part]
    if part == "grad_input" and rest_of(case):
        yield from without_the_rest(expected)
    yield NEVER.get(part, "All values are 0: is it ever computed?"), torch.zeros_like(expected)
    yield from some_pictures(outcome, part)
    if part == "grad_bias" and case.module == "TransposeConv2d":
        yield WINDOWS, of_windows(case, given)
    if given.weight is not None:
        yield from weights(outcome, part)
    if expected.dim() == 4 and part in ("forward", "grad_input"):
        yield "Rows and columns of the result are exchanged: which of them does view take first?", expected.mT
        order = "The result's values are in another order: is view used where a transpose is needed?"
        yield order, expected.transpose(1, 2).reshape(expected.shape)
        yield order, expected.transpose(0, 1).reshape(expected.shape)
        yield order, expected.permute(0, 2, 3, 1).reshape(expected.shape)
        yield order, expected.permute(1, 2, 3, 0).reshape(expected.shape)
    if part == "forward" and isinstance(outcome.got[part], Tensor):
        yield from shifted(outcome)
    if case.module in ("ReLU", "Sigmoid") and part == "grad_input":
        yield "Is the incoming gradient multiplied in?", derivative(case, given)
        yield "Is the incoming gradient passed through as it is?", given.cotangent.double()
    if case.module == "ReLU" and part == "grad_input":
        masked = given.cotangent.double().clamp(min=0)
        yield "The mask looks at the gradient's sign: should it be the input's?", masked
    if case.module == "Sigmoid" and part == "grad_input":
        x, grad_y = given.x.double(), given.cotangent.double()
        yield "Is x·(1 − x) taken where y·(1 − y) with y = sigmoid(x) is meant?", grad_y * x * (1 - x)


NEVER = dict.fromkeys(
    ("grad_weight", "grad_bias"),
    "All values are 0: is it ever computed, and does param() list the tensor that it is added to?",
)


def some_pictures(outcome: Outcome, part: str) -> Iterator[tuple[str, Tensor]]:
    """Only one picture of the batch counts."""
    case, given, expected = outcome.case, outcome.given, outcome.expected[part]
    n = given.x.shape[0]
    if n == 1:
        return
    for which, one in (("last", slice(n - 1, n)), ("first", slice(0, 1))):
        values = reference(case, part_of(given, one))[part]
        if part not in ("grad_weight", "grad_bias"):
            values = torch.zeros_like(expected).index_copy_(0, torch.arange(n)[one], values)
        yield f"Only the {which} picture of the batch counts: is something saved or assigned in a loop?", values


def weights(outcome: Outcome, part: str) -> Iterator[tuple[str, Tensor]]:
    """The weight or the bias is used in another way, or is another one."""
    case, given, expected = outcome.case, outcome.given, outcome.expected[part]
    if part == "grad_weight":
        transposed = expected.flatten(1)
        yield (
            REVIEWED,
            (transposed.t() if transposed.shape[0] != transposed.shape[1] else transposed.mT).reshape(expected.shape),
        )
        yield "The kernel's gradient is flipped: in which order are its rows and columns?", expected.flip(2, 3)
        yield "The kernel's gradient has rows and columns exchanged: is there a transpose too many?", expected.mT
        layout = "The layout is another one, with input and output channels exchanged: is a transpose missing?"
        for values in other_layouts(expected):
            yield layout, values
    elif part != "grad_bias":
        for sentence, weight in (
            ("The kernel is used flipped: is it a cross-correlation, as torch's?", given.weight.flip(2, 3)),
            ("The kernel is used with rows and columns exchanged: is there a transpose too many?", given.weight.mT),
            *((LAYOUT, weight) for weight in other_layouts(given.weight)),
        ):
            if weight.shape == given.weight.shape:
                yield sentence, reference(case, replace(given, weight=weight))[part]
        fitting = {k: v.float() for k, v in outcome.built.items() if v.shape == getattr(given, k).shape}
        for used in (fitting, {name: value for name, value in fitting.items() if name == "weight"}):
            built = reference(case, replace(given, **used))
            yield BUILT, built[part]
    if given.bias is not None and part == "forward":
        without = replace(given, bias=torch.zeros_like(given.bias))
        yield "The bias is not added: is it forgotten?", reference(case, without)[part]


OFF = "Every channel is off by a constant: is the bias the right one, and none added if bias=False?"
BUILT = "The weights it was built with are used: is a copy of them kept, so that new ones go unused?"
LAYOUT = "The weight is read in another layout: is view used where a transpose is needed?"


def other_layouts(weight: Tensor) -> Iterator[Tensor]:
    """A weight C×D×kh×kw as it is read, in the same shape, by who takes D, or the kernel, for its first dimension."""
    c, d, *kernel = weight.shape
    yield weight.transpose(0, 1).reshape(weight.shape)
    yield weight.reshape(d, c, *kernel).transpose(0, 1)
    yield weight.flatten(1).t().reshape(weight.shape)
    yield weight.reshape(-1, c).t().reshape(weight.shape)


REVIEWED = (
    "The weight's gradient is computed in its transposed layout and then viewed in the weight's shape, which puts "
    "the right numbers in wrong places: is it XᵀP where PᵀX stands, or a permute in place of the view?"
)


WINDOWS = (
    "Each pixel counts as often as windows cover it: is the sum taken over the unfolded gradient, not over the gradient?"
)


def of_windows(case, given) -> Tensor:
    """The bias's gradient as the sum over the patches of the gradient that is given, rather than over its pixels."""
    kernel, n, channels = case.args[2], *given.cotangent.shape[:2]
    stride, padding = case.option("stride", 1), case.option("padding", 0)
    patches = torch.nn.functional.unfold(given.cotangent.double(), kernel, padding=padding, stride=stride)
    return patches.view(n, channels, -1).sum((0, 2))


def without_the_rest(expected: Tensor) -> Iterator[tuple[str, Tensor]]:
    """The last rows and columns are left out, as many as a stride may leave over."""
    for rows in (0, 1, 2):
        for columns in (0, 1, 2):
            if rows or columns:
                values = expected.clone()
                values[:, :, expected.shape[2] - rows :] = 0
                values[:, :, :, expected.shape[3] - columns :] = 0
                yield LEFT_OVER, values


LEFT_OVER = "The last rows or columns are 0: do those count that the stride leaves over?"


def rest_of(case) -> bool:
    return case.module == "Conv2d" and rest(case)


def shifted(outcome: Outcome) -> Iterator[tuple[str, Tensor]]:
    """Each channel is off by a constant of its own."""
    got, expected = outcome.got["forward"].double(), outcome.expected["forward"]
    if got.shape == expected.shape and expected.shape[2:].numel() > 1:
        offsets = (got - expected).mean((0, 2, 3), keepdim=True)
        yield OFF, expected + offsets


def derivative(case, given) -> Tensor:
    return reference(case, replace(given, cotangent=torch.ones_like(given.cotangent)))["grad_input"]
