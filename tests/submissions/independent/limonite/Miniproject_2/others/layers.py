from torch import empty
from torch.nn.functional import fold, unfold
from .base import Module


class Linear2d(Module):
    """Common part of the two convolutions. All the gradients are kept as matrices, because the
    convolution is a matrix product on the unfolded input."""

    def __init__(self, in_channels, out_channels, kernel_size, stride, padding):
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        self.opt = dict(kernel_size=self.kernel_size, stride=stride, padding=padding)
        self.stride, self.padding = stride, padding

    def init(self, gain=1.0):
        fan = self.in_channels * self.kernel_size[0] * self.kernel_size[1]
        self.weight.normal_(0, gain / fan ** 0.5)
        self.bias.zero_()

    def buffers(self):
        return [self.weight, self.bias]


class Conv2d(Linear2d):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding)
        self.weight = empty(out_channels, in_channels, *self.kernel_size)
        self.bias = empty(out_channels)
        self.init(2 ** 0.5)
        self.gw = empty(out_channels, self.weight[0].numel()).zero_()      # matrix
        self.gb = empty(out_channels).zero_()

    def matrix(self):
        return self.weight.view(self.out_channels, -1)

    def forward(self, x):
        N, _, H, W = x.shape
        self.hw = (H, W)
        self.u = unfold(x, **self.opt)
        Ho = (H + 2 * self.padding - self.kernel_size[0]) // self.stride + 1
        Wo = (W + 2 * self.padding - self.kernel_size[1]) // self.stride + 1
        return (self.matrix() @ self.u + self.bias[:, None]).view(N, -1, Ho, Wo)

    def backward(self, dy):
        dy = dy.reshape(dy.shape[0], self.out_channels, -1)
        self.gw += (dy @ self.u.transpose(1, 2)).sum(0)
        self.gb += dy.sum(2).sum(0)
        return fold(self.matrix().t() @ dy, self.hw, **self.opt)

    def param(self):
        return [(self.matrix(), self.gw), (self.bias, self.gb)]


class TransposeConv2d(Linear2d):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding)
        self.weight = empty(in_channels, out_channels, *self.kernel_size)
        self.bias = empty(out_channels)
        self.init(1.5)
        self.gw = empty(self.weight[0].numel(), in_channels).zero_()       # matrix
        self.gb = empty(out_channels).zero_()

    def matrix(self):
        # (out k k) x in
        return self.weight.view(self.in_channels, -1).t().contiguous()

    def forward(self, x):
        N, C, H, W = x.shape
        self.shape = x.shape
        self.x = x.reshape(N, C, H * W)
        Ho = (H - 1) * self.stride - 2 * self.padding + self.kernel_size[0]
        Wo = (W - 1) * self.stride - 2 * self.padding + self.kernel_size[1]
        return fold(self.matrix() @ self.x, (Ho, Wo), **self.opt) + self.bias[:, None, None]

    def backward(self, dy):
        u = unfold(dy, **self.opt)
        self.gw += (u @ self.x.transpose(1, 2)).sum(0)
        self.gb += dy.sum((0, 2, 3))
        return (self.matrix().t() @ u).view(self.shape)

    def param(self):
        return [(self.matrix(), self.gw), (self.bias, self.gb)]


class ReLU(Module):
    def forward(self, x):
        self.x = x
        return x.maximum(x.new_zeros(1))

    def backward(self, dy):
        return dy * (self.x > 0)


class Sigmoid(Module):
    def forward(self, x):
        self.y = (1 + (-x).exp()).reciprocal()
        return self.y

    def backward(self, dy):
        return dy * self.y * (1 - self.y)


class BatchNorm2d(Module):
    # tried, not used in the end
    def __init__(self, num_features, eps=1e-5):
        self.eps = eps
        self.weight, self.bias = empty(num_features).fill_(1), empty(num_features).zero_()
        self.gw, self.gb = empty(num_features).zero_(), empty(num_features).zero_()

    def forward(self, x):
        mu = x.mean((0, 2, 3), keepdim=True)
        self.sd = ((x - mu).pow(2).mean((0, 2, 3), keepdim=True) + self.eps).sqrt()
        self.xh = (x - mu) / self.sd
        return self.xh * self.weight[:, None, None] + self.bias[:, None, None]

    def backward(self, dy):
        self.gw += (dy * self.xh).sum((0, 2, 3))
        self.gb += dy.sum((0, 2, 3))
        d = dy * self.weight[:, None, None]
        return (d - d.mean((0, 2, 3), keepdim=True)
                - self.xh * (d * self.xh).mean((0, 2, 3), keepdim=True)) / self.sd

    def param(self):
        return [(self.weight, self.gw), (self.bias, self.gb)]

    def buffers(self):
        return [self.weight, self.bias]
