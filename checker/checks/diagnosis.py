"""Name the mistake behind a wrong number: which hypothesis would have given just these values?

Four kinds, tried in this order for one part (forward, grad_input, …) of a module's cases: fresh memory that shows;
`hypotheses` computes, from a case, the values that a known mistake gives; a constant factor is recognised and named;
PATTERNS are properties of cases, and one that holds exactly where the answer is right (or wrong) says where it stops
being right. What is said is one sentence that ends as a question.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from .cases import Outcome, part_of, reference
from .compare import mismatch, wrong_form

OVERFLOW = "Does exp(x) overflow for large x?"
UNFILLED = "torch.empty is not zeros: is something added to memory that nobody has filled?"


def explain(outcomes: list[Outcome], part: str, tolerance: float) -> str:
    """A hint about what is wrong with `part`, or an empty string."""
    wrong = [o for o in outcomes if o.mismatch(part, tolerance)]
    if not wrong:
        return ""
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
    return pattern([o.case for o in outcomes if o not in wrong], [o.case for o in wrong])


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
    yield NEVER.get(part, "All values are 0: is it ever computed?"), torch.zeros_like(expected)
    yield from some_pictures(outcome, part)
    if given.weight is not None:
        yield from weights(outcome, part)
    if expected.dim() == 4 and part in ("forward", "grad_input"):
        yield "Rows and columns of the result are exchanged: which of them does view take first?", expected.mT
        order = "The result's values are in another order: is view used where a transpose is needed?"
        yield order, expected.transpose(1, 2).reshape(expected.shape)
        yield order, expected.transpose(0, 1).reshape(expected.shape)
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
        yield "The kernel's gradient is flipped: in which order are its rows and columns?", expected.flip(2, 3)
        yield "The kernel's gradient has rows and columns exchanged: is there a transpose too many?", expected.mT
        layout = "The weight's gradient has input and output channels exchanged: is there a transpose missing?"
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


def shifted(outcome: Outcome) -> Iterator[tuple[str, Tensor]]:
    """Each channel is off by a constant of its own."""
    got, expected = outcome.got["forward"].double(), outcome.expected["forward"]
    if got.shape == expected.shape and expected.shape[2:].numel() > 1:
        offsets = (got - expected).mean((0, 2, 3), keepdim=True)
        yield OFF, expected + offsets


def derivative(case, given) -> Tensor:
    return reference(case, replace(given, cotangent=torch.ones_like(given.cotangent)))["grad_input"]


# A constant factor ------------------------------------------------------------------------------------


def common_factor(wrong: list[Outcome], part: str, tolerance: float) -> str:
    """The constant by which the values of all these cases differ from what they should be, by name; or nothing."""
    named = [factor_names(o, part, tolerance) for o in wrong]
    return next((name for name in named[-1] if all(name in names for names in named)), "")


def factor_names(outcome: Outcome, part: str, tolerance: float) -> list[str]:
    """The names of the constant by which the values differ from what they should be; empty if there is none."""
    got, expected = outcome.got[part].double(), outcome.expected[part]
    factor = factor_of(got, expected, tolerance)
    if factor is None:
        return []
    return [name for name, value in constants(outcome) if abs(factor / value - 1) < 1e-3] + [f"{factor:.4g} times"]


def factor_of(got: Tensor, expected: Tensor, tolerance: float) -> float | None:
    """The number that `expected` has to be multiplied with to give `got`; None if there is none."""
    power = (expected * expected).sum().item()
    factor = (got * expected).sum().item() / power if power > 0 else 0.0
    if abs(factor) < 1e-9 or mismatch(got / factor, expected, 10 * tolerance) is not None:
        return None
    return factor


def constants(outcome: Outcome) -> Iterator[tuple[str, float]]:
    """(name, value) of the factors that are forgotten, or one too many, most often."""
    yield "minus", -1.0
    yield "twice", 2.0
    yield "half", 0.5
    x, grad_y = outcome.given.x, outcome.given.cotangent
    factors = {"N": x.shape[0]}
    for where, (_, c, h, w) in (("input", x.shape), ("output", grad_y.shape)):
        sizes = {"C": c, "H·W": h * w, "C·H·W": c * h * w, "N·H·W": len(x) * h * w, "N·C·H·W": len(x) * c * h * w}
        factors |= {f"{name} of the {where}": size for name, size in sizes.items()}
    if outcome.given.weight is not None:
        factors["the kernel's area"] = outcome.given.weight.shape[2:].numel()
    if outcome.case.module == "NearestUpsampling":
        factors["the factor squared"] = grad_y.shape[2:].numel() // x.shape[2:].numel()
    for name, value in factors.items():
        if value > 1:
            yield f"{name} times", float(value)
            yield f"1/{name} times" if name == "N" else f"1/({name}) times", 1.0 / value


# Where it is right, and where not ---------------------------------------------------------------------


def rest(case) -> bool:
    """Whether a stride leaves rows or columns over."""
    k, s, p = pair(case.args[2]), pair(case.option("stride", 1)), pair(case.option("padding", 0))
    return any((n + 2 * p[i] - k[i]) % s[i] for i, n in enumerate(case.shape[2:]))


def pair(value) -> tuple:
    return value if isinstance(value, tuple) else (value, value)


def is_convolution(case) -> bool:
    return len(case.args) == 3


def symmetric(case) -> bool:
    """Whether the padding is (k − 1)/2, which keeps the size at stride 1 if k is odd."""
    return all(p == (k - 1) // 2 for p, k in zip(pair(case.option("padding", 0)), pair(case.args[2]), strict=True))


PATTERNS = (  # (cases, question, whether a case is one of them)
    ("a batch of 1", "are the pictures of a batch kept apart?", lambda c: c.shape[0] == 1),
    ("square pictures", "are height and width told apart?", lambda c: c.shape[2] == c.shape[3]),
    ("stride 1", "where does the stride enter?", lambda c: is_convolution(c) and c.option("stride", 1) == 1),
    ("strides that leave no rest", "is the size rounded down?", lambda c: is_convolution(c) and not rest(c)),
    (
        "padding (k − 1)/2",
        "where does the padding enter the size?",
        lambda c: is_convolution(c) and symmetric(c),
    ),
    ("padding 0", "where does the padding enter?", lambda c: is_convolution(c) and not c.option("padding", 0)),
    (
        "stride equal to the kernel size",
        "do overlapping windows add up?",
        lambda c: is_convolution(c) and c.option("stride", 1) == c.args[2],
    ),
    ("a 1×1 kernel", "where does the kernel's size enter?", lambda c: is_convolution(c) and c.args[2] == 1),
    (
        "square kernels",
        "is a pair of sizes taken apart?",
        lambda c: is_convolution(c) and len({*pair(c.args[2])}) == 1,
    ),
    (
        "factor 2",
        "is a 2 written where the factor is meant?",
        lambda c: c.module == "NearestUpsampling" and 2 in (*c.args, c.option("scale_factor", 0)),
    ),
)


def pattern(right: list, wrong: list) -> str:
    """The property that holds for all cases that are right and for none that is wrong, or the other way round, as
    a sentence.
    """
    for name, question, holds in PATTERNS:
        if right and all(map(holds, right)) and not any(map(holds, wrong)):
            return f"It is right only for {name}: {question}"
    for name, question, holds in PATTERNS:
        if right and all(map(holds, wrong)) and not any(map(holds, right)):
            return f"It is wrong only for {name}: {question}"
    return ""
