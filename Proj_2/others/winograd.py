"""3×3 convolutions with a quarter of the multiplications: Winograd's minimal filtering F(4×4, 3×3) of A. Lavin and
S. Gray, arXiv 1509.09308.

A tile of 6×6 pixels and a kernel of 3×3 are polynomials, whose values at 6×6 points are multiplied: 36 products for
each pair of channels, where the 4×4 results take 144 otherwise. With d the tile, g the kernel, and ∘ the product of
every value with its counterpart, summed over the channels, which is a matrix product for each of the 36 points:

    Y = Aᵀ·[(G·g·Gᵀ) ∘ (Bᵀ·d·B)]·A

The points are 0, ±2/3, ±3/2 and ∞. With the usual 0, ±1, ±2 and ∞, products in bfloat16 would err by twice as much
(B. Barabasz et al., arXiv 1803.10986, on the choice of points). The transforms are made in float32 at least.
"""

from .buffers import Workspace

TILE = 4  # pixels of the result, in each direction, that are made together
SPAN = TILE + 2  # pixels that they are made of
AT_ONCE = 2**18  # values of a picture that are worked on together: what is made of them stays in the cache
NARROWEST = 16  # channels; with fewer, the transforms cost more than the products that they save

P, Q = 2 / 3, 3 / 2  # P·Q = 1, which leaves it out of the products below
S = P**2 + Q**2
POINTS = (0, P, -P, Q, -Q)
# For each point, ∞ last, the coefficients of the polynomial that is zero at all other points.
B_T = [
    [1, 0, -S, 0, 1, 0],
    [0, -Q, -Q * Q, P, 1, 0],
    [0, Q, -Q * Q, -P, 1, 0],
    [0, -P, -P * P, Q, 1, 0],
    [0, P, -P * P, -Q, 1, 0],
    [0, 1, 0, -S, 0, 1],
]
# And the powers of the point, for the kernel divided by that polynomial's value there.
G = [[power / (2 * x**2 * (x**2 - x**-2)) if x else power for power in (1, x, x**2)] for x in POINTS] + [[0, 0, 1]]
A_T = [[x**i for x in POINTS] + [int(i == TILE - 1)] for i in range(TILE)]

workspace = Workspace()


def serves(window, in_channels, out_channels):
    """Whether a convolution is one of those that are made here, and wide enough for it to be worth while."""
    shape = (window.kernel_size, window.stride, window.dilation)
    fits = shape == ((3, 3), (1, 1), (1, 1)) and max(window.padding) <= 2
    return fits and min(in_channels, out_channels) >= NARROWEST


def kernels(weight, like, flipped=False):
    """The transformed kernels of `weight`, D×3×3×C, or those turned by half a turn: 36×D×C in the type of `like`."""
    d, _, _, c = weight.shape
    exact = _exact(like)
    values = workspace.take("tiles", (3, 3, d, c), exact).copy_(weight.permute(1, 2, 0, 3))
    matrix = exact.new_tensor([row[::-1] for row in G] if flipped else G)
    return _as("kernels", _transformed(matrix, values.view(3, 3, -1), "kernels"), like).view(-1, d, c)


def correlate(x, kernels, padding, y):
    """Write to `y`, N×H_out×W_out×D, the correlation of `x`, N×H×W×C, padded by up to two zeros, with `kernels`,
    36×C×D.
    """
    c, d = kernels.shape[1:]
    exact = _exact(x)
    spread, gather = exact.new_tensor(B_T), exact.new_tensor(A_T)
    for pictures, rows, size in _blocks(y.shape, max(c, d)):
        values = _as("values", _transformed(spread, _tiles(x[pictures], SPAN, rows, size, padding), "values"), x)
        values = values.view(len(kernels), -1, c)
        products = workspace.take("products", (len(kernels), values.shape[1], d), x)
        products.baddbmm_(values, kernels, beta=0)
        products = _as("products", products, exact).view(SPAN, SPAN, -1)
        _write(_transformed(gather, products, "tiles").view(TILE, TILE, *size, d), y[pictures], rows)


