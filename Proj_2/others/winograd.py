"""3×3 convolutions with a quarter of the multiplications: Winograd's minimal filtering F(4×4, 3×3) of A. Lavin and
S. Gray, arXiv 1509.09308.

A tile of 6×6 pixels and a kernel of 3×3 are polynomials, whose values at 6×6 points are multiplied: 36 products for
each pair of channels, where the 4×4 results take 144 otherwise. With d the tile, g the kernel, and ∘ the product of
every value with its counterpart, summed over the channels, which is a matrix product for each of the 36 points:

    Y = Aᵀ·[(G·g·Gᵀ) ∘ (Bᵀ·d·B)]·A

The points are 0, ±1/2, ±3/2 and ∞. With the usual 0, ±1, ±2 and ∞, products in bfloat16 would err by twice as much
(B. Barabasz et al., arXiv 1803.10986, on the choice of points), and with others the transforms were not exact there.
"""

from .buffers import workspace

TILE = 4  # pixels of the result, in each direction, that are made together
SPAN = TILE + 2  # pixels that they are made of
AT_ONCE = 2**18  # values of a picture that are worked on together: what is made of them stays in the cache
NARROWEST = 16  # channels; with fewer, the transforms cost more than the products that they save

P, Q = 1 / 2, 3 / 2
PP, QQ = P * P, Q * Q
POINTS = (0, P, -P, Q, -Q)
# For each point, ∞ last, the coefficients of the polynomial that is zero at all other points.
B_T = [
    [PP * QQ, 0, -PP - QQ, 0, 1, 0],
    [0, -P * QQ, -QQ, P, 1, 0],
    [0, P * QQ, -QQ, -P, 1, 0],
    [0, -Q * PP, -PP, Q, 1, 0],
    [0, Q * PP, -PP, -Q, 1, 0],
    [0, PP * QQ, 0, -PP - QQ, 0, 1],
]
# And the powers of the point, for the kernel divided by that polynomial's value there.
VALUES = (PP * QQ, *[2 * PP * (PP - QQ)] * 2, *[2 * QQ * (QQ - PP)] * 2)
G = [[power / value for power in (1, x, x * x)] for x, value in zip(POINTS, VALUES, strict=True)] + [[0, 0, 1]]
A_T = [[x**i for x in POINTS] + [int(i == TILE - 1)] for i in range(TILE)]


def serves(window, in_channels, out_channels):
    """Whether a convolution is one of those that are made here, and wide enough for it to be worth while."""
    shape = (window.kernel_size, window.stride, window.dilation)
    fits = shape == ((3, 3), (1, 1), (1, 1)) and max(window.padding) <= 2
    return fits and min(in_channels, out_channels) >= NARROWEST


def kernels(weight, like, turned=False):
    """The transformed kernels of `weight`, D×3×3×C: 36×C×D in the type of `like`; or, for the way back, those turned
    by half a turn, 36×D×C.
    """
    matrix = _exact(like).new_tensor([row[::-1] for row in G] if turned else G)
    weight = weight.permute(1, 2, 0, 3) if turned else weight.permute(1, 2, 3, 0)
    rows, columns = weight.shape[2:]
    result = workspace.take("kernels", (SPAN, SPAN, rows, columns), like)
    at_once = max(1, AT_ONCE // (SPAN**2 * columns))
    for part, here in zip(weight.split(at_once, 2), result.split(at_once, 2), strict=True):
        values = workspace.take("tiles", tuple(part.shape), matrix).copy_(part)
        here.copy_(_transformed(matrix, values.view(3, 3, -1), "values").view(here.shape))
    return result.view(SPAN**2, rows, columns)


def correlate(x, kernels, padding, y):
    """Write to `y`, N×H_out×W_out×D, the correlation of `x`, N×H×W×C, padded by up to two zeros, with `kernels`,
    36×C×D.
    """
    c, d = kernels.shape[1:]
    spread, gather = _matrix(B_T, x), _matrix(A_T, x)
    for pictures, rows, size in _blocks(y.shape, max(c, d)):
        values = _transformed(spread, _tiles(x[pictures], SPAN, rows, size, padding), "values").view(SPAN**2, -1, c)
        products = workspace.take("products", (SPAN**2, values.shape[1], d), x)
        products.baddbmm_(values, kernels, beta=0)
        tiles = _transformed(gather, products.view(SPAN, SPAN, -1), "tiles")
        _write(tiles.view(TILE, TILE, *size, d), y[pictures], rows)


def weight_gradient(x, grad_y, padding):
    """The gradient of the weight of `correlate`, for its input `x` and the gradient `grad_y` of its output: 3×3×D×C,
    in memory that lives until the next call of anything here.
    """
    c, d = x.shape[3], grad_y.shape[3]
    spread, back = _matrix(B_T, x), _matrix(A_T, x).t()
    total = workspace.take("kernels", (SPAN**2, d, c), _exact(x)).zero_()
    for pictures, rows, size in _blocks(grad_y.shape, max(c, d)):
        values = _transformed(spread, _tiles(x[pictures], SPAN, rows, size, padding), "values").view(SPAN**2, -1, c)
        grads = _transformed(back, _tiles(grad_y[pictures], TILE, rows, size, (0, 0)), "grads").view(SPAN**2, -1, d)
        if total.dtype == x.dtype:
            total.baddbmm_(grads.transpose(1, 2), values)
        else:  # a sum of bfloat16 products would round them once more
            part = workspace.take("products", (SPAN**2, d, c), x)
            total.add_(part.baddbmm_(grads.transpose(1, 2), values, beta=0))
    return _transformed(total.new_tensor(G).t(), total.view(SPAN, SPAN, -1), "tiles").view(3, 3, d, c)


def _exact(x):
    """An empty tensor with the type of `x`, or with float32 if that is more exact."""
    return x.new_empty(0) if x.element_size() >= 4 else x.new_empty(0).float()


def _matrix(rows, x):
    """The matrix of `rows` for transforms of `x`. In bfloat16 its Kronecker square, which makes a transform a single
    product: between two, values would be rounded. It is exact in all entries of the transforms here but one, (27/8)².
    """
    matrix = _exact(x).new_tensor(rows)
    if matrix.dtype == x.dtype:
        return matrix
    after, before = matrix.shape
    return (matrix[:, None, :, None] * matrix[None, :, None, :]).view(after**2, before**2).to(x.dtype)


def _transformed(matrix, x, name):
    """matrix·x·matrixᵀ for each of the values of `x`, rows × columns × values."""
    after, before = matrix.shape
    if before == len(x) ** 2:
        result = workspace.take(name, (after, x.shape[2]), x)
        return result.addmm_(matrix, x.view(before, -1), beta=0)
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
    if ph or pw or (h, w) != (height, width):
        first, last, right = max(0, top), min(h, top + height), min(w, width - pw)
        padded = workspace.take("padded", (n, height, width, c), x)
        for border in (
            padded[:, : first - top],
            padded[:, last - top :],
            padded[:, :, :pw],
            padded[:, :, pw + right :],
        ):
            border.zero_()
        padded[:, first - top : last - top, pw : pw + right].copy_(x[:, first:last, :right])
        x = padded
    tiles = workspace.take("tiles", (span, span, *size, c), x)
    tiles.copy_(x.unfold(1, span, TILE).unfold(2, span, TILE).permute(4, 5, 0, 1, 2, 3))
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
