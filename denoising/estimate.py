"""How noisy a picture is, as its smoothest parts tell."""

from itertools import pairwise

import numpy

from data.pictures import Picture

BLOCK = 16  # pixels a side of what is looked at together
MOST = 16_384  # blocks that are looked at, in rows spread over the picture: four megapixels
CLIPPED = 0.05  # blocks with more than this part of black and white values do not show all of their noise
SMOOTH = 0.1  # the part of the blocks that are taken to be smooth
TOO_LOW = 0.91  # of noise alone: what is found in the least noisy of all blocks, by its share of what there is
FEWEST = 40  # blocks that a brightness needs to be judged on its own
UNEVEN = 1.4  # times as much at the 30th as at the 5th percentile of the blocks is texture, not noise alone
BRIGHTNESSES = (0, 85, 170, 256)


def noise_level(picture: Picture) -> float | None:
    """An estimate of the standard deviation σ of the noise, in values of 0–255; None if the picture is too small.

    The second differences along both axes leave little of a picture but its noise (J. Immerkær, CVIU 64 (2), 1996);
    their median over a block leaves out edges (D. Donoho and I. Johnstone, 1994), and a low percentile of the blocks
    leaves out textures. Textures are much the same in the three colours, while the noise of a sensor is not: the
    differences between the colours tell the two apart, and what all colours share counts only where it is as strong
    in most of the picture as in its smoothest parts. Noise may depend on the brightness: the noisiest counts.
    """
    shared, own, brightness = _blocks(picture)
    if len(brightness) == 0:
        return None
    levels = [_smoothest(own)]
    for low, high in pairwise(BRIGHTNESSES):
        here = (brightness >= low) & (brightness < high)
        if here.sum() >= FEWEST:
            levels.append(_smoothest(own[here]))
    few, many = numpy.quantile(shared, (0.05, 0.3))
    if many <= UNEVEN * few:
        levels.append(_smoothest(shared))
    return float(max(levels)) / TOO_LOW


def _blocks(picture):
    """For every block that is looked at: the noise in the mean of the colours, that in their differences, and the
    brightness.
    """
    height, width = ((length - 2) // BLOCK for length in picture.pixels.shape[:2])
    if height < 1 or width < 1:
        return (numpy.empty(0),) * 3
    rows = numpy.linspace(0, height - 1, min(height, max(1, MOST // width))).astype(int)
    parts = [_row(picture.pixels[row * BLOCK : (row + 1) * BLOCK + 2, : width * BLOCK + 2]) for row in rows]
    shared, own, brightness, clipped = map(numpy.concatenate, zip(*parts, strict=True))
    # If all is clipped, what is least so has to do.
    kept = clipped <= max(CLIPPED, numpy.quantile(clipped, SMOOTH))
    unit = picture.unit
    return shared[kept] / unit, own[kept] / unit, brightness[kept] / unit


def _row(pixels):
    """The same, and the part of clipped values, for the blocks of one row."""
    values = pixels.astype("float32")
    inner = _cut(values[1:-1, 1:-1])
    clipped = ((inner == 0) | (inner == numpy.iinfo(pixels.dtype).max)).mean(1)
    differences = numpy.diff(numpy.diff(values, 2, axis=0), 2, axis=1) / 6  # as noisy as the picture
    shared = _spread(differences.mean(2, keepdims=True))
    own = shared
    if pixels.shape[2] == 3:
        own = _spread((differences[:, :, ::2] - differences[:, :, 1:2]) / 2**0.5)
    return shared, own, inner.mean(1), clipped


def _spread(differences):
    """The standard deviation of each block's differences, by the median of their size."""
    return numpy.median(abs(_cut(differences)), 1) / 0.6745


def _cut(values):
    """BLOCK × width × channels → blocks × values."""
    blocks = values.reshape(BLOCK, -1, BLOCK, values.shape[2])
    return blocks.transpose(1, 0, 2, 3).reshape(blocks.shape[1], -1)


def _smoothest(levels):
    return numpy.quantile(levels, SMOOTH)