def weight_gradient(x, grad_y, padding):
    """The gradient of the weight of `correlate`, for its input `x` and the gradient `grad_y` of its output: 3×3×D×C,
    in memory that lives until the next call of anything here.
    """
    c, d = x.shape[3], grad_y.shape[3]
    exact = _exact(x)
    spread, back = exact.new_tensor(B_T), exact.new_tensor(A_T).t().contiguous()
    total = workspace.take("total", (SPAN**2, d, c), exact).zero_()
    for pictures, rows, size in _blocks(grad_y.shape, max(c, d)):
        values = _as("values", _transformed(spread, _tiles(x[pictures], SPAN, rows, size, padding), "values"), x)
        tiles = _tiles(grad_y[pictures], TILE, rows, size, (0, 0))
        grads = _as("grads", _transformed(back, tiles, "grads"), x)
        values, grads = values.view(SPAN**2, -1, c), grads.view(SPAN**2, -1, d).transpose(1, 2)
        if total.dtype == x.dtype:
            total.baddbmm_(grads, values)
        else:
            total.add_(workspace.take("part", (SPAN**2, d, c), x).baddbmm_(grads, values, beta=0))
    return _transformed(exact.new_tensor(G).t().contiguous(), total.view(SPAN, SPAN, -1), "tiles").view(3, 3, d, c)


def _exact(x):
    """An empty tensor of the type that transforms are made in."""
    return x.new_empty(0) if x.element_size() >= 4 else x.new_empty(0).float()


def _as(name, x, like):
    """`x` in the type of `like`."""
    return x if x.dtype == like.dtype else workspace.take(name, tuple(x.shape), like).copy_(x)


def _transformed(matrix, x, name):
    """matrix·x·matrixᵀ for each of the values of `x`, rows × columns × values."""
    after, before = matrix.shape
    half = workspace.take("half", (after, before * x.shape[2]), x)
    half.addmm_(matrix, x.view(before, -1), beta=0)
    result = workspace.take(name, (after, after, x.shape[2]), x)
    return result.baddbmm_(matrix.expand(after, after, before), half.view(after, before, -1), beta=0)


def _blocks(shape, channels):
    """The tiles of a result N×H×W×D in blocks: for each the pictures and rows of tiles, as slices, and how many
    (pictures, rows, columns) these are.
    """
    n, h, w, _ = shape
    h, w = -(-h // TILE), -(-w // TILE)
    row = w * TILE**2 * channels
    pictures = max(1, min(n, AT_ONCE // (h * row)))
    rows = max(1, min(h, AT_ONCE // row))
    for first in range(0, n, pictures):
        for top in range(0, h, rows):
            yield (
                slice(first, first + pictures),
                slice(top, top + rows),
                (min(pictures, n - first), min(rows, h - top), w),
            )


def _tiles(x, span, rows, size, padding):
    """The tiles of span × span pixels, TILE apart, of the pictures `x`, n×H×W×C, with zeros beyond their borders:
    span × span × (n·rows·columns·C).
    """
    n, h, w, c = x.shape
    (ph, pw), top = padding, TILE * rows.start - padding[0]
    height, width = (TILE * (count - 1) + span for count in size[1:])
    exact = _exact(x)
    if ph or pw or (h, w) != (height, width):
        first, last, right = max(0, top), min(h, top + height), min(w, width - pw)
        padded = workspace.take("padded", (n, height, width, c), exact).zero_()
        padded[:, first - top : last - top, pw : pw + right].copy_(x[:, first:last, :right])
        x = padded
    tiles = workspace.take("tiles", (span, span, *size, c), exact)
    windows = x.unfold(1, span, TILE).unfold(2, span, TILE).permute(4, 5, 0, 1, 2, 3)
    for row, window in zip(tiles, windows, strict=True):  # the copy's innermost loops are few and long then
        row.copy_(window)
    return tiles.view(span, span, -1)


def _write(tiles, y, rows):
    """Write `tiles`, TILE × TILE × n × rows × columns × D, to their place in `y`, n×H×W×D."""
    _, _, n, height, width, d = tiles.shape
    here = y[:, TILE * rows.start : TILE * rows.stop]
    whole = here
    if here.shape[1:3] != (TILE * height, TILE * width):  # tiles reach beyond the picture
        whole = workspace.take("padded", (n, TILE * height, TILE * width, d), tiles)
    whole.view(n, height, TILE, width, TILE, d).copy_(tiles.permute(2, 3, 0, 4, 1, 5))
    if whole is not here:
        here.copy_(whole[:, : here.shape[1], : here.shape[2]])
