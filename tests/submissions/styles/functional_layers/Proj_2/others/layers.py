"""All layers as pairs of functions: NAME_forward returns the output and a cache, NAME_backward takes that cache."""

from torch.nn.functional import fold, unfold


def conv_forward(x, w, b, stride, pad):
    n, _, height, width = x.shape
    f, _, k, _ = w.shape
    out = (height + 2 * pad - k) // stride + 1, (width + 2 * pad - k) // stride + 1
    cols = unfold(x, k, stride=stride, padding=pad)
    y = (w.reshape(f, -1) @ cols).reshape(n, f, *out) + b.reshape(1, f, 1, 1)
    return y, (x.shape, cols, w, stride, pad)


def conv_backward(dy, cache):
    shape, cols, w, stride, pad = cache
    f, _, k, _ = w.shape
    flat = dy.reshape(dy.shape[0], f, -1)
    dw = (flat @ cols.transpose(1, 2)).sum(0).reshape(w.shape)
    db = flat.sum((0, 2))
    dx = fold(w.reshape(f, -1).t() @ flat, shape[2:], k, stride=stride, padding=pad)
    return dx, dw, db


def conv_transpose_forward(x, w, b, stride, pad):
    n, c, height, width = x.shape
    _, f, k, _ = w.shape
    out = (height - 1) * stride + k - 2 * pad, (width - 1) * stride + k - 2 * pad
    flat = x.reshape(n, c, -1)
    y = fold(w.reshape(c, -1).t() @ flat, out, k, stride=stride, padding=pad) + b.reshape(1, f, 1, 1)
    return y, (x.shape, flat, w, stride, pad)


def conv_transpose_backward(dy, cache):
    shape, flat, w, stride, pad = cache
    cols = unfold(dy, w.shape[2], stride=stride, padding=pad)
    dw = (flat @ cols.transpose(1, 2)).sum(0).reshape(w.shape)
    db = dy.sum((0, 2, 3))
    dx = (w.reshape(shape[1], -1) @ cols).reshape(shape)
    return dx, dw, db


def relu_forward(x):
    return x.clamp(min=0), x


def relu_backward(dy, cache):
    return dy * (cache > 0)


def sigmoid_forward(x):
    y = 1 / (1 + (-x).exp())
    return y, y


def sigmoid_backward(dy, cache):
    return dy * cache * (1 - cache)


def mse_loss(prediction, target):
    """The loss and its gradient."""
    error = prediction - target
    return (error**2).mean(), 2 * error / error.numel()
