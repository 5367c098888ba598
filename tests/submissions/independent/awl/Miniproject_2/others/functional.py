# forward functions return (out, cache), backward functions take (dout, cache)
from torch.nn.functional import fold, unfold


def conv_forward(x, w, b, stride, pad):
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    H_out = 1 + (H + 2 * pad - HH) // stride
    W_out = 1 + (W + 2 * pad - WW) // stride
    x_cols = unfold(x, (HH, WW), padding=pad, stride=stride)          # N, C*HH*WW, L
    x_cols = x_cols.permute(1, 2, 0).reshape(C * HH * WW, -1)         # C*HH*WW, L*N
    out = w.reshape(F, -1) @ x_cols + b.reshape(-1, 1)
    out = out.view(F, H_out, W_out, N).permute(3, 0, 1, 2)
    return out, (x.shape, x_cols, w, stride, pad)


def conv_backward(dout, cache):
    x_shape, x_cols, w, stride, pad = cache
    N, C, H, W = x_shape
    F, _, HH, WW = w.shape
    db = dout.sum(dim=(0, 2, 3))
    d = dout.permute(1, 2, 3, 0).reshape(F, -1)
    dw = (d @ x_cols.t()).view(w.shape)
    dcols = w.reshape(F, -1).t() @ d
    dcols = dcols.view(C * HH * WW, -1, N).permute(2, 0, 1)
    dx = fold(dcols, (H, W), (HH, WW), padding=pad, stride=stride)
    return dx, dw, db


def tconv_forward(x, w, b, stride, pad):
    # w : C_in, F, HH, WW
    N, C, H, W = x.shape
    _, F, HH, WW = w.shape
    H_out = (H - 1) * stride + HH - 2 * pad
    W_out = (W - 1) * stride + WW - 2 * pad
    xm = x.reshape(N, C, -1)
    cols = w.reshape(C, -1).t() @ xm
    out = fold(cols, (H_out, W_out), (HH, WW), padding=pad, stride=stride)
    out = out + b.reshape(1, -1, 1, 1)
    return out, (x.shape, xm, w, stride, pad)


def tconv_backward(dout, cache):
    x_shape, xm, w, stride, pad = cache
    C, F, HH, WW = w.shape
    dcols = unfold(dout, (HH, WW), padding=pad, stride=stride)
    dx = (w.reshape(C, -1) @ dcols).reshape(x_shape)
    dw = (xm @ dcols.permute(0, 2, 1)).sum(0).view(w.shape)
    db = dout.sum(dim=(0, 2, 3))
    return dx, dw, db


def relu_forward(x):
    out = x.clamp(min=0)
    cache = x
    return out, cache


def relu_backward(dout, cache):
    x = cache
    return dout * (x > 0)


def sigmoid(x):
    return 1. / (1. + (-x).exp())


def sigmoid_forward(x):
    out = sigmoid(x)
    cache = out
    return out, cache


def sigmoid_backward(dout, cache):
    s = sigmoid(cache)
    return dout * s * (1 - s)


def mse_forward(x, y):
    diff = x - y
    return (diff ** 2).sum() / diff.numel(), diff


def mse_backward(cache):
    diff = cache
    return 2 * diff / diff.numel()
