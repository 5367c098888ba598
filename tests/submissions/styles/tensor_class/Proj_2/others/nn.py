"""Layers. All of them take Tensors (see autograd.py) and return Tensors; there is no backward to write here."""
from torch import empty

from .autograd import Tensor


class Module:
    def __call__(self, *args):
        return self.forward(*args)

    def forward(self, *args):
        raise NotImplementedError

    def param(self):
        return []


class Sequential(Module):
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def param(self):
        return sum((layer.param() for layer in self.layers), [])


class ReLU(Module):
    def forward(self, x):
        return x.relu()


class Sigmoid(Module):
    def forward(self, x):
        return x.sigmoid()


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1):
        self.window = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
        gain = (3 / (in_channels * kernel_size**2)) ** 0.5
        self.weight = Tensor(empty(out_channels, in_channels, kernel_size, kernel_size).uniform_(-gain, gain))
        self.bias = Tensor(empty(out_channels).fill_(0))

    def forward(self, x):
        out_channels = self.weight.shape[0]
        height, width = (self.out_size(n, **self.window) for n in x.shape[2:])
        y = self.weight.reshape(out_channels, -1) @ x.unfold(**self.window)
        return y.reshape(-1, out_channels, height, width) + self.bias.reshape(1, -1, 1, 1)

    def out_size(self, n, kernel_size, stride, padding, dilation):
        return 1 + (n + 2 * padding - dilation * (kernel_size - 1) - 1) // stride

    def param(self):
        return [self.weight, self.bias]


class TransposeConv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.window = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
        gain = (3 * stride**2 / (in_channels * kernel_size**2)) ** 0.5
        self.weight = Tensor(empty(in_channels, out_channels, kernel_size, kernel_size).uniform_(-gain, gain))
        self.bias = Tensor(empty(out_channels).fill_(0))

    def forward(self, x):
        n, c, h, w = x.shape
        size = self.out_size(h, **self.window), self.out_size(w, **self.window)
        columns = self.weight.reshape(c, -1).t() @ x.reshape(n, c, -1)
        return columns.fold(size, **self.window) + self.bias.reshape(1, -1, 1, 1)

    def out_size(self, n, kernel_size, stride, padding):
        return (n - 1) * stride + kernel_size - 2 * padding

    def param(self):
        return [self.weight, self.bias]


class MSE(Module):
    def forward(self, prediction, target):
        error = prediction.data - target.data

        def grad_fn(grad):
            prediction.accumulate(grad * 2 / error.numel() * error)

        return Tensor((error * error).mean(), (prediction, target), grad_fn)


class SGD:
    def __init__(self, params, lr=0.01, momentum=0.0):
        self.params = params
        self.lr = lr
        self.momentum = momentum
        self.velocity = [0 for _ in params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def step(self):
        for i, p in enumerate(self.params):
            self.velocity[i] = self.momentum * self.velocity[i] + p.grad
            p.data = p.data - self.lr * self.velocity[i]
