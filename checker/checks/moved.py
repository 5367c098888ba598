"""What a step of training did to one weight, and whether that is what a gradient does."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .network import Kept, Seen

PRECISION = 1e-3  # of a gradient through several layers in float32, of its largest value
SAME = 2e-3  # largest relative difference of two factors that count as one
ALONG = 0.9  # of a gradient's values, by their size, that a step must have gone against
EVEN = 0.05  # largest spread of the sizes of changes, of their mean, that tells that only signs count


@dataclass(frozen=True)
class Moved:
    """`change` of a weight as torch has it. `along`: what it is a negative multiple of, as exactly as that was
    computed; None where it went by signs alone, as Adam's first step does. `computed`: what has the weight's size.
    """

    change: Tensor
    noise: float  # of it, from rounding
    along: Tensor | None
    computed: list[Tensor]
    scales: list[float]  # of the loss's gradient that was computed, compared with the mean square's
    rounding: float = 0.0  # the least change that there can be

    def factor(self, reference: Tensor) -> float | None:
        """How many times the reference the change is; None if it is something else."""
        return None if self.along is None else proportion(self.along, reference, PRECISION + self.noise)

    def used(self, reference: Tensor) -> bool:
        """Whether the reference was computed, and the step went against it, however far, or was too small to."""
        if self.change.any() and not self.against(reference):
            return False
        return any(self.is_it(one, reference) for one in self.computed)

    def is_it(self, one: Tensor, reference: Tensor) -> bool:
        """Whether this is the reference, for a loss of one of the scales that were computed."""
        found = proportion(one, reference, PRECISION)
        return bool(found) and any(abs(found / scale - 1) < SAME for scale in self.scales)

    def against(self, gradient: Tensor) -> bool:
        counts = (gradient.sign() == -self.change.sign()) * gradient.abs()
        return float(counts.sum()) > ALONG * float(gradient.abs().sum())

    def too_small(self, reference: Tensor, factor: float) -> bool:
        """Whether so many times the reference is less than what can be added to the weight."""
        return not self.change.any() and abs(factor) * float(reference.abs().max()) < 4 * self.rounding

    def gradient(self, reference: Tensor, factor: float) -> Tensor | None:
        """The gradient that the step went along; None if that is not to be told."""
        if not self.change.any():  # it may be what was computed and is too small to change anything
            multiples = (one for one in self.computed if proportion(one, reference, PRECISION))
            wrong = (one for one in multiples if not self.is_it(one, reference))
            return self.change if self.used(reference) else next(wrong, self.change) / self.scales[0]
        if self.along is not None:
            return self.along / factor
        return next((one / self.scales[0] for one in self.computed if self.against(one)), None)


def moved(seen: Seen, kept: Kept, scales: list[float]) -> Moved | None:
    """None for a weight that the step moved by less than rounding tells."""
    old, new = kept.parameter.before.double(), kept.parameter.after.double()
    change, rounding = new - old, torch.finfo(kept.parameter.before.dtype).eps * float(old.abs().max())
    noise = 4 * rounding / (float(change.abs().max()) or 1.0)
    if not change.isfinite().all() or (change.any() and noise > 0.1):
        return None
    computed = [one.double().reshape(old.shape) for one in seen.whole if one.numel() == old.numel() and one.any()]
    along = -change
    for one in computed:
        if (factor := proportion(-change, one, 1e-4 + noise)) is not None and change.any():
            along, noise = factor * one, 0.0
            break
    return Moved(
        kept.torchs(change),
        noise,
        None if by_signs(change) else kept.torchs(along),
        [kept.torchs(one) for one in computed],
        scales,
        rounding,
    )


def by_signs(change: Tensor) -> bool:
    sizes = change.abs()
    return change.numel() > 4 and bool(change.any()) and float(sizes.std()) < EVEN * float(sizes.mean())


def proportion(value: Tensor, reference: Tensor, precision: float) -> float | None:
    """The number by which `reference` is multiplied in `value`; None if there is none, or it is 0."""
    power = float((reference * reference).sum())
    factor = float((value * reference).sum()) / power if power > 0 and value.shape == reference.shape else 0.0
    if factor == 0:
        return None
    worst = float((value / factor - reference).abs().max())
    return factor if worst <= precision * float(reference.abs().max()) else None
