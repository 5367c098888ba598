"""Pictures of JPEG files that hold the colours in half the size, as most do.

That spreads the noise of the colours over four pixels, and a network that knows it to be independent from pixel to
pixel takes it for a part of the picture. The brightness has its noise still, and is denoised as a grey picture is.
The picture at half its size, means of 2×2 pixels, has noise that is independent again: it tells the colours.
"""

from collections.abc import Callable

import numpy
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from data.pictures import Picture

from .grey import ROWS, denoise_grey

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue in the brightness (JPEG File Interchange Format, 1992)


def brightness(picture: Picture) -> Picture:
    """That of a picture in three colours, a grey one."""
    luma = Picture(numpy.empty_like(picture.pixels[:, :, :1]))
    for start in range(0, len(luma.pixels), ROWS):
        part = picture.pixels[start : start + ROWS] @ numpy.array(LUMA, "float32")
        luma.pixels[start : start + ROWS, :, 0] = part.round()
    return luma


def denoise_halved(ask: Callable[[Tensor], Tensor], noisy: Tensor, level: float, place: str) -> Tensor:
    """The denoised part, 1×3×H×W, by a network that is asked twice; `level` is that of the brightness's noise."""
    height, width = noisy.shape[2:]
    sharp = denoise_grey(ask, _luma(noisy).expand_as(noisy), level, place)
    small = avg_pool2d(pad(noisy, (0, width % 2, 0, height % 2), mode="replicate"), 2)
    colours = interpolate(ask(small), scale_factor=2, mode="bilinear")[:, :, :height, :width]
    return sharp + colours - _luma(colours)


def _luma(values):
    return (values * torch.tensor(LUMA).view(3, 1, 1)).sum(1, keepdim=True)
