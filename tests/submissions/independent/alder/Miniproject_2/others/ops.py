"""
The three linear maps behind a convolution. The transposed convolution uses
the very same three, with the roles of input and output exchanged.
"""
from torch.nn.functional import fold, unfold


def conv_apply(x, w, stride, padding):
    # x: N,C,H,W   w: O,C,kh,kw   ->  N,O,h,w
    n, c, h, wd = x.shape
    o, _, kh, kw = w.shape
    ho = (h + 2 * padding[0] - kh) // stride[0] + 1
    wo = (wd + 2 * padding[1] - kw) // stride[1] + 1
    cols = unfold(x, (kh, kw), padding=padding, stride=stride)
    out = w.reshape(o, -1) @ cols
    return out.view(n, o, ho, wo)


def conv_adjoint(g, w, stride, padding, size):
    # gradient w.r.t. the input of conv_apply. size: (H, W) of that input
    n, o = g.shape[:2]
    kh, kw = w.shape[2:]
    cols = w.reshape(o, -1).t() @ g.reshape(n, o, -1)
    return fold(cols, size, (kh, kw), padding=padding, stride=stride)


def conv_weight(x, g, kernel, stride, padding):
    # gradient w.r.t. the weight of conv_apply
    n, o = g.shape[:2]
    cols = unfold(x, kernel, padding=padding, stride=stride)
    dw = g.reshape(n, o, -1) @ cols.transpose(1, 2)
    return dw.sum(0).view(o, x.shape[1], kernel[0], kernel[1])
