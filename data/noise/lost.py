"""Noise that takes the place of pixels instead of adding to them."""

import string
from dataclasses import dataclass
from functools import cache
from random import Random

import torch
from PIL import ImageFont

from .base import Noise

FONT_SIZES = (10, 24)  # pixels
WORDS = 1000  # that there are
LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Bernoulli(Noise):
    """Every pixel is lost, black, with probability p; which ones is known (arXiv 1803.04189, 3.2).

    What is left is the clean picture: the squared error over the known pixels is the right loss.
    """

    name = "bernoulli"
    takes = "the part p of the pixels that is lost"
    default = (0.0, 0.95)  # the paper's, for training
    limits = (0.0, 0.99)

    def draw(self, photos, generator=None):
        known = _keep(photos, self.strengths(photos, generator), generator)
        return photos * known, known


@dataclass(frozen=True)
class Impulse(Noise):
    """Every pixel has, with probability p, a random colour, uniform in all three values, instead of its own
    (arXiv 1803.04189, 3.4). The mode of what a pixel may be is the clean colour, not the mean.
    """

    name = "impulse"
    takes = "the part p of the pixels that is replaced"
    default = (0.0, 0.95)
    limits = (0.0, 0.99)
    loss = "l0"

    def draw(self, photos, generator=None):
        keep = _keep(photos, self.strengths(photos, generator), generator)
        colours = torch.rand(photos.shape, generator=generator, device=photos.device).mul_(255)
        return torch.where(keep > 0, photos.float(), colours), None


@dataclass(frozen=True)
class Text(Noise):
    """Random words at random places, in random sizes and colours, until they cover the part p of the picture or more
    (arXiv 1803.04189, 3.3). For p below a half the median of what a pixel may be is the clean colour.
    """

    name = "text"
    takes = "the part p of the picture that is covered"
    default = (0.0, 0.5)
    limits = (0.0, 0.8)
    loss = "l1"

    def draw(self, photos, generator=None):
        parts = self.strengths(photos, generator).flatten().tolist()
        covered = [_write_over(photo, part, generator) for photo, part in zip(photos, parts, strict=True)]
        return torch.stack(covered), None


def _keep(photos, part, generator):
    """N×1×H×W: 0 for the given part of the pixels, 1 for the others."""
    n, _, height, width = photos.shape
    return (torch.rand(n, 1, height, width, generator=generator, device=photos.device) >= part).float()


def _write_over(photo, part, generator):
    """`photo`, 3×H×W, with words over it, float32."""
    noisy, covered = photo.float().clone(), torch.zeros(photo.shape[1:], dtype=torch.bool, device=photo.device)
    while covered.count_nonzero() < part * covered.numel():
        number, row, column, colour = torch.randint(2**24, (4,), generator=generator, device=photo.device).tolist()
        word = _words()[number % WORDS].to(photo.device)
        # Words may begin left of the picture and end right of it: its edges are covered as its middle is.
        (rows, top), (columns, left) = (
            _overlap(start % (length + size - 1) - length + 1, length, size)
            for start, length, size in zip((row, column), word.shape, covered.shape, strict=True)
        )
        word = word[top, left]
        covered[rows, columns] |= word
        noisy[:, rows, columns][:, word] = torch.tensor([*colour.to_bytes(3, "big")]).to(noisy)[:, None]
    return noisy


def _overlap(start, length, size):
    """Where a word that begins at `start` lies within the `size` pixels of the picture, and which part of it does."""
    return slice(max(0, start), start + length), slice(max(0, -start), size - start)


@cache
def _words():
    """Random words in random sizes: bool tensors, height × width, true where there is ink."""
    random, words = Random(0), []
    for _ in range(WORDS):
        text = "".join(random.choices(LETTERS, k=random.randint(3, 12)))
        ink = ImageFont.load_default(random.randint(*FONT_SIZES)).getmask(text, "1")
        words.append(torch.tensor(list(ink)).view(ink.size[::-1]) > 0)
    return words
