from torch import empty
from torch.nn.functional import unfold, fold


def im2col(x, k, s, p):
    """ returns matrix of shape (C*k*k, N*L): all patches of all images in one matrix """
    u = unfold(x, kernel_size=(k, k), stride=s, padding=p)
    return u.permute(1, 0, 2).reshape(u.shape[1], -1)


def col2im(cols, n, size, k, s, p):
    u = cols.reshape(cols.shape[0], n, -1).permute(1, 0, 2)
    return fold(u, output_size=size, kernel_size=(k, k), stride=s, padding=p)


def to_matrix(t):
    """ (N, C, H, W) -> (C, N*H*W) """
    return t.permute(1, 0, 2, 3).reshape(t.shape[1], -1)


def from_matrix(m, n, h, w):
    """ (C, N*H*W) -> (N, C, H, W) """
    return m.reshape(m.shape[0], n, h, w).permute(1, 0, 2, 3)


def insert_zeros(x, s):
    n, c, h, w = x.shape
    z = x.new_zeros((n, c, (h - 1) * s + 1, (w - 1) * s + 1))
    z[:, :, ::s, ::s] = x
    return z


def xavier(shape, fan_in, fan_out):
    bound = (6 / (fan_in + fan_out)) ** 0.5
    return empty(shape).uniform_(-bound, bound)
