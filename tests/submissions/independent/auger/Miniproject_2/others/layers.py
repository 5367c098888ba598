from torch import empty
from .core import Module, Param


class Conv2d(Module):
    """Convolution written as a sum over the taps (u, v) of the kernel :

        y[:, :, i, j] = b + sum_{u, v} W[:, :, u, v] x[:, :, s i + u, s j + v]

    for each tap it is a 1x1 convolution of a shifted (and strided) image.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__()
        self.k, self.s, self.p = kernel_size, stride, padding
        self.cout = out_channels
        fan_in = in_channels * kernel_size ** 2
        std = (2 / fan_in) ** 0.5
        self.W = Param(empty(out_channels, in_channels, kernel_size, kernel_size).normal_(0, std))
        self.b = Param(empty(out_channels).zero_())
        self.register(self.W, self.b)

    @property
    def weight(self):
        return self.W.data

    @property
    def bias(self):
        return self.b.data

    def taps(self, ho, wo):
        for u in range(self.k):
            for v in range(self.k):
                yield u, v, slice(u, u + self.s * ho, self.s), slice(v, v + self.s * wo, self.s)

    def forward(self, x):
        n, c, h, w = x.shape
        p = self.p
        # one stride of extra room so that the slices never get too short
        xp = x.new_zeros(n, c, h + 2 * p + self.s, w + 2 * p + self.s)
        xp[:, :, p:p + h, p:p + w] = x
        self.xp, self.hw = xp, (h, w)
        ho = (h + 2 * p - self.k) // self.s + 1
        wo = (w + 2 * p - self.k) // self.s + 1
        y = self.b.data.view(1, -1, 1).expand(n, -1, ho * wo).clone()
        for u, v, si, sj in self.taps(ho, wo):
            y += self.W.data[:, :, u, v] @ xp[:, :, si, sj].reshape(n, c, -1)
        return y.view(n, self.cout, ho, wo)

    def backward(self, dy):
        n, _, ho, wo = dy.shape
        c = self.xp.shape[1]
        d = dy.reshape(n, self.cout, -1)
        dm = d.transpose(0, 1).reshape(self.cout, -1)
        dxp = self.xp.new_zeros(self.xp.shape)
        for u, v, si, sj in self.taps(ho, wo):
            xm = self.xp[:, :, si, sj].transpose(0, 1).reshape(c, -1)
            self.W.grad[:, :, u, v] += dm @ xm.t()
            dxp[:, :, si, sj] += (self.W.data[:, :, u, v].t() @ d).view(n, c, ho, wo)
        self.b.grad += dm.sum(1)
        h, w = self.hw
        return dxp[:, :, self.p:self.p + h, self.p:self.p + w]


class NearestUpsampling(Module):
    def __init__(self, scale_factor):
        super().__init__()
        self.f = scale_factor

    def forward(self, x):
        return x.repeat_interleave(self.f, 2).repeat_interleave(self.f, 3)

    def backward(self, dy):
        # sum over windows with the tensor method
        return dy.unfold(2, self.f, self.f).unfold(3, self.f, self.f).sum((4, 5))


class ReLU(Module):
    def forward(self, x):
        y = x.clone()
        y[y < 0] = 0
        self.y = y
        return y

    def backward(self, dy):
        return dy * self.y.sign()


class Sigmoid(Module):
    def forward(self, x):
        # via tanh, no overflow
        self.th = (x / 2).tanh()
        return 0.5 * (1 + self.th)

    def backward(self, dy):
        return 0.25 * (1 - self.th ** 2) * dy


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        self.modules = [self.child(m) for m in modules]

    def forward(self, x):
        for m in self.modules:
            x = m(x)
        return x

    def backward(self, dy):
        for m in self.modules[::-1]:
            dy = m.backward(dy)
        return dy
