import math
from torch import empty
from .functional import *


class Module(object):
    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        k = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        self.stride, self.padding = stride, padding
        std = math.sqrt(2.0 / (in_channels * k[0] * k[1]))
        self.weight = empty(out_channels, in_channels, *k).normal_(0, std)
        self.bias = empty(out_channels).zero_() if bias else None
        self.grad_w = self.weight.new_zeros(self.weight.size())
        self.grad_b = self.bias.new_zeros(out_channels) if bias else None

    def forward(self, x):
        out, self.cache = conv_forward(x, self.weight, self.bias, self.stride, self.padding)
        return out

    def backward(self, dout):
        dx, dw, db = conv_backward(dout, self.cache)
        self.grad_w.add_(dw)
        if db is not None:
            self.grad_b.add_(db)
        return dx

    def param(self):
        if self.bias is None:
            return [(self.weight, self.grad_w)]
        return [(self.weight, self.grad_w), (self.bias, self.grad_b)]


class TransposeConv2d(Conv2d):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        super().__init__(out_channels, in_channels, kernel_size, stride, padding, bias=False)
        if bias:
            self.bias = empty(out_channels).zero_()
            self.grad_b = empty(out_channels).zero_()

    def forward(self, x):
        out, self.cache = tconv_forward(x, self.weight, self.bias, self.stride, self.padding)
        return out

    def backward(self, dout):
        dx, dw, db = tconv_backward(dout, self.cache)
        self.grad_w.add_(dw)
        if db is not None:
            self.grad_b.add_(db)
        return dx


class ReLU(Module):
    def forward(self, x):
        out, self.cache = relu_forward(x)
        return out

    def backward(self, dout):
        return relu_backward(dout, self.cache)


class Sigmoid(Module):
    def forward(self, x):
        out, self.cache = sigmoid_forward(x)
        return out

    def backward(self, dout):
        return sigmoid_backward(dout, self.cache)


class MSE(Module):
    def forward(self, pred, target):
        loss, self.grad = mse(pred, target)
        return loss

    def backward(self):
        return self.grad


class Sequential(Module):
    def __init__(self, *args):
        self.mods = args

    def forward(self, x):
        for m in self.mods:
            x = m.forward(x)
        return x

    def backward(self, dout):
        for m in reversed(self.mods):
            dout = m.backward(dout)
        return dout

    def param(self):
        return sum([m.param() for m in self.mods], [])


class SGD(object):
    def __init__(self, params, lr):
        self.params, self.lr = params, lr

    def step(self):
        for p, g in self.params:
            p.add_(g, alpha=-self.lr)

    def zero_grad(self):
        for p, g in self.params:
            g.zero_()
