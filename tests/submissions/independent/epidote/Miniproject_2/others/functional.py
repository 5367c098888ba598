from torch.nn.functional import fold, unfold


def to_tuple(v):
    if isinstance(v, (tuple, list)):
        return tuple(v)
    return (v, v)


def conv_out(size, k, s, p, d):
    return tuple((n + 2 * p_ - d_ * (k_ - 1) - 1) // s_ + 1 for n, k_, s_, p_, d_ in zip(size, k, s, p, d))


def im2col(x, k, s, p, d):
    # (N, C, H, W) -> (C*kh*kw, N*L)
    u = unfold(x, kernel_size=k, stride=s, padding=p, dilation=d)
    return u.permute(1, 0, 2).reshape(u.shape[1], -1)


def col2im(cols, n, size, k, s, p, d):
    u = cols.view(cols.shape[0], n, -1).permute(1, 0, 2)
    return fold(u, output_size=size, kernel_size=k, stride=s, padding=p, dilation=d)


def nearest(x, s):
    n, c, h, w = x.shape
    return x[:, :, :, None, :, None].expand(n, c, h, s[0], w, s[1]).reshape(n, c, h * s[0], w * s[1])


def nearest_adjoint(g, s):
    n, c, h, w = g.shape
    return g.reshape(n, c, h // s[0], s[0], w // s[1], s[1]).sum(dim=(3, 5))
