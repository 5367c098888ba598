import math
from torch import empty


def as_tuple(v):
    if isinstance(v, int):
        return v, v
    return v


class Module(object):
    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []

    def zero_grad(self):
        for p in self.param():
            p[1].zero_()


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.ci, self.co = in_channels, out_channels
        self.kh, self.kw = as_tuple(kernel_size)
        self.sh, self.sw = as_tuple(stride)
        self.ph, self.pw = as_tuple(padding)
        bound = math.sqrt(1 / (self.ci * self.kh * self.kw))
        self.weight = empty(self.co, self.ci, self.kh, self.kw).uniform_(-bound, bound)
        self.bias = empty(self.co).uniform_(-bound, bound)
        self.dw = self.weight.new_zeros(self.weight.shape)
        self.db = self.bias.new_zeros(self.bias.shape)

    def _patch(self, t, i, j):
        # pixels of the padded image below the kernel entry (i, j)
        return t[:, :, i:i + self.sh * self.ho:self.sh, j:j + self.sw * self.wo:self.sw]

    def forward(self, x):
        N, C, H, W = x.shape
        self.H, self.W = H, W
        self.ho = (H + 2 * self.ph - self.kh) // self.sh + 1
        self.wo = (W + 2 * self.pw - self.kw) // self.sw + 1
        # some more rows and columns so that the slices always fit
        self.xp = x.new_zeros(N, C, H + 2 * self.ph + self.sh, W + 2 * self.pw + self.sw)
        self.xp[:, :, self.ph:self.ph + H, self.pw:self.pw + W] = x
        y = self.bias.view(1, -1, 1).repeat(N, 1, self.ho * self.wo)
        for i in range(self.kh):
            for j in range(self.kw):
                y = y + self.weight[:, :, i, j] @ self._patch(self.xp, i, j).reshape(N, C, -1)
        return y.view(N, self.co, self.ho, self.wo)

    def backward(self, dy):
        N = dy.shape[0]
        dyf = dy.reshape(N, self.co, -1)
        self.db += dyf.sum(2).sum(0)
        dxp = self.xp.new_zeros(self.xp.shape)
        for i in range(self.kh):
            for j in range(self.kw):
                xf = self._patch(self.xp, i, j).reshape(N, self.ci, -1)
                self.dw[:, :, i, j] += (dyf @ xf.transpose(1, 2)).sum(0)
                back = self.weight[:, :, i, j].t() @ dyf
                self._patch(dxp, i, j).add_(back.view(N, self.ci, self.ho, self.wo))
        # same size as the input again
        return dxp[:, :, :self.H, :self.W]

    def param(self):
        return [(self.weight, self.dw), (self.bias, self.db)]


class TransposeConv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.ci, self.co = in_channels, out_channels
        self.kh, self.kw = as_tuple(kernel_size)
        self.sh, self.sw = as_tuple(stride)
        self.ph, self.pw = as_tuple(padding)
        bound = math.sqrt(1 / (self.co * self.kh * self.kw))
        self.weight = empty(self.ci, self.co, self.kh, self.kw).uniform_(-bound, bound)
        self.bias = empty(self.co).uniform_(-bound, bound)
        self.dw = self.weight.new_zeros(self.weight.shape)
        self.db = self.bias.new_zeros(self.bias.shape)

    def forward(self, x):
        N, C, H, W = x.shape
        self.x = x
        self.full = ((H - 1) * self.sh + self.kh, (W - 1) * self.sw + self.kw)
        y = x.new_zeros(N, self.co, *self.full)
        xf = x.reshape(N, C, -1)
        for i in range(self.kh):
            for j in range(self.kw):
                stamp = (self.weight[:, :, i, j].t() @ xf).view(N, self.co, H, W)
                y[:, :, i:i + (H - 1) * self.sh + 1:self.sh, j:j + (W - 1) * self.sw + 1:self.sw] += stamp
        y = y[:, :, self.ph:self.full[0] - self.ph, self.pw:self.full[1] - self.pw]
        return y + self.bias.view(1, -1, 1, 1)

    def backward(self, dy):
        N, C, H, W = self.x.shape
        self.db += dy.sum(3).sum(2).sum(0)
        dfull = dy.new_zeros(N, self.co, *self.full)
        dfull[:, :, self.ph:self.full[0] - self.ph, self.pw:self.full[1] - self.pw] = dy
        xf = self.x.reshape(N, C, -1)
        dx = 0
        for i in range(self.kh):
            for j in range(self.kw):
                d = dfull[:, :, i:i + (H - 1) * self.sh + 1:self.sh, j:j + (W - 1) * self.sw + 1:self.sw]
                d = d.reshape(N, self.co, -1)
                self.dw[:, :, i, j] += (xf @ d.transpose(1, 2)).sum(0)
                dx = dx + self.weight[:, :, i, j] @ d
        return dx.view(N, C, H, W)

    def param(self):
        return [(self.weight, self.dw), (self.bias, self.db)]


class ReLU(Module):
    def forward(self, x):
        self.m = x.gt(0).float()
        return self.m * x

    def backward(self, dy):
        return self.m * dy


class Sigmoid(Module):
    def forward(self, x):
        self.s = 1 / (1 + (-x).exp())
        return self.s

    def backward(self, dy):
        return dy * self.s * (1 - self.s)


class Sequential(Module):
    def __init__(self, *seq):
        self.seq = seq

    def forward(self, x):
        for module in self.seq:
            x = module.forward(x)
        return x

    def backward(self, dy):
        for module in reversed(self.seq):
            dy = module.backward(dy)
        return dy

    def param(self):
        return [pair for module in self.seq for pair in module.param()]


class MSE(Module):
    def forward(self, x, t):
        self.e = x - t
        return (self.e ** 2).mean().item()

    def backward(self):
        return 2 * self.e / self.e.numel()
