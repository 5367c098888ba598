from torch import empty
from torch.nn.functional import fold, unfold

# forward functions return (out, cache), backward functions take (dout, cache)


def conv_forward(x, w, b, stride=1, pad=0):
    N, C, H, W = x.size()
    F, _, kh, kw = w.size()
    Ho = (H + 2 * pad - kh) // stride + 1
    Wo = (W + 2 * pad - kw) // stride + 1
    cols = unfold(x, (kh, kw), padding=pad, stride=stride)
    out = w.reshape(F, -1).matmul(cols)
    out = out.view(N, F, Ho, Wo)
    if b is not None:
        out = out + b.view(1, F, 1, 1)
    return out, (x.size(), cols, w, b, stride, pad)


def conv_backward(dout, cache):
    xs, cols, w, b, stride, pad = cache
    F, C, kh, kw = w.size()
    d = dout.reshape(dout.size(0), F, -1)
    dw = d.matmul(cols.permute(0, 2, 1)).sum(dim=0).view(F, C, kh, kw)
    db = d.sum(dim=2).sum(dim=0) if b is not None else None
    dcols = w.reshape(F, -1).t().matmul(d)
    dx = fold(dcols, (xs[2], xs[3]), (kh, kw), padding=pad, stride=stride)
    return dx, dw, db


def tconv_forward(x, w, b, stride=1, pad=0):
    # w : Cin x Cout x k x k
    N, C, H, W = x.size()
    _, F, kh, kw = w.size()
    Ho = (H - 1) * stride - 2 * pad + kh
    Wo = (W - 1) * stride - 2 * pad + kw
    cols = w.reshape(C, -1).t().matmul(x.reshape(N, C, -1))
    out = fold(cols, (Ho, Wo), (kh, kw), padding=pad, stride=stride)
    if b is not None:
        out = out + b.view(1, F, 1, 1)
    return out, (x, w, b, stride, pad)


def tconv_backward(dout, cache):
    x, w, b, stride, pad = cache
    N, C, H, W = x.size()
    cols = unfold(dout, (w.size(2), w.size(3)), padding=pad, stride=stride)
    dx = w.reshape(C, -1).matmul(cols).view(N, C, H, W)
    dw = x.reshape(N, C, -1).matmul(cols.permute(0, 2, 1)).sum(dim=0).view(w.size())
    db = dout.sum(dim=(0, 2, 3)) if b is not None else None
    return dx, dw, db


def relu_forward(x):
    out = x.relu()
    return out, out


def relu_backward(dout, cache):
    return dout * (cache > 0)


def sigmoid_forward(x):
    out = x.mul(-1).exp().add(1).pow(-1)
    return out, out


def sigmoid_backward(dout, cache):
    return dout * cache * (1 - cache)


def mse(pred, target):
    diff = pred - target
    return diff.pow(2).mean(), diff * 2 / diff.numel()
