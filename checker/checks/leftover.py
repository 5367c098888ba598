"""The next call of train(): whether the gradients of the one before are gone, and whether it goes along its own, of a
network whatever it is made of.
"""

from statistics import median

import torch
from torch.nn import functional as F

from ..context import Grading
from ..registry import Failed, Unjudged
from . import slopes
from .second import ADDED, CLEARED
from .steps import step_on

CLEAR = 0.02  # of what tells both gradients apart, by which a step may miss them
FAR = 5  # times what is allowed, by which a step must miss its gradients to be told of
ADDED_UP = Failed(
    "in train() the gradients of the first step are added to those of the second",
    "Are they set to zero before every backward?",
)
HINT = "Is something of the first step still in use, such as a mask, an input, or a list of the old weights?"


def judge(g: Grading) -> None:
    """Failed if the next step is wrong, after a first one in which nothing was. Raises Unjudged where not known."""
    told = g.once(slopes.told)
    taken = None if told.wrong else step_on(g, told.pictures, told.sgd, "recorded", epochs=2)
    if taken is None or isinstance(taken[0].slopes, str):
        raise Unjudged("no second step could be followed")
    every = [slopes.Moved(*one) for one in zip(taken[0].parameters, taken[0].slopes, strict=True)]
    every = [one for one in every if one.parameter.name in told.rates and one.rounding < slopes.ROUNDED]
    rates = [told.rates[one.parameter.name] for one in every]
    times = counted(every, rates)
    known = [one for one in times if one is not None]
    if any(ADDED[0] < one < ADDED[1] for one in known):
        raise ADDED_UP
    if len(known) < 2 or not all(CLEARED[0] < one < CLEARED[1] for one in known):
        raise Unjudged("a second step is none of its gradient and the first one's")
    for one, rate, count in zip(every, rates, times, strict=True):
        if one.is_left_out(rate):
            raise Failed(f"a first step of train() moves {one.parameter.name}, a second one does not", HINT)
        if count is None and one.change.any() and fitted(one)[2] > FAR * one.allowed() and not one.is_clamped():
            raise Failed(f"a second step of train() does not go along the gradient of {one.parameter.name}", HINT)


def counted(every: list[slopes.Moved], rates: list[float]) -> list[float | None]:
    """How many times the first step's gradient, against which that went at these rates, is in the change that both
    made of each parameter; None where that is another number, or can't be told: where both gradients are as good as
    parallel, or the step along its own is not as long as with most, by a decay perhaps.
    """
    fits = [fitted(one) if one.change.any() else (0.0, 0.0, 1.0) for one in every]
    own = [-fit[0] / rate for fit, rate in zip(fits, rates, strict=True)]
    clear = [fit[2] < CLEAR * apart(one) for one, fit in zip(every, fits, strict=True)]
    usual = median([one for one, is_clear in zip(own, clear, strict=True) if is_clear] or [0.0])
    return [
        1 + fit[1] / one if is_clear and usual > 0 and abs(one / usual - 1) < CLEAR else None
        for fit, one, is_clear in zip(fits, own, clear, strict=True)
    ]


def apart(second: slopes.Moved) -> float:
    """The sine between its gradient and the step before."""
    _, slope, _, first = second.scaled
    return (1 - min(1.0, float(F.cosine_similarity(slope, first, 0)) ** 2)) ** 0.5


def fitted(second: slopes.Moved) -> tuple[float, float, float]:
    """How much of its gradient and of the step before is in a step, and how far it misses all that these make."""
    step, slope, _, first = second.scaled
    along = torch.stack([slope, first], 1)
    parts = torch.linalg.lstsq(along, step[:, None]).solution.flatten()
    return *parts.tolist(), float((along @ parts - step).abs().max())
