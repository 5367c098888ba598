import math
from torch import empty
from .conv_utils import zero_pad, dilate, correlate
from torch.nn.functional import unfold


class Module:
    def forward(self, x):
        raise NotImplementedError

    def backward(self, dl_dy):
        raise NotImplementedError

    def param(self):
        return []


class Conv2d(Module):
    """ y = x * w + b.
    Backward (series 4 / lecture):
        dl/dw = correlation of x with dl/dy
        dl/db = sum of dl/dy
        dl/dx = full convolution of dl/dy with w   (dl/dy is dilated when stride > 1)
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.cin, self.cout = in_channels, out_channels
        self.k, self.s, self.p = kernel_size, stride, padding
        # kaiming for relu
        std = math.sqrt(2.0 / (in_channels * kernel_size ** 2))
        self.weight = empty(out_channels, in_channels, kernel_size, kernel_size).normal_(0, std)
        self.bias = empty(out_channels).fill_(0.)
        self.dl_dw = empty(self.weight.size()).fill_(0.)
        self.dl_db = empty(out_channels).fill_(0.)

    def forward(self, x):
        self.x_size = x.size()
        self.xp = zero_pad(x, self.p, self.p, self.p, self.p)
        return correlate(self.xp, self.weight, self.s) + self.bias.view(1, -1, 1, 1)

    def backward(self, dl_dy):
        n = dl_dy.size(0)
        # bias
        self.dl_db.add_(dl_dy.sum(3).sum(2).sum(0))
        # weights
        u = unfold(self.xp, kernel_size=(self.k, self.k), stride=self.s)
        gy = dl_dy.reshape(n, self.cout, -1)
        self.dl_dw.add_(gy.matmul(u.transpose(1, 2)).sum(0).view(self.weight.size()))
        # input
        d = dilate(dl_dy, self.s)
        # lines at the bottom/right that no window has seen
        rest_h = self.xp.size(2) - self.k - (d.size(2) - 1)
        rest_w = self.xp.size(3) - self.k - (d.size(3) - 1)
        q = self.k - 1
        d = zero_pad(d, q, q + rest_h, q, q + rest_w)
        dl_dxp = correlate(d, self.weight.transpose(0, 1))
        h, w = self.x_size[2], self.x_size[3]
        return dl_dxp[:, :, self.p:self.p + h, self.p:self.p + w]

    def param(self):
        return [[self.weight, self.dl_dw], [self.bias, self.dl_db]]


class NearestUpsampling(Module):
    def __init__(self, scale_factor):
        self.f = scale_factor

    def forward(self, x):
        return x.repeat_interleave(self.f, dim=2).repeat_interleave(self.f, dim=3)

    def backward(self, dl_dy):
        out = 0
        for i in range(self.f):
            for j in range(self.f):
                out = out + dl_dy[:, :, i::self.f, j::self.f]
        return out


class Upsampling(Module):
    """Nearest neighbour + convolution, in place of a transposed convolution."""

    def __init__(self, in_channels, out_channels, kernel_size, scale_factor=2, padding=0):
        self.up = NearestUpsampling(scale_factor)
        self.conv = Conv2d(in_channels, out_channels, kernel_size, 1, padding)

    def forward(self, x):
        return self.conv.forward(self.up.forward(x))

    def backward(self, dl_dy):
        return self.up.backward(self.conv.backward(dl_dy))

    def param(self):
        return self.conv.param()


class ReLU(Module):
    def forward(self, x):
        self.x = x
        return x.clamp(min=0)

    def backward(self, dl_dy):
        return dl_dy * (self.x > 0).float()


class Sigmoid(Module):
    def forward(self, x):
        self.y = x.sigmoid()
        return self.y

    def backward(self, dl_dy):
        return dl_dy * (self.y - self.y ** 2)


class Sequential(Module):
    def __init__(self, *layers):
        self.layers = []
        for l in layers:
            self.append(l)

    def append(self, layer):
        self.layers.append(layer)
        return self

    def forward(self, x):
        for l in self.layers:
            x = l.forward(x)
        return x

    def backward(self, dl_dy):
        for l in self.layers[::-1]:
            dl_dy = l.backward(dl_dy)
        return dl_dy

    def param(self):
        return [q for l in self.layers for q in l.param()]


class MSE(Module):
    def forward(self, y, t):
        self.y, self.t = y, t
        return (y - t).pow(2).mean()

    def backward(self):
        return 2 * (self.y - self.t) / self.y.numel()


class SGD:
    def __init__(self, params, lr=0.1):
        self.params, self.lr = params, lr

    def step(self):
        for p, dp in self.params:
            p -= self.lr * dp

    def zero_grad(self):
        for _, dp in self.params:
            dp.fill_(0.)
