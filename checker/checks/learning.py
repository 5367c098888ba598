"""What a fresh model learns of what it is given: pairs as they are, and pairs whose targets were changed.

A target is changed so that the map is its own inverse (a submission may exchange the roles of a pair) and differs
from the ordinary one in structure and in brightness: the latter is what even the slowest learner follows first. Two
models that start alike and are given the same pictures with either target then part in the direction of the change:
a step of gradient descent moves the outputs by J·Jᵀ times the difference of the targets, which is never against it.
"""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..context import Grading
from ..registry import NotApplicable
from ..sandbox.child import Raised
from ..sandbox.session import Remote
from .api import default_type, predict
from .psnr import whole_range

SHOWN = 50  # training pictures, and as many of the validation set, whose predictions are looked at
FEWEST = 1, 2, 4, 8, 10, 16, 20, 25, 32, 50, 64, 80, 100, 128  # pairs; some submissions take whole batches only
MORE = 5  # times as many pairs, for who moves too little to tell
MOVES = 0.2  # root mean square over the predictions, of 255, below which nothing can be told
REPEATS = 3  # seeds that a doubtful case is tried with
CLEARLY, AT_ALL = 0.7, 0.03  # of the movement that leads towards the changed targets
AWAY = -0.25
REMAINS = 0.4  # of what predictions lack to be like the clean pictures; less than this is left by loaded weights only


def changed(pictures: Tensor) -> Tensor:
    """Red and blue exchanged, dark and bright turned round."""
    return 255 - pictures.flip(1)


def brightest(pair: tuple[Tensor, Tensor], n: int) -> tuple[Tensor, Tensor]:
    """The n pairs of the brightest pictures, so that what is turned round is dark; in the order of the file, since a
    submission that does not shuffle follows the last ones.
    """
    order = pair[0].float().mean((1, 2, 3)).argsort(descending=True)[:n].sort().values
    return pair[0][order], pair[1][order]


def rms(x: Tensor) -> float:
    return x.square().mean().sqrt().item()


def resemblance(predicted: Tensor, clean: Tensor) -> float:
    """How alike the structure of two stacks of pictures is: their correlation, each channel less its mean."""
    a, b = (x.double() - x.double().mean((2, 3), keepdim=True) for x in (predicted, clean))
    return ((a * b).sum() / (a.norm() * b.norm()).clamp(min=1e-9)).item()


@dataclass(frozen=True)
class Run:
    """Predictions of one model before and after an epoch: of SHOWN training pictures, then of validation pictures."""

    before: Tensor
    after: Tensor

    @property
    def movement(self) -> Tensor:
        return (self.after - self.before)[:SHOWN]

    def resemblances(self, g: Grading) -> tuple[float, float]:
        """Of the predictions of validation pictures to the clean ones, before and after."""
        clean = g.validation[1][:SHOWN]
        return resemblance(self.before[SHOWN:], clean), resemblance(self.after[SHOWN:], clean)


def denoises(before: float, after: float) -> bool:
    """Whether predictions that resembled the clean pictures by `before` do so now as nobody can have learned."""
    return 1 - after < REMAINS * (1 - before)


def run(g: Grading, noisy: Tensor, target: Tensor, seed: int) -> Run:
    """Train a fresh model for an epoch; seeded, so that another one with the same pictures starts alike."""
    g.once(default_type)  # which may use random numbers over there
    # Of fewer training pictures some are shown more than once: a model that drops a last batch fails elsewhere.
    shown = torch.cat([noisy[torch.arange(SHOWN) % len(noisy)], g.validation[0][:SHOWN]]).float()
    g.session.seed(seed)
    model = g.session.new("Model")
    before = of_model(g, model, shown)
    g.session.seed(seed)
    g.session.call(model, "train", noisy, target, 1, seconds=g.config["training"]["seconds_per_50000"])
    return Run(before, of_model(g, model, shown))


def of_model(g: Grading, model: Remote, shown: Tensor) -> Tensor:
    return whole_range(predict(g, model, shown))


def from_fewest(g: Grading, pair: tuple[Tensor, Tensor]) -> tuple[int, float, float] | None:
    """(n, resemblance before, after) of a fresh model trained on as few ordinary pairs as it takes, n: about one
    step, which nobody learns to denoise by. None if it takes none of the usual numbers.
    """
    for n in FEWEST:
        with contextlib.suppress(Raised):
            return n, *run(g, pair[0][:n], pair[1][:n], g.seed).resemblances(g)
    return None


def from_no_epoch(g: Grading, pair: Sequence[Remote], most_seconds: float) -> tuple[float, float] | None:
    """Resemblance before and after a fresh model was given all pairs for no epoch, in which nothing is learned.

    None if that is not possible, or takes longer than `most_seconds`: then it does train.
    """
    shown = g.validation[0][:SHOWN].float()
    model = g.session.new("Model")
    before = of_model(g, model, shown)
    started = time.monotonic()
    try:
        g.session.call(model, "train", *pair, 0, seconds=g.config["training"]["seconds_per_50000"])
    except Raised:
        return None
    if time.monotonic() - started > most_seconds:
        return None
    clean = g.validation[1][:SHOWN]
    return resemblance(before, clean), resemblance(of_model(g, model, shown), clean)


@dataclass(frozen=True)
class Parting:
    """How two models part of which one was given changed targets.

    `pairs`: that they were trained on. `moved`: how far that took either, of 255. `apart`: how far apart it took
    them. `towards`: what of it leads from the ordinary targets to the changed ones, as a part of `moved`. `before`
    and `after`: how much the predictions of the one with changed targets resemble the ordinary clean pictures.
    """

    pairs: int
    moved: float
    apart: float
    towards: float
    before: float
    after: float


def part(g: Grading, noisy: Tensor, target: Tensor, seed: int) -> Parting:
    ordinary, other = run(g, noisy, target, seed), run(g, noisy, changed(target), seed)
    target = target[torch.arange(SHOWN) % len(target)].double()
    direction, apart = changed(target) - target, other.movement - ordinary.movement
    moved = max(rms(ordinary.movement), rms(other.movement))
    along = (direction * apart).mean().item() / max(rms(direction), 1e-9)
    return Parting(len(noisy), moved, rms(apart), along / max(moved, 1e-9), *other.resemblances(g))


def partings(g: Grading, pair: tuple[Tensor, Tensor]) -> list[Parting]:
    """One parting where it is clear, of REPEATS seeds where it is not; on more pairs if the first are too few to move
    the model, or if it does not take so many.

    Raises NotApplicable for a model that hardly moves at all.
    """
    first = g.config["training"]["changed_pairs"]
    for n in (first, MORE * first):
        noisy, target = brightest(pair, min(n, len(pair[0]) // 2))
        with contextlib.suppress(Raised):
            found = [part(g, noisy, target, g.seed)]
            if found[0].moved >= MOVES:
                repeat = range(1, REPEATS if found[0].towards < CLEARLY else 1)
                return found + [part(g, noisy, target, g.seed + i) for i in repeat]
    raise NotApplicable(f"not judged: {MORE * first} pairs can't be trained on, or hardly move its predictions")
