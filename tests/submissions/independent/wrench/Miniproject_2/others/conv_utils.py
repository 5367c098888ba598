# Small helpers for the convolutions.
from torch import empty
from torch.nn.functional import unfold


def zero_pad(x, top, bottom, left, right):
    n, c, h, w = x.size()
    out = x.new_zeros(n, c, h + top + bottom, w + left + right)
    out[:, :, top:top + h, left:left + w] = x
    return out


def dilate(x, s):
    """puts s-1 zeros between the pixels of x"""
    if s == 1:
        return x
    n, c, h, w = x.size()
    out = x.new_zeros(n, c, (h - 1) * s + 1, (w - 1) * s + 1)
    out[:, :, ::s, ::s] = x
    return out


def correlate(x, w, stride=1):
    """x : (N, C, H, W)  w : (D, C, k, k)   valid correlation"""
    d, c, k, _ = w.size()
    hout = (x.size(2) - k) // stride + 1
    wout = (x.size(3) - k) // stride + 1
    u = unfold(x, kernel_size=(k, k), stride=stride)
    y = w.reshape(d, -1).matmul(u)
    return y.view(x.size(0), d, hout, wout)
