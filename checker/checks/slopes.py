"""A step of train() beside how its loss changes with every parameter (driving/slopes.py), whatever the network is
made of: with connections past layers, drop-out, maxima, layers that are nothing but functions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..context import Grading
from ..registry import Unjudged
from .moved import by_signs
from .steps import fewest, step_on
from .watched import Parameter, Seen

FEW = 4, 1  # pictures, of which a half may be a batch, or one
PRECISE = 0.01  # of a step, by which it may be another one than the slopes say
FACTOR = 0.005  # the same of a number that tells what was forgotten
ROUNDED = 0.02  # of a step, from which on rounding hides it


@dataclass
class Told:
    """Names of parameters: those that a step moves along the gradient of the loss, and what it does to the others."""

    pictures: int
    rates: dict[str, float]  # how many times its gradient each parameter went against
    sgd: bool = False
    right: list[str] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)
    held: frozenset[str] = frozenset()  # the classes of what the Model is made of


@dataclass(frozen=True)
class Moved:
    """A parameter and its slopes: rows of how far the step went, how the loss changes, where the parameter lies, and
    how far a step before it went, in a direction each, of which the first is that of the step itself.
    """

    parameter: Parameter
    rows: Tensor

    @property
    def change(self) -> Tensor:
        return self.parameter.after.double() - self.parameter.before.double()

    @property
    def scale(self) -> Tensor:
        """How large a row of the step is to be expected: along it, and across."""
        size = float(self.change.square().sum().sqrt())
        return torch.tensor([size * self.change.numel() ** 0.5, *[size] * (len(self.rows) - 1)]).double()

    @property
    def scaled(self) -> tuple[Tensor, ...]:
        """The columns, each row of order 1."""
        return (self.rows / self.scale[:, None]).unbind(1)

    @property
    def rounding(self) -> float:
        """Of the step, by the type of the parameter."""
        before = self.parameter.before
        return 4 * torch.finfo(before.dtype).eps * float(before.abs().max()) / (float(self.change.abs().max()) or 1.0)

    def allowed(self) -> float:
        return PRECISE + 4 * self.rounding

    def rate(self) -> float | None:
        """How many times the gradient the step went against; None if it went elsewhere."""
        step, slope, *_ = self.scaled
        power = float(slope @ slope)
        rate = -float(step @ slope) / power if power else 0.0
        return rate if rate and self.fits(rate) else None

    def rate_beside_decay(self) -> float | None:
        """The same where the step was also along the parameter itself."""
        step, *along, _ = self.scaled
        rate, decay = torch.linalg.lstsq(-torch.stack(along, 1), step[:, None]).solution.flatten().tolist()
        return rate if rate > 0 and decay > 0 and self.fits(rate, decay) else None

    def fits(self, rate: float, decay: float = 0.0) -> bool:
        step, slope, value, _ = self.scaled
        return float((step + rate * slope + decay * value).abs().max()) < self.allowed()

    def decays(self, rate: float) -> bool:
        """Whether the step is that of its gradient and a part of the parameter itself."""
        step, slope, value, _ = self.scaled
        power = float(value @ value)
        return power > 0 and self.fits(rate, -float((step + rate * slope) @ value) / power)

    def is_clamped(self) -> bool:
        """Whether many values of the step are of one size."""
        sizes = self.change.abs().flatten()
        return len(sizes) > 1 and int((sizes > 0.999 * sizes.max()).sum()) > 1

    def is_left_out(self, rate: float) -> bool:
        """Whether it stays as it is, where such a rate would have moved it."""
        before = self.parameter.before
        least = torch.finfo(before.dtype).eps * float(before.abs().max()) * before.numel() ** 0.5
        return not self.change.any() and rate * float(self.rows[:, 1].abs().max()) > 100 * least


def told(g: Grading) -> Told:
    """Of the first step that goes along two gradients at one rate; of the submission's SGD, if with the optimiser
    that its Model uses none does. Raises Unjudged.
    """
    reason = "train() moves no weights"
    for seen, pictures in steps(g):
        if isinstance(seen.slopes, str):
            reason = seen.slopes or reason
        elif found := compared([Moved(*one) for one in zip(seen.parameters, seen.slopes, strict=True)], pictures):
            return replace(found, held=seen.held, sgd=seen.sgd)
        else:
            reason = "no two parameters went along their gradients at one rate"
    raise Unjudged(f"a step of train() can't be compared with the slopes of its loss: {reason}")


def steps(g: Grading) -> Iterator[tuple[Seen, int]]:
    """Steps of train() with what is known of the slopes, and of how many pictures."""
    for sgd in (False, True):
        moving = False
        for amount in FEW:
            if seen := g.once(recorded, amount, sgd):
                moving = True
                yield seen, amount
        if not moving and (least := fewest(g, sgd)):  # where a batch that is not full is left out
            amount = len(least[1][0])
            yield g.once(recorded, amount, sgd), amount


def recorded(g: Grading, amount: int, sgd: bool) -> Seen | None:
    taken = step_on(g, amount, sgd, "recorded")
    return taken and taken[0]


def compared(every: list[Moved], pictures: int) -> Told | None:
    """None where no two parameters went along their gradients at one rate."""
    known = [one for one in every if one.change.any() and one.rounding < ROUNDED and not by_signs(one.change)]
    rates = {one.parameter.name: one.rate() for one in known}
    rate = common([rate for rate in rates.values() if rate])
    rate = rate or common([rate for one in known if (rate := one.rate_beside_decay())])
    if rate is None:
        return None
    found = Told(pictures, {name: rate for name, rate in rates.items() if rate})
    for one in known:
        name, own = one.parameter.name, rates[one.parameter.name]
        if (own and abs(own / rate - 1) < one.allowed()) or one.decays(rate):
            found.right.append(name)
        elif own and (said := multiple(own / rate, pictures)):
            found.wrong[name] = said
        elif own is None and not one.is_clamped():
            found.wrong[name] = "does not go along its gradient"
    found.wrong |= {one.parameter.name: "stays as it is" for one in every if one.is_left_out(abs(rate))}
    return found


def common(rates: list[float]) -> float | None:
    """The rate that most have, two at least."""
    votes = [sum(abs(other / rate - 1) < PRECISE for other in rates) for rate in rates]
    most = [rate for rate, count in zip(rates, votes, strict=True) if count == max(votes) > 1]
    return max(most, default=None)


def multiple(factor: float, pictures: int) -> str | None:
    """What is told of a step so many times as long as it should be; None of a number that nobody forgets."""
    whole_number = max(abs(factor), 1 / abs(factor))
    if abs(whole_number / round(whole_number) - 1) > FACTOR or (factor > 0 and round(whole_number) == 1):
        return None
    if factor < 0:
        return "goes up its gradient"
    of = " (as many as there are pictures)" if round(whole_number) == pictures > 1 else ""
    return f"goes {factor:.3g} times as far as the others{of}"
