"""The two maps between a picture and its patches, each the adjoint of the other.

A convolution gathers the patch under each position of its kernel and multiplies; a transposed convolution
multiplies and adds each product back where its patch came from. Both are then one large matrix product.

Pictures are kept channel-last: tensors of shape N×C×H×W whose memory is N×H×W×C. Then every row of the matrix
is a pixel or a patch, the result of a product already is the next picture, and nothing has to be reordered
between modules. Any other memory order is accepted and costs a copy.
"""


def channel_last(x):
    """The view N×H×W×C of a tensor N×C×H×W."""
    return x.permute(0, 2, 3, 1)


def channel_first(x):
    """The view N×C×H×W of a tensor N×H×W×C."""
    return x.permute(0, 3, 1, 2)


def gather(x, window, size, buffers):
    """The patches of a picture as the rows of a matrix (also known as im2col).

    `x`: N×H×W×C. `window`: a Window. `size`: the number of patches (rows, columns).
    Returns a kept matrix with a row for each patch, (N·rows·columns) × (k_h·k_w·C).
    """
    n, h, w, c = x.shape
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = window
    if ph or pw:
        padded = buffers.take("padded", (n, h + 2 * ph, w + 2 * pw, c), x, zeroed=True)
        padded[:, ph : ph + h, pw : pw + w].copy_(x)  # the border stays zero
        x = padded
    patches = x.unfold(1, dh * (kh - 1) + 1, sh).unfold(2, dw * (kw - 1) + 1, sw)[..., ::dh, ::dw]
    patches = patches[:, : size[0], : size[1]].permute(0, 1, 2, 4, 5, 3)  # N, rows, columns, kh, kw, C
    rows = buffers.take("patches", (n * size[0] * size[1], kh * kw * c), x)
    rows.view(patches.shape).copy_(patches)
    return rows


def scatter(rows, window, size, x):
    """Write to the picture `x`, N×H×W×C, the sum of its patches: the adjoint of `gather` (also known as col2im).

    `rows`: the matrix (N·rows·columns) × (k_h·k_w·C); `size`: the number of patches (rows, columns).
    """
    n, h, w, c = x.shape
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = window
    patches = rows.view(n, *size, kh, kw, c)
    if window == ((sh, sw), (sh, sw), (0, 0), (1, 1)) and (h, w) == (sh * size[0], sw * size[1]):
        # The patches tile the picture: each pixel lies in just one.
        x.view(n, size[0], sh, size[1], sw, c).copy_(patches.transpose(2, 3))
        return x
    x.zero_()
    for i in range(kh):
        into_h, from_h = _overlap(i * dh - ph, sh, h, size[0])
        for j in range(kw):
            into_w, from_w = _overlap(j * dw - pw, sw, w, size[1])
            x[:, into_h, into_w].add_(patches[:, from_h, from_w, i, j])
    return x


def _overlap(offset, stride, length, count):
    """The pixels `offset + stride·p`, p < count, that lie within 0…length−1, and those p: two slices."""
    first = max(0, -(offset // stride))
    end = max(first, min(count, (length - 1 - offset) // stride + 1))
    start = offset + stride * first
    return slice(start, start + stride * (end - first), stride), slice(first, end)
