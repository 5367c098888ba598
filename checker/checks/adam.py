"""Adam, which the assignment does not ask for but many Models use: what its first step tells of a mistake."""

import torch
from torch import Tensor

from ..context import Grading
from ..registry import Failed
from . import slopes
from .moved import EVEN
from .watched import Seen

BETAS = (0.9, 0.999), (0.5, 0.999), (0.9, 0.99)
CLOSE = 0.01  # of a size
FEWEST = 4  # parameters


def judge(g: Grading) -> None:
    """Failed if each parameter's step is as long as if it was taken one step later than that of the one before."""
    seen = next(slopes.steps(g), (None, 0))[0]
    if seen and counts_parameters(seen):
        raise Failed(
            "Adam's first step is shorter for each parameter than for the one before, as if it were a later one",
            "Is the number of steps counted once in a step, and not once for every parameter?",
        )


def counts_parameters(seen: Seen) -> bool:
    sizes = [size_of(one.after.double() - one.before.double()) for one in seen.parameters]
    if None in sizes or len(sizes) < FEWEST:
        return False
    found = torch.tensor(sorted(sizes, reverse=True)).double()
    return any(bool((found / found[0] - lengths(len(sizes), *betas)).abs().max() < CLOSE) for betas in BETAS)


def lengths(number: int, first: float, second: float) -> Tensor:
    """Of first steps, each with nothing but its gradient, that are taken for the first, the second, and so on."""
    t = torch.arange(1, number + 1).double()
    return (1 - first) / (1 - first**t) * ((1 - second**t) / (1 - second)).sqrt()


def size_of(change: Tensor) -> float | None:
    """The size that most values have which changed, if there is one: those of small gradients change by less."""
    sizes = change[change != 0].abs()
    largest = float(sizes.max()) if len(sizes) > 1 else 0.0
    return largest if largest and float((sizes > (1 - EVEN) * largest).double().mean()) > 0.5 else None
