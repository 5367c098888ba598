"""Other optimisers than plain SGD, told apart by the steps that they take along a gradient that stays as it is."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..registry import Failed, Unjudged
from .factors import factor_of

EQUAL = 1e-2  # by which Adam's steps may differ from each other, being the same in length
EXACT = 2e-3  # by which a velocity's way may differ from what it should be
LEAST = 0.05  # of the largest gradient: smaller ones tell nothing of that


@dataclass(frozen=True)
class Step:
    """A parameter before some steps, after the first and after all, and what it should be after them."""

    name: str
    before: Tensor
    first: object
    got: object
    expected: Tensor


def told_apart(taken: list[Step], steps: int) -> str:
    """What is to be noted of steps that are right for SGD with momentum; "" for others, which a mistake may have
    taken. Raises Unjudged for steps that another optimiser takes, Failed where that goes up the gradient.
    """
    if not all(isinstance(value, Tensor) for one in taken for value in (one.first, one.got)):
        return ""
    lengths = [in_length(one.got - one.before, one.expected - one.before) for one in taken]
    if all(lengths) and len({length > 0 for length in lengths}) == 1:
        if lengths[0] < 0:
            raise Failed("steps are of one length for every weight, as Adam's are, and go up the gradient", UP)
        raise Unjudged(
            "steps are of one length for every weight, as Adam's and RMSprop's are: there is no SGD to judge"
        )
    momenta = [momentum(one, steps) for one in taken]
    if None in momenta or max(m for m, _ in momenta) - min(m for m, _ in momenta) > EQUAL:
        return ""
    value, dampened = momenta[0]
    if dampened:
        raise Unjudged(
            f"a velocity of {value:.2g} of itself and the rest of the gradient is always kept: not torch's SGD"
        )
    return f"a momentum of {value:.2g} is always used"


UP = "Is it weight -= lr · …, with the gradient's own sign?"


def in_length(moved: Tensor, along: Tensor) -> float:
    """The length of the step of every single weight in the direction `along`, if it is the same for all; else 0."""
    moved, along = moved.double().flatten(), along.double().flatten()
    clear = along.abs() > LEAST * along.abs().max()
    steps = (moved * along.sign())[clear]
    if clear.sum() < 2 or along[clear].abs().max() < 1.1 * along[clear].abs().min():
        return 0.0
    mean = float(steps.mean())
    return mean if (steps - mean).abs().max() <= EQUAL * abs(mean) else 0.0


def momentum(one: Step, steps: int) -> tuple[float, bool] | None:
    """(momentum, whether the gradient comes in by the rest of it alone) that explains how much faster than SGD it
    is; None if none does.
    """
    along = one.expected - one.before.double()
    first, whole = (factor_of(value - one.before, along / n, 1e-3) for value, n in ((one.first, steps), (one.got, 1)))
    if not first or not whole or not 0 < first <= 1 + 1e-3:
        return None
    value = torch.tensor([(1 - first)]).clamp(0, 1).item()
    dampened = value > EQUAL
    if not dampened:
        candidates = torch.linspace(0.01, 0.99, 981, dtype=torch.float64)
        value = float(candidates[(total(candidates, steps) - whole * steps).abs().argmin()])
    fits = abs(first * total(value, steps) - whole * steps) < EXACT * whole * steps
    return (value, dampened) if fits else None


def total(momentum, steps: int):
    """How far a velocity goes in some steps along the same gradient, in steps of SGD."""
    return sum((steps - i) * momentum**i for i in range(steps))
