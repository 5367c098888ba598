from torch import empty
from .ops import *


class Module(object):
    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []


class WeightedModule(Module):
    def init_weights(self, shape, out_channels, fan_in):
        self.weight = empty(shape).normal_() * (2 / fan_in) ** 0.5
        self.bias = empty(out_channels).fill_(0)
        self.w_grad = empty(shape).fill_(0)
        self.b_grad = empty(out_channels).fill_(0)

    def param(self):
        return [[self.weight, self.w_grad], [self.bias, self.b_grad]]


class Conv2d(WeightedModule):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=0):
        self.k, self.s, self.p = kernel_size, stride, padding
        self.init_weights((out_channels, in_channels, self.k, self.k), out_channels, in_channels * self.k ** 2)

    def forward(self, x):
        self.x = spread(x, 1, self.p, self.p, self.p)
        return crosscorr(self.x, self.weight, self.s) + self.bias[:, None, None]

    def backward(self, dy):
        self.w_grad += crosscorr_wrt_w(self.x, dy, self.k, self.s)
        self.b_grad += dy.sum((0, 2, 3))
        # dL/dx is a full convolution (rotated kernel, channels exchanged)
        H, W = self.x.shape[2], self.x.shape[3]
        miss_h = H - self.k - self.s * (dy.shape[2] - 1)
        miss_w = W - self.k - self.s * (dy.shape[3] - 1)
        z = spread(dy, self.s, self.k - 1, self.k - 1 + miss_h, self.k - 1 + miss_w)
        dx = crosscorr(z, swap(rot180(self.weight)))
        return dx[:, :, self.p:H - self.p, self.p:W - self.p]


class TransposeConv2d(WeightedModule):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=0, output_padding=0):
        self.k, self.s, self.p, self.op = kernel_size, stride, padding, output_padding
        assert padding < kernel_size
        self.init_weights((in_channels, out_channels, self.k, self.k), out_channels,
                          in_channels * self.k ** 2 / stride ** 2)

    def forward(self, x):
        # spread the pixels, then ordinary correlation with the rotated kernel
        q = self.k - 1 - self.p
        self.x = spread(x, self.s, q, q + self.op, q + self.op)
        return crosscorr(self.x, swap(rot180(self.weight))) + self.bias[:, None, None]

    def backward(self, dy):
        # gradient for the rotated + swapped kernel, put back in the layout of weight
        self.w_grad += rot180(swap(crosscorr_wrt_w(self.x, dy, self.k)))
        self.b_grad += dy.sum((0, 2, 3))
        # input : an ordinary strided correlation of dy with the weight
        dyp = spread(dy, 1, self.p, self.p, self.p)
        dx = crosscorr(dyp, self.weight, self.s)
        n_h = (self.x.shape[2] - 2 * (self.k - 1 - self.p) - self.op - 1) // self.s + 1
        n_w = (self.x.shape[3] - 2 * (self.k - 1 - self.p) - self.op - 1) // self.s + 1
        return dx[:, :, :n_h, :n_w]


class ReLU(Module):
    def forward(self, x):
        self.gate = x.gt(0).type_as(x)
        return self.gate * x

    def backward(self, dy):
        return self.gate * dy


class Sigmoid(Module):
    def forward(self, x):
        self.out = 1 / (1 + (-x).exp())
        return self.out

    def backward(self, dy):
        return dy * (self.out - self.out.pow(2))


class Sequential(Module):
    def __init__(self, *blocks):
        self.blocks = list(blocks)

    def forward(self, x):
        for b in self.blocks:
            x = b.forward(x)
        return x

    def backward(self, dy):
        for b in self.blocks[::-1]:
            dy = b.backward(dy)
        return dy

    def param(self):
        p = []
        for b in self.blocks:
            p += b.param()
        return p


class MSE(Module):
    def forward(self, x, y):
        self.err = x - y
        return (self.err * self.err).mean()

    def backward(self):
        return self.err * 2 / self.err.numel()


class SGD(object):
    """SGD with Nesterov momentum and weight decay"""

    def __init__(self, params, lr, mu=0.0, wd=0.0):
        self.params, self.lr, self.mu, self.wd = params, lr, mu, wd
        self.v = [p[0] * 0 for p in params]

    def step(self):
        for i in range(len(self.params)):
            w, dw = self.params[i]
            g = dw + self.wd * w
            self.v[i] = self.mu * self.v[i] + g
            w -= self.lr * (g + self.mu * self.v[i])
            # ready for the next batch
            dw.zero_()
