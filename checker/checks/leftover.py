"""Whether gradients are gone when train() is called once more, of a network whatever it is made of."""

import torch
from torch.nn import functional as F

from ..context import Grading
from ..registry import Failed, Unjudged
from . import slopes
from .second import ADDED, CLEARED, PARALLEL
from .steps import step_on


def left(g: Grading) -> Failed | None:
    """Failed where the gradients of a first step are added to those of the next. Raises Unjudged where that is not
    known.
    """
    told = g.once(slopes.told)
    taken = None if told.wrong else step_on(g, told.pictures, told.sgd, "recorded", epochs=2)
    if taken is None or isinstance(taken[0].slopes, str):
        raise Unjudged("no second step could be followed")
    every = (slopes.Moved(*one) for one in zip(taken[0].parameters, taken[0].slopes, strict=True))
    times = [counted(one, told.rates[one.parameter.name]) for one in every if one.parameter.name in told.rates]
    known = [one for one in times if one is not None]
    if any(ADDED[0] < one < ADDED[1] for one in known):
        return Failed(
            "in train() the gradients of the first step are added to those of the second",
            "Are they set to zero before every backward?",
        )
    if not known or not all(CLEARED[0] < one < CLEARED[1] for one in known):
        raise Unjudged("a second step is none of its gradient and the first one's")
    return None


def counted(second: slopes.Moved, rate: float) -> float | None:
    """How many times the first step's gradient, against which that went at this rate, is in the change that both made
    of a parameter; None if that is another number, or can't be told.
    """
    if second.rounding > slopes.ROUNDED or not second.change.any():
        return None
    step, slope, _, first = second.scaled
    if float(F.cosine_similarity(slope, first, 0).abs()) > PARALLEL:
        own = second.rate()
        return own and own / rate
    along = torch.stack([slope, first], 1)
    fitted = torch.linalg.lstsq(along, step[:, None]).solution.flatten()
    if float((along @ fitted - step).abs().max()) > second.allowed():
        return None
    own, times = -float(fitted[0]), float(fitted[1])
    return 1 + times * rate / own if own > 0 else None
