"""What every noise has in common."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class Noise:
    """A way to make noisy pictures of clean ones. Every picture draws a strength, uniformly from `low` to `high`.

    Pictures are N×3×H×W with values 0–255. Two calls with one generator give two independent versions; the same seed
    gives the same ones.
    """

    low: float = 0.0
    high: float = 0.0

    name: ClassVar[str]
    takes: ClassVar[str] = ""  # what the values are, for whoever gets them wrong; empty if there are none
    default: ClassVar[tuple[float, float] | None] = None  # the values if none are given; None: they must be
    limits: ClassVar[tuple[float, float]] = (0.0, 0.0)  # what the values may be
    loss: ClassVar[str] = "l2"  # whose minimum over noisy targets is the clean picture, or comes closest to it
    block: ClassVar[int] = 1  # pixels of the photograph per pixel of the picture, in each direction

    def clean(self, photos: Tensor) -> Tensor:
        """The clean pictures of `photos`, float32."""
        return photos.float()

    def corrupt(self, photos: Tensor, generator: Generator | None = None) -> Tensor:
        """Noisy pictures of `photos`, float32."""
        return self.draw(photos, generator)[0]

    def draw(self, photos: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor | None]:
        """Noisy pictures, and N×1×H×W of ones where a pixel's value is known and zeros where it is lost; None if all
        are known.
        """
        raise NotImplementedError

    def strengths(self, photos: Tensor, generator: Generator | None) -> Tensor:
        """One for each picture, N×1×1×1."""
        uniform = torch.rand(len(photos), 1, 1, 1, generator=generator, device=photos.device)
        return self.low + (self.high - self.low) * uniform
