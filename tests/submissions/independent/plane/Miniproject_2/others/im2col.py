from torch import arange


def patch_index(H, W, k, stride):
    """flat indices (k*k, Ho*Wo) in an H x W image of every pixel of every patch"""
    Ho = (H - k) // stride + 1
    Wo = (W - k) // stride + 1
    corner = (arange(Ho) * stride).view(-1, 1) * W + (arange(Wo) * stride).view(1, -1)
    inside = arange(k).view(-1, 1) * W + arange(k).view(1, -1)
    return inside.reshape(-1, 1) + corner.reshape(1, -1), Ho, Wo


def im2col(x, index):
    # x : B C H W  ->  B C*k*k L
    B, C = x.shape[:2]
    kk, L = index.shape
    flat = x.reshape(B, C, -1)
    return flat[:, :, index.reshape(-1)].view(B, C * kk, L)


def col2im(cols, index, C, H, W):
    # pixels that are in several patches are summed
    B = cols.shape[0]
    out = cols.new_zeros(B, C, H * W)
    out.index_add_(2, index.reshape(-1), cols.reshape(B, C, -1))
    return out.view(B, C, H, W)


def add_border(x, p):
    if p == 0:
        return x
    B, C, H, W = x.shape
    y = x.new_zeros(B, C, H + 2 * p, W + 2 * p)
    y[:, :, p:-p, p:-p] = x
    return y


def remove_border(x, p):
    return x if p == 0 else x[:, :, p:-p, p:-p]
