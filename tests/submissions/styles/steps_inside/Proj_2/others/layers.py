"""Layers that learn in their own backward, at a rate that is written out there."""

from torch import empty
from torch.nn.functional import fold, unfold


class Layer:
    def __call__(self, x):
        return self.forward(x)

    def learn(self, *gradients):
        for weights, gradient in zip((self.kernel, self.shift), gradients):
            weights -= 0.8 * gradient


class Conv2d(Layer):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.k, self.stride, self.padding = kernel_size, stride, padding
        scale = (in_channels * kernel_size**2) ** -0.5
        self.kernel = empty(out_channels, in_channels, kernel_size, kernel_size).uniform_(-scale, scale)
        self.shift = empty(out_channels).uniform_(-scale, scale)

    def forward(self, x):
        self.size = x.shape[2:]
        self.columns = unfold(x, self.k, stride=self.stride, padding=self.padding)
        h, w = ((n + 2 * self.padding - self.k) // self.stride + 1 for n in self.size)
        y = self.kernel.flatten(1) @ self.columns + self.shift[:, None]
        return y.view(len(x), -1, h, w)

    def backward(self, grad):
        grad = grad.flatten(2)
        below = fold(self.kernel.flatten(1).t() @ grad, self.size, self.k, stride=self.stride, padding=self.padding)
        self.learn((grad @ self.columns.transpose(1, 2)).sum(0).view(self.kernel.shape), grad.sum((0, 2)))
        return below


class TransposeConv2d(Layer):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.k, self.stride, self.padding = kernel_size, stride, padding
        scale = (in_channels * kernel_size**2) ** -0.5
        self.kernel = empty(in_channels, out_channels, kernel_size, kernel_size).uniform_(-scale, scale)
        self.shift = empty(out_channels).uniform_(-scale, scale)

    def forward(self, x):
        self.x, self.size = x.flatten(2), x.shape[2:]
        h, w = ((n - 1) * self.stride + self.k - 2 * self.padding for n in self.size)
        y = fold(self.kernel.flatten(1).t() @ self.x, (h, w), self.k, stride=self.stride, padding=self.padding)
        return y + self.shift[:, None, None]

    def backward(self, grad):
        columns = unfold(grad, self.k, stride=self.stride, padding=self.padding)
        below = (self.kernel.flatten(1) @ columns).view(len(grad), -1, *self.size)
        self.learn((self.x @ columns.transpose(1, 2)).sum(0).view(self.kernel.shape), grad.sum((0, 2, 3)))
        return below


class ReLU(Layer):
    def forward(self, x):
        self.positive = x > 0
        return x * self.positive

    def backward(self, grad):
        return grad * self.positive


class Sigmoid(Layer):
    def forward(self, x):
        self.y = x.sigmoid()
        return self.y

    def backward(self, grad):
        return grad * self.y * (1 - self.y)


class Sequential(Layer):
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad


class MSE:
    def forward(self, output, target):
        self.difference = output - target
        return self.difference.pow(2).mean()

    def backward(self):
        return self.difference * (2 / self.difference.numel())
