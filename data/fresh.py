"""Noisy pairs without end: windows of photographs, with new noise for every epoch."""

import os
from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import Tensor
from tqdm import tqdm

from .build import Photo, keyed_generator, leave_out, read_all, split, validation_pairs
from .noise import BLOCK, corrupt
from .parallel import cores, parallel_map
from .windows import SIDE, ZOOM, find_photos, random_windows, read_photo

LOT = 100  # windows worked on in one go: 20 MB of them


class FreshPairs:
    """A pool of 256×256 windows, uint8 N×3×256×256, of which every epoch makes new noisy pairs: of `versions` noisy
    pictures, the first and the mean of the others, rounded.
    """

    def __init__(self, windows: Tensor, seed: int, versions: int = 2):
        self.windows, self.seed, self.versions = windows, seed, versions

    def epoch(self, number: int, pairs: int) -> tuple[Tensor, Tensor]:
        """The pairs of epoch `number`, two uint8 tensors pairs×3×32×32: the same whenever it is asked for."""
        generator = keyed_generator(f"{self.seed} epoch {number}")
        rounds = -(-pairs // len(self.windows))
        order = torch.cat([torch.randperm(len(self.windows), generator=generator) for _ in range(rounds)])[:pairs]
        first, second = torch.empty(2, pairs, 3, SIDE // BLOCK, SIDE // BLOCK, dtype=torch.uint8)
        for here, lot in zip(torch.arange(pairs).split(LOT), order.split(LOT), strict=True):
            windows, others = self.windows[lot], self.versions - 1
            first[here] = corrupt(windows, generator)
            second[here] = (
                sum(corrupt(windows, generator).float() for _ in range(others)).div_(others).round_().byte()
            )
        return first, second


def fresh_pairs(
    photos: Iterable[str | os.PathLike],
    windows: int,
    val_pairs: int,
    val_list: str | os.PathLike | None = None,
    zoom: float = ZOOM,
    seed: int = 0,
    exclude: str | os.PathLike | None = None,
    versions: int = 2,
    say: Callable[[str], None] = tqdm.write,
) -> tuple[FreshPairs, tuple[Tensor, Tensor]]:
    """A pool of `windows` windows (200 kB each) of the photographs in the folders `photos`, and the validation
    pairs, noisy and clean, that `build` would make of those it holds out. `zoom`: how much larger than in the
    course a window's photograph may be scaled; `exclude`: which photographs to leave out, as for `leave_out`;
    `versions`: as for `FreshPairs`. Raises DataError in one sentence.
    """
    with parallel_map(cores()) as each:
        # The same are held out whatever the seed: runs compare, and none trains on what `build` validates with.
        train, val = split(leave_out(read_all(find_photos(list(photos)), each, say), exclude, say), val_list, say=say)
        fresh = FreshPairs(_pool(train, windows, zoom, seed, each), seed, versions)
        return fresh, validation_pairs(val, val_pairs, 0, each)


def _pool(photos: list[Photo], windows: int, zoom: float, seed: int, each: Callable) -> Tensor:
    counts = [windows // len(photos) + (i < windows % len(photos)) for i in range(len(photos))]
    pool = torch.empty(windows, 3, SIDE, SIDE, dtype=torch.uint8)
    with tqdm(total=windows, desc="windows", unit="window", mininterval=0.5) as bar:
        for drawn in each(partial(_draw, zoom=zoom, seed=seed), photos, counts):
            pool[bar.n : bar.n + len(drawn)] = torch.from_numpy(drawn)
            bar.update(len(drawn))
    return pool


def _draw(photo: Photo, count: int, zoom: float, seed: int):
    generator = keyed_generator(f"{seed} fresh {photo.digest}")
    return random_windows(read_photo(photo.path), count, generator, zoom).numpy()
