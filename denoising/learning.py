"""Learning the noise of a person's own pictures from these pictures alone.

Neighbor2Neighbor (T. Huang et al., CVPR 2021, arXiv 2101.02824) takes two neighbouring pixels of every 2×2 cell of a
noisy picture: the two pictures of half the size have noise independent of each other, and one can be the target of
the other. They do not lie at the same place, which is made up for by the denoised picture f(y), taken in the same
way: the target is g₂(y) + ⅔·(g₁(f(y)) − g₂(f(y))). With the squared error this is the loss of the paper, γ = 2, where
two errors are added: (p − t)² + γ·(p − u)² is, but for a constant, (1 + γ)·(p − (t + γ·u)/(1 + γ))². The whole of the
difference would be too much: f(y) holds a part of the noise of the input. Here the loss is the absolute error: its
minimum is the median, which impulses do not move.
"""

from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter

import torch
from torch import Generator, Tensor

from data.build import keyed_generator
from data.load import DataError
from data.pictures import Picture
from Proj_2.others.container import Sequential
from Proj_2.others.loss import L1
from Proj_2.others.training import BatchTraining, trapezoid

from .denoiser import on_cpu_mixed
from .estimate import noise_level
from .grey import coloured, one_colour
from .judge import Judge, as_file, nothing_to_learn

SIDES = (128, 64, 32)  # pixels of the windows that are cut from the pictures: the largest of which there are FEWEST
FEWEST, MOST = 16, 128  # windows
HELD_OUT = 24  # windows, or half of them, that are not trained on, but measured on
STEPS, ROUND, BATCH = 600, 30, 4  # in all; between two measurements; windows a step, more if they are smaller
PEAK_LR, CLIP, AVERAGE = 2e-4, 0.2, 0.98
WEIGHT = 2 / 3  # γ/(1 + γ)
NEIGHBOURS = torch.tensor([(0, 1), (0, 2), (1, 3), (2, 3), (1, 0), (2, 0), (3, 1), (3, 2)])  # in a cell: 0 1 / 2 3


@dataclass
class Learnt:
    """What became of it."""

    steps: int = 0  # that were done
    best: int = 0  # the step whose weights the network has; 0: those that it began with
    gain: float = 0.0  # by which part the squared error at hidden pixels, their noise included, has fallen
    reason: str = ""  # why nothing was tried, if so


def cut_windows(pictures: Iterable[Picture]) -> Tensor:
    """Windows spread over the pictures at random, N×3×side×side, 0–255. Raises DataError if there are too few."""
    generator, kept = keyed_generator("windows"), {side: [] for side in SIDES}
    for picture in pictures:
        height, width = picture.pixels.shape[:2]
        grey = one_colour(picture)
        level = noise_level(grey) if grey else None
        for side, windows in kept.items():
            tops, lefts = range(0, height - side + 1, side), range(0, width - side + 1, side)
            places = [(slice(top, top + side), slice(left, left + side)) for top in tops for left in lefts]
            draws = torch.rand(len(places), generator=generator).tolist()
            # Those with the lowest draws of all: as many as are wanted, however many pictures there are.
            lowest = sorted(range(len(places)), key=draws.__getitem__)[:MOST]
            windows += [(draws[i], _window(picture, places[i], level)) for i in lowest]
            windows.sort(key=itemgetter(0))
            del windows[MOST:]
    enough = next((windows for windows in kept.values() if len(windows) >= FEWEST), None)
    if enough is None:
        side = SIDES[-1]
        raise DataError(
            f"too little to learn from: expected {FEWEST} squares of {side}×{side} pixels, found {len(kept[side])}; "
            "leave out --learn, or give more pictures"
        )
    return torch.cat([window for _, window in enough])


def _window(picture, place, level):
    """A part of the picture as the network is to see it."""
    values = picture.values(*place)
    return coloured(values, level, f"{place}") if level else values


def learn(
    network: Sequential, windows: Tensor, steps: int = STEPS, progress: Callable[[Learnt], None] = lambda learnt: None
) -> Learnt:
    """Train the network on noisy windows; it is left with the best weights, which may be those that it had, and has
    them at once if there is nothing to learn. Ctrl-C ends it early. `progress` is told after every step.

    How good weights are is judged by windows held out.
    """
    count = min(HELD_OUT, len(windows) // 2)
    held_out, windows = windows[:count], windows[count:]
    if reason := nothing_to_learn(network, held_out):
        return Learnt(reason=reason)
    learnt, best, judge = Learnt(), _copy(network), Judge(network, held_out)
    batch = BATCH * (SIDES[0] // windows.shape[3]) ** 2
    training = BatchTraining(
        network,
        1,
        steps * batch,
        PEAK_LR,
        batch,
        mixed=on_cpu_mixed(network),
        loss=L1(),
        schedule=lambda progress, peak: trapezoid(progress, peak, 0.05, 0.5),
        clip=CLIP,
        average=AVERAGE,
    )
    try:
        for batches in _rounds(network, windows, batch, steps):
            for _ in training.epoch(batches):
                learnt.steps += 1
                progress(learnt)
            with _weights(network, training.average.means):
                gain = judge.gain(network)
                if gain > learnt.gain:
                    best, learnt.best, learnt.gain = _copy(network), learnt.steps, gain
    except KeyboardInterrupt:
        pass  # the best so far is what was asked for
    network.load_state_dict(best)
    return learnt


def _rounds(network, windows, batch, steps):
    """The batches between two measurements, for all steps; before each round the windows are denoised as well as the
    network now can.
    """
    generator = keyed_generator("learn")
    for done in range(0, steps, ROUND):
        denoised = as_file(network, windows)
        yield _batches(windows, denoised, batch, min(ROUND, steps - done), generator)


def _batches(windows, denoised, size, number, generator):
    for _ in range(number):
        chosen = torch.randint(len(windows), (size,), generator=generator)
        turns, mirrored = torch.randint(4, (2,), generator=generator).tolist()
        noisy, clean = (x[chosen].rot90(turns, (2, 3)) for x in (windows, denoised))
        if mirrored % 2:
            noisy, clean = noisy.flip(3), clean.flip(3)
        yield sub_pair(noisy, clean, generator)


def sub_pair(noisy: Tensor, denoised: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Input and target of half the size: N×3×H×W → two of N×3×H/2×W/2."""
    n, _, h, w = noisy.shape
    picked = NEIGHBOURS[torch.randint(len(NEIGHBOURS), (n, h // 2, w // 2), generator=generator)]
    first, second = (picked[:, None, :, :, i, None] for i in (0, 1))
    a, b = _take(noisy, first), _take(noisy, second)
    return a, b + WEIGHT * (_take(denoised, first) - _take(denoised, second))


def _take(x, which):
    """Of every 2×2 cell of N×C×H×W the pixel with the number `which`."""
    n, c, h, w = x.shape
    cells = x.reshape(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 2, 4, 3, 5).reshape(n, c, h // 2, w // 2, 4)
    return cells.gather(4, which.expand(-1, c, -1, -1, -1))[..., 0]


def _copy(network):
    return {name: parameter.clone() for name, parameter in network.state_dict().items()}


@contextmanager
def _weights(network, state):
    """Give the network other weights for a while."""
    own = _copy(network)
    network.load_state_dict(state)
    try:
        yield
    finally:
        network.load_state_dict(own)
