"""What the assignment does not ask for: praised where it is right, and never held against anyone."""

from ..context import Grading
from ..registry import Failed, NotApplicable, check
from . import cases, diagnosis
from .cases import case
from .judging import PARTS, name_of


def extra(g: Grading, *extras: cases.Case) -> dict:
    """All parts of some cases beyond the core; what is wrong in the core as well is not counted again."""
    kept = [one for one in extras if name_of(g, one.module)]
    if not kept:
        raise NotApplicable("the module it concerns was not handed in")
    tolerance = g.config["tolerance"]["absolute"]
    outcomes = [cases.run(g, one) for one in kept]
    for outcome in outcomes:
        core = g.once(cases.sweep, outcome.case.module)
        for part in outcome.expected:
            found = outcome.mismatch(part, tolerance)
            if found and not any(one.mismatch(part, tolerance) for one in core):
                same = [o for o in outcomes if o.case.module == outcome.case.module]
                hint = diagnosis.explain([*core, *same], part, tolerance)
                hint = hint or diagnosis.explain([outcome], part, tolerance)
                raise Failed(f"{outcome.case}, {PARTS[part]}: {found.message}", hint)
    return {"geometries": len(outcomes)}


@check("beyond", needs=("modules.conv2d_forward",))
def dilation(g: Grading):
    """Dilation"""
    return extra(
        g,
        case("Conv2d", (3, 2, 9, 10), 2, 3, 3, dilation=2),
        case("Conv2d", (1, 2, 9, 8), 2, 3, 2, stride=2, padding=1, dilation=3),
        case("Conv2d", (3, 2, 10, 8), 2, 3, 2, stride=2, padding=1, dilation=2),  # a rest by its dilation alone
        case("TransposeConv2d", (3, 2, 5, 4), 2, 3, 3, stride=2, dilation=2),
    )


@check("beyond", needs=("modules.conv2d_forward",))
def pairs(g: Grading):
    """Pairs for kernel size, stride and padding"""
    return extra(
        g,
        case("Conv2d", (3, 2, 9, 10), 2, 3, (3, 2)),
        case("Conv2d", (3, 2, 9, 10), 2, 3, 3, stride=(1, 2)),
        case("Conv2d", (3, 2, 9, 10), 2, 3, (3, 2), stride=(1, 2), padding=(0, 1)),
        case("TransposeConv2d", (3, 2, 5, 4), 2, 3, (2, 3)),
        case("TransposeConv2d", (3, 2, 5, 4), 2, 3, (2, 3), stride=(2, 1), padding=(1, 0)),
    )


@check("beyond", needs=("api.imports",))
def scale_factors(g: Grading):
    """Other factors than 2 for NearestUpsampling"""
    return extra(
        g,
        case("NearestUpsampling", (3, 3, 3, 4), 3),
        case("NearestUpsampling", (1, 2, 4, 5), scale_factor=4),
    )


@check("beyond", needs=("modules.conv2d_forward",))
def output_padding(g: Grading):
    """output_padding of the transposed convolution"""
    return extra(g, case("TransposeConv2d", (3, 2, 5, 4), 2, 3, 3, stride=2, padding=1, output_padding=1))


@check("beyond", needs=("modules.conv2d_forward",))
def strided_input(g: Grading):
    """Inputs that are not contiguous"""
    return extra(
        g,
        case("Conv2d", (3, 2, 6, 7), 2, 3, 3, strided=True),
        case("TransposeConv2d", (3, 2, 5, 4), 2, 3, 2, stride=2, strided=True),
        case("NearestUpsampling", (3, 2, 5, 4), 2, strided=True),
        case("ReLU", (3, 2, 5, 4), strided=True),
        case("Sigmoid", (3, 2, 5, 4), strided=True),
    )


@check("beyond", needs=("modules.sigmoid_forward",))
def extreme_values(g: Grading):
    """Sigmoid neither overflows nor gives NaN at ±10,000"""
    return extra(g, case("Sigmoid", (2, 2, 4, 4), scale=1e4))
