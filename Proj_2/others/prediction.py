"""Applying a network to pictures of any number and size, in a bounded amount of memory."""

from torch import arange

from .buffers import Buffers
from .networks import HALO, REDUCTION
from .patches import channel_first, copy_channel_last

TILE = 512  # the network works on at most TILE×TILE pixels of a picture at a time
AT_ONCE = 2**17  # pixels of small pictures that it works on together: more would only leave the processor's cache


def predict(network, noisy, mixed=False):
    """The denoised pictures, float32, on the device of `noisy`.

    `noisy`: N×3×H×W of any N, H and W, values 0–255. A picture that is larger than a tile is worked on in tiles
    that overlap by more than the network sees, so that no seam can show. With `mixed` the network computes in
    bfloat16.
    """
    n, _, h, w = noisy.shape
    denoised = noisy.new_empty(0).float().new_empty(noisy.shape)
    buffers = Buffers()
    pictures = max(1, AT_ONCE // max(1, h * w))
    for start in range(0, n, pictures):
        part = slice(start, start + pictures)
        for tile_h, inner_h, out_h in _tiles(h):
            for tile_w, inner_w, out_w in _tiles(w):
                y = _forward(network, noisy[part, :, tile_h, tile_w], mixed, buffers)
                denoised[part, :, out_h, out_w].copy_(y[:, :, inner_h, inner_w]).mul_(255)
    return denoised


def _tiles(length):
    """How to cover `length` pixels: for each tile where it lies, which part of its result to use, and where that
    belongs. Tiles start at multiples of REDUCTION, where the network's grid of pixels does.
    """
    if length <= TILE:
        yield slice(0, length), slice(0, length), slice(0, length)
        return
    step = TILE - 2 * HALO
    for start in range(0, length, step):
        end = min(start + step, length)
        first = max(0, start - HALO)
        yield slice(first, min(end + HALO, length)), slice(start - first, end - first), slice(start, end)


def _forward(network, noisy, mixed, buffers):
    """The network's output for one tile, 0–1. Sizes that are no multiple of REDUCTION are made so by
    repeating the last row and column, and cut back.
    """
    h, w = noisy.shape[2:]
    weight = network.param()[0][0]
    rows, columns = (
        arange(-(-length // REDUCTION) * REDUCTION, device=noisy.device).clamp_(max=length - 1) for length in (h, w)
    )
    if len(rows) != h or len(columns) != w:
        noisy = noisy.index_select(2, rows).index_select(3, columns)
    shape = (len(noisy), len(rows), len(columns), noisy.shape[1])
    x = copy_channel_last(noisy, buffers.take("x", shape, weight)).div_(255)
    if mixed:
        x = buffers.take("half", shape, weight.new_empty(0).bfloat16()).copy_(x)
    return network.forward(channel_first(x), scratch=True)[:, :, :h, :w]
