"""Training pairs without end: crops of photographs at their full size with noise on them, or of a person's own noisy
pictures of the same scenes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from .build import keyed_generator
from .noise import Noise

Batch = tuple[Tensor, Tensor, Tensor | None]  # input, target, and where the target is known (None: everywhere)

LOT = 8  # crops of a batch that are drawn together: whoever takes a part of a batch draws little of the rest


@dataclass
class Crops:
    """Square crops of `side` pixels of scenes; a scene is a clean photograph, or several noisy pictures of one size.

    `scenes`: uint8 tensors 3×H×W. `noise`: what is laid over photographs, and over the targets too unless
    `clean_targets`; None if the pictures are noisy as they are.
    """

    scenes: list[list[Tensor]]
    noise: Noise | None
    side: int = 64
    seed: int = 0
    clean_targets: bool = False

    def epoch(
        self, number: int, crops: int, size: int, part: Callable[[int], slice] = slice
    ) -> Iterator[tuple[Tensor, Tensor, Tensor | None, int]]:
        """The batches of epoch `number`, of `size` crops each and `crops` in all: the same whenever they are asked
        for. Values 0–255. Of each batch only `part(its size)` is made; that size comes last.
        """
        for start in range(0, crops, size):
            whole = min(size, crops - start)
            yield *self._part(part(whole), whole, f"{self.seed} crops {number} {start}"), whole

    def _part(self, part: slice, whole: int, key: str) -> Batch:
        """A part, perhaps an empty one, of the batch of `whole` crops that is known by `key`."""
        start, stop, _ = part.indices(whole)
        first = min(start, whole - 1) // LOT * LOT
        lots = [
            self.batch(min(LOT, whole - lot), keyed_generator(f"{key} {lot}"))
            for lot in range(first, max(stop, first + 1), LOT)
        ]
        x, target, known = (
            None if tensors[0] is None else torch.cat(tensors)[start - first : stop - first]
            for tensors in zip(*lots, strict=True)
        )
        return x, target, known

    def batch(self, size: int, generator: Generator) -> Batch:
        """Inputs and targets, size×3×side×side; both of a crop come from one place, in one orientation of eight."""
        first, second = torch.empty(2, size, 3, self.side, self.side, dtype=torch.uint8)
        scenes, turns = (_whole(high, size, generator) for high in (len(self.scenes), 8))
        for i, (scene, turn) in enumerate(zip(scenes, turns, strict=True)):
            a, b = _two(self.scenes[scene], generator)
            top, left = (_whole(length - self.side + 1, 1, generator)[0] for length in a.shape[1:])
            for crops, picture in ((first, a), (second, b)):
                crop = picture[:, top : top + self.side, left : left + self.side]
                crops[i] = (crop.flip(2) if turn % 2 else crop).rot90(turn // 2, (1, 2))
        if self.noise is None:
            return first, second, None
        noisy, _ = self.noise.draw(first, generator)
        if self.clean_targets:
            return noisy, self.noise.clean(first), None
        return noisy, *self.noise.draw(first, generator)

    def middles(self, side: int) -> Iterator[tuple[Tensor, Tensor]]:
        """What to measure on: of the middle of every scene, `side` pixels at most, a noisy and a clean picture,
        1×3×H×W; the mean of a noisy scene's other pictures stands for a clean one. The same for every `seed`.
        """
        for number, scene in enumerate(self.scenes):
            tops = [max(0, length - side) // 2 for length in scene[0].shape[1:]]
            middle = [picture[None, :, tops[0] : tops[0] + side, tops[1] : tops[1] + side] for picture in scene]
            if self.noise is None:
                yield middle[0], torch.cat(middle[1:]).float().mean(0, keepdim=True)
            else:
                yield self.noise.corrupt(middle[0], keyed_generator(f"middle {number}")), self.noise.clean(middle[0])


def _two(scene: list[Tensor], generator: Generator) -> tuple[Tensor, Tensor]:
    """Two different pictures of a scene; the same one twice if there is no other."""
    if len(scene) == 1:
        return scene[0], scene[0]
    first, second = torch.randperm(len(scene), generator=generator)[:2].tolist()
    return scene[first], scene[second]


def _whole(high: int, count: int, generator: Generator) -> list[int]:
    """`count` whole numbers from 0 to below `high`."""
    return torch.randint(high, (count,), generator=generator).tolist()
