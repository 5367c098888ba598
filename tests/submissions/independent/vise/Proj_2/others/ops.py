from torch.nn.functional import unfold


def out_dim(n, k, s):
    return (n - k) // s + 1


def crosscorr(x, w, s=1):
    """valid cross correlation of a batch"""
    U = unfold(x, w.shape[2:], stride=s)
    y = w.reshape(w.shape[0], -1) @ U
    return y.view(x.shape[0], w.shape[0], out_dim(x.shape[2], w.shape[2], s), out_dim(x.shape[3], w.shape[3], s))


def crosscorr_wrt_w(x, dy, k, s=1):
    """derivative of crosscorr with respect to w"""
    U = unfold(x, (k, k), stride=s)
    B, D = dy.shape[:2]
    dw = dy.reshape(B, D, -1) @ U.transpose(1, 2)
    return dw.sum(0).view(D, x.shape[1], k, k)


def spread(x, s, before, after_h, after_w):
    """s-1 zeros between pixels and a frame of zeros around"""
    B, C, H, W = x.shape
    hh, ww = (H - 1) * s + 1, (W - 1) * s + 1
    z = x.new_zeros(B, C, before + hh + after_h, before + ww + after_w)
    z[:, :, before:before + hh:s, before:before + ww:s] = x
    return z


def rot180(w):
    return w.flip(2).flip(3)


def swap(w):
    return w.transpose(0, 1)
