"""Grey pictures, for a network that knows noise to be independent from colour to colour.

The three colours of a grey picture have the very same noise, which such a network takes for a part of the picture.
Noise of our own is laid between the colours, of which their mean has nothing: m = √3·σ·(z − mean(z)), z normal, has
the covariance 3·σ²·I − σ²·11ᵀ. With that of the picture's own, σ²·11ᵀ, this is 3·σ²·I: independent, √3·σ in each. The
mean of the three denoised colours is the denoised picture.
"""

from collections.abc import Callable
from dataclasses import replace
from math import sqrt

import torch
from torch import Tensor

from data.build import keyed_generator
from data.pictures import Picture

ROWS = 256  # that are compared at a time


def one_colour(picture: Picture) -> Picture | None:
    """The picture in one colour, if it is grey: its file may have three all the same. Else None."""
    pixels = picture.pixels
    parts = (pixels[start : start + ROWS] for start in range(0, len(pixels), ROWS))
    grey = all((part == part[:, :, :1]).all() for part in parts)
    return replace(picture, pixels=pixels[:, :, :1]) if grey else None


def denoise_grey(ask: Callable[[Tensor], Tensor], noisy: Tensor, level: float, place: str) -> Tensor:
    """The denoised part of a grey picture, 1×3×H×W of three equal colours as `noisy` is, by the network that `ask`
    asks.
    """
    return ask(coloured(noisy, level, place)).mean(1, keepdim=True).expand_as(noisy)


def coloured(values: Tensor, level: float, place: str) -> Tensor:
    """N×3×H×W of which the three colours are equal, with noise of the standard deviation `level`, as a picture in
    colour would have it; `place` says which part of the picture it is, and seeds.
    """
    draws = torch.randn(values.shape, generator=keyed_generator(f"grey {place}"))
    return values + sqrt(3) * level * (draws - draws.mean(1, keepdim=True))
