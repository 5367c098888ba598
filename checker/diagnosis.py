"""Name the mistake behind a wrong number: which hypothesis would have given just these values?

Three kinds, tried in this order for one part (forward, grad_input, …) of a module's cases: `hypotheses`
computes, from a case, the values that a known mistake gives; a constant factor is recognised and named;
PATTERNS are properties of cases, and one that holds exactly where the answer is right says where it stops
being right.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from .cases import Outcome, part_of, reference
from .compare import mismatch, wrong_form

SCALARS = "N", "C", "H·W", "C·H·W", "N·C·H·W"


def explain(outcomes: list[Outcome], part: str, tolerance: float) -> str:
    """A hint about what is wrong with `part`, or an empty string."""
    wrong = [o for o in outcomes if o.mismatch(part, tolerance)]
    valued = [o for o in wrong if not wrong_form(o.got[part], tuple(o.expected[part].shape))]
    if not wrong:
        return ""
    if valued:
        shared = [set(matching(o, part, tolerance)) for o in valued]
        for sentence in matching(valued[-1], part, tolerance):
            if all(sentence in names for names in shared):
                return sentence
        named = [scale_name(o, part, tolerance) for o in valued]
        common = [name for name in named[-1] if all(name in names for names in named)]
        if common:
            return f"The values are {common[0]} what they should be: is a factor missing, or one too many?"
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
    n = given.x.shape[0]
    yield "All values are 0: is it ever computed?", torch.zeros_like(expected)
    if n > 1:
        for which, one in (("last", slice(n - 1, n)), ("first", slice(0, 1))):
            alone = reference(case, part_of(given, one))[part]
            if part in ("grad_weight", "grad_bias"):
                values = alone
            else:
                values = torch.zeros_like(expected)
                values[one] = alone
            yield (
                f"Only the {which} picture of the batch counts: is something saved or assigned in a loop?",
                values,
            )
    if given.weight is not None:
        if part == "grad_weight":
            yield "The kernel's gradient is flipped.", expected.flip(2, 3)
            yield "The kernel's gradient has rows and columns exchanged.", expected.mT
            yield (
                "The weight's gradient has input and output channels exchanged: which layout has the weight?",
                expected.transpose(0, 1).reshape(expected.shape),
            )
        else:
            exchanged = "The kernel is used with rows and columns exchanged."
            other_layout = "The weight is read in another layout: did you mean view where a transpose is needed?"
            for sentence, weight in (
                ("The kernel is used flipped.", given.weight.flip(2, 3)),
                (exchanged, given.weight.mT),
                (other_layout, given.weight.transpose(0, 1).reshape(given.weight.shape)),
            ):
                if weight.shape == given.weight.shape:
                    yield sentence, reference(case, replace(given, weight=weight))[part]
    if given.bias is not None and part == "forward":
        yield (
            "The bias is not added.",
            reference(case, replace(given, bias=torch.zeros_like(given.bias)))[part],
        )
    if expected.dim() == 4 and part in ("forward", "grad_input"):
        yield "Rows and columns of the result are exchanged.", expected.mT
        yield (
            "The result's values are in another order: did you mean transpose where view is used?",
            expected.transpose(1, 2).reshape(expected.shape),
        )
    if case.module in ("ReLU", "Sigmoid") and part == "grad_input":
        yield "The incoming gradient is not multiplied in.", derivative(case, given)
        yield "The incoming gradient is passed through as it is.", given.cotangent.double()
        yield "The mask looks at the gradient's sign, not the input's.", given.cotangent.double().clamp(min=0)


def derivative(case, given) -> Tensor:
    return reference(case, replace(given, cotangent=torch.ones_like(given.cotangent)))["grad_input"]


# A constant factor ------------------------------------------------------------------------------------


def scale_name(outcome: Outcome, part: str, tolerance: float) -> list[str]:
    """The names of the constant by which the values differ from what they should be; empty if there is none."""
    got, expected = outcome.got[part].double(), outcome.expected[part]
    power = (expected * expected).sum()
    factor = ((got * expected).sum() / power).item() if power > 0 else 0.0
    if abs(factor) < 1e-9 or mismatch(got / factor, expected, tolerance * 10) is not None:
        return []
    return [name for name, value in constants(outcome) if abs(factor / value - 1) < 1e-3] + [f"{factor:.4g} times"]


def constants(outcome: Outcome) -> Iterator[tuple[str, float]]:
    yield "minus", -1.0
    for where, shape in (("input", outcome.given.x.shape), ("output", outcome.given.cotangent.shape)):
        n, c, h, w = shape
        for name, value in zip(SCALARS, (n, c, h * w, c * h * w, n * c * h * w), strict=True):
            if value > 1:
                yield f"{name} of the {where} ({value}) times", float(value)
                yield f"1/({name} of the {where}) (1/{value}) times", 1.0 / value
    area = outcome.given.cotangent.shape[2:].numel() / outcome.given.x.shape[2:].numel()
    if outcome.case.module == "NearestUpsampling":
        yield "1/(the factor squared) times", 1 / area
        yield "(the factor squared) times", area
    yield "twice", 2.0
    yield "half", 0.5


# Where it is right, and where not ---------------------------------------------------------------------


def rest(case) -> bool:
    """Whether a stride leaves rows or columns over."""
    k, s, p = case.args[2], case.option("stride", 1), case.option("padding", 0)
    return any((n + 2 * p - k) % s for n in case.shape[2:])


def is_convolution(case) -> bool:
    return len(case.args) == 3


PATTERNS = (
    ("a batch of 1", lambda c: c.shape[0] == 1),
    ("square pictures", lambda c: c.shape[2] == c.shape[3]),
    ("stride 1", lambda c: is_convolution(c) and c.option("stride", 1) == 1),
    ("strides that leave no rest", lambda c: is_convolution(c) and not rest(c)),
    ("padding 0", lambda c: is_convolution(c) and c.option("padding", 0) == 0),
    ("padding (k − 1)/2", lambda c: is_convolution(c) and 2 * c.option("padding", 0) == c.args[2] - 1),
    ("stride equal to the kernel size", lambda c: is_convolution(c) and c.option("stride", 1) == c.args[2]),
    ("a 1×1 kernel", lambda c: is_convolution(c) and c.args[2] == 1),
    ("factor 2", lambda c: c.module == "NearestUpsampling" and 2 in (*c.args, c.option("scale_factor", 0))),
)


def pattern(right: list, wrong: list) -> str:
    """The property that holds for all cases that are right and for none that is wrong, as a sentence."""
    for name, holds in PATTERNS:
        if right and all(map(holds, right)) and not any(map(holds, wrong)):
            return f"It is right only for {name}."
    return ""
