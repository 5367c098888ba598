"""Layers are nothing but data; what is computed with them is in engine.py."""
from torch import empty


class Conv2d:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.k, self.stride, self.padding = kernel_size, stride, padding
        a = 1 / (in_channels * kernel_size ** 2) ** 0.5
        self.weight = empty(out_channels, in_channels, kernel_size, kernel_size).uniform_(-a, a)
        self.bias = empty(out_channels).uniform_(-a, a)
        self.weight_grad, self.bias_grad = empty(self.weight.shape).zero_(), empty(out_channels).zero_()


class TransposeConv2d:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.k, self.stride, self.padding = kernel_size, stride, padding
        a = 1 / (in_channels * kernel_size ** 2) ** 0.5
        self.weight = empty(in_channels, out_channels, kernel_size, kernel_size).uniform_(-a, a)
        self.bias = empty(out_channels).uniform_(-a, a)
        self.weight_grad, self.bias_grad = empty(self.weight.shape).zero_(), empty(out_channels).zero_()


class ReLU:
    pass


class Sigmoid:
    pass


class Sequential:
    def __init__(self, *layers):
        self.layers = layers


class MSE:
    pass
