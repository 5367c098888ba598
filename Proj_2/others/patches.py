"""The two maps between a picture and its patches, each the adjoint of the other.

A convolution gathers the patch under each position of its kernel and multiplies; a transposed convolution
multiplies and adds each product back where its patch came from. Both are then one large matrix product.

Pictures are kept channel-last: tensors of shape N×C×H×W whose memory is N×H×W×C. Then every row of the matrix
is a pixel or a patch, the result of a product already is the next picture, and nothing has to be reordered
between modules. Any other memory order is accepted and costs a copy.
"""

from .buffers import workspace


def channel_last(x):
    """The view N×H×W×C of a tensor N×C×H×W."""
    return x.permute(0, 2, 3, 1)


def channel_first(x):
    """The view N×C×H×W of a tensor N×H×W×C."""
    return x.permute(0, 3, 1, 2)


def copy_channel_last(x, out):
    """Copy the picture `x`, N×C×H×W of any type, to `out`, N×H×W×C; returns `out`. A copy for each channel reads
    whole rows, where a single one would take the few channels of every pixel in turn.
    """
    for channel in range(x.shape[1]):
        out[..., channel].copy_(x[:, channel])
    return out


def gather(x, window, size, buffers, memory):
    """The patches of a picture as the rows of a matrix (also known as im2col).

    `x`: N×H×W×C. `window`: a Window. `size`: the number of patches (rows, columns). `buffers`: for what is kept
    between calls. Returns a matrix in `memory`, Buffers or the workspace, with a row for each patch, (N·rows·columns)
    × (k_h·k_w·C).
    """
    n, h, w, c = x.shape
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = window
    if ph or pw:
        padded = buffers.take("padded", (n, h + 2 * ph, w + 2 * pw, c), x, zeroed=True)
        padded[:, ph : ph + h, pw : pw + w].copy_(x)  # the border stays zero
        x = padded
    patches = x.unfold(1, dh * (kh - 1) + 1, sh).unfold(2, dw * (kw - 1) + 1, sw)[..., ::dh, ::dw]
    patches = patches[:, : size[0], : size[1]].permute(0, 1, 2, 4, 5, 3)  # N, rows, columns, kh, kw, C
    rows = memory.take("patches", (n * size[0] * size[1], kh * kw * c), x)
    out = rows.view(patches.shape)
    for i in range(kh):  # a row of the kernel at a time: the copy's innermost loops are few and long then
        out[:, :, :, i].copy_(patches[:, :, :, i])
    return rows


def scatter(rows, window, size, x):
    """Write to the picture `x`, N×H×W×C, the sum of its patches: the adjoint of `gather` (also known as col2im).

    `rows`: the matrix (N·rows·columns) × (k_h·k_w·C); `size`: the number of patches (rows, columns).
    """
    n, h, w, c = x.shape
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = window
    tiled = (kh, kw, ph, pw, dh, dw) == (sh, sw, 0, 0, 1, 1) and (h, w) == (sh * size[0], sw * size[1])
    if not tiled and rows.element_size() < 4:
        rows = workspace.take("float", tuple(rows.shape), rows.new_empty(0).float()).copy_(rows)  # sums lose digits
    patches = rows.view(n, *size, kh, kw, c).transpose(2, 3)  # N, rows, kh, columns, kw, C
    if tiled:
        x.view(patches.shape).copy_(patches)  # the patches tile the picture: each pixel lies in just one
        return x
    # Divide the picture, padding included, into blocks of stride × stride pixels. One part of all the patches
    # covers whole blocks, and can be added in one go; so does the next part, some blocks further on.
    blocks_h, blocks_w = (
        max(count - 1 - (-(d * (k - 1) + 1) // s), -(-(length + 2 * p) // s))
        for count, k, s, d, length, p in ((size[0], kh, sh, dh, h, ph), (size[1], kw, sw, dw, w, pw))
    )
    padded = workspace.take("sum", (n, blocks_h * sh, blocks_w * sw, c), rows).zero_()
    blocks = padded.view(n, blocks_h, sh, blocks_w, sw, c)
    for part_h, block_h, within_h in _parts(kh, sh, dh):
        for part_w, block_w, within_w in _parts(kw, sw, dw):
            here = blocks[:, block_h : block_h + size[0], within_h, block_w : block_w + size[1], within_w]
            here.add_(patches[:, :, part_h, :, part_w])
    return x.copy_(padded[:, ph : ph + h, pw : pw + w])


def _parts(k, s, d):
    """The parts of a kernel of size `k` that each fall within one block of `s` pixels: for each which part, how
    many blocks further on than the patch, and where within the block.
    """
    if d == 1:
        return [(slice(i, min(i + s, k)), i // s, slice(0, min(s, k - i))) for i in range(0, k, s)]
    return [(slice(i, i + 1), i * d // s, slice(i * d % s, i * d % s + 1)) for i in range(k)]
