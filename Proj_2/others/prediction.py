"""Applying a network to pictures of any number and size, in a bounded amount of memory."""

from itertools import product

from torch import arange

from .buffers import Buffers
from .patches import channel_first, copy_channel_last
from .reach import reach, reduction
from .skip import Residual

TILE = 512  # the network works on at most TILE×TILE pixels of a picture at a time
AT_ONCE = 2**17  # pixels of small pictures that it works on together: more would only leave the processor's cache


def predict(network, noisy, mixed=False, tile=None):
    """The denoised pictures, float32, on the device of `noisy`.

    `noisy`: N×3×H×W of any N, H and W, values 0–255; what a network without a Sigmoid at its end makes of them may
    lie somewhat beyond. A picture of more than `tile` pixels a side (TILE) is worked on in tiles that overlap by as
    much as the network sees, so that no seam can show. With `mixed` the network computes in bfloat16.
    """
    n, _, h, w = noisy.shape
    denoised = noisy.new_empty(0).float().new_empty(noisy.shape)
    buffers, grid = Buffers(), reduction(network)
    pictures = max(1, AT_ONCE // max(1, h * w))
    for start in range(0, n, pictures):
        part = slice(start, start + pictures)
        for seen, used, out in tiles(network, h, w, tile):
            y = _forward(network, noisy[part, :, *seen], grid, mixed, buffers)
            denoised[part, :, *out].copy_(y[:, :, *used]).mul_(255)
    return denoised


def tiles(network, height, width, tile=None):
    """How to cover a picture by tiles of at most `tile` pixels a side (TILE): for each, where it lies, which part of
    the network's result to use, and where that belongs; each a slice of rows and one of columns.
    """
    grid, halo = reduction(network), reach(network)
    covers = (list(_cover(length, grid, halo, tile or TILE)) for length in (height, width))
    return [tuple(zip(rows, columns, strict=True)) for rows, columns in product(*covers)]


def _cover(length, grid, halo, tile):
    """How to cover `length` pixels: for each tile where it lies, which part of its result to use, and where that
    belongs. Tiles start at multiples of `grid`, where the network's grid of pixels does, and see `halo` pixels more
    than they give.
    """
    if length <= tile:
        yield slice(0, length), slice(0, length), slice(0, length)
        return
    halo = -(-halo // grid) * grid
    step = max(1, (tile - 2 * halo) // grid) * grid
    for start in range(0, length, step):
        end = min(start + step, length)
        first = max(0, start - halo)
        yield slice(first, min(end + halo, length)), slice(start - first, end - first), slice(start, end)


def _forward(network, noisy, grid, mixed, buffers):
    """The network's output for one tile, 0–1. Sizes that are no multiple of `grid` are made so by repeating the last
    row and column, and cut back.
    """
    h, w = noisy.shape[2:]
    weight = network.param()[0][0]
    rows, columns = (
        arange(-(-length // grid) * grid, device=noisy.device).clamp_(max=length - 1) for length in (h, w)
    )
    if len(rows) != h or len(columns) != w:
        noisy = noisy.index_select(2, rows).index_select(3, columns)
    shape = (len(noisy), len(rows), len(columns), noisy.shape[1])
    x = channel_first(copy_channel_last(noisy, buffers.take("x", shape, weight)).div_(255))
    if not mixed:
        return network.forward(x, scratch=True)[:, :, :h, :w]
    half = channel_first(buffers.take("half", shape, weight.new_empty(0).bfloat16())).copy_(x)
    if isinstance(network, Residual):  # only what it changes is computed in bfloat16: the picture keeps its digits
        return x.add_(network.through(half))[:, :, :h, :w]
    return network.forward(half, scratch=True)[:, :, :h, :w]
