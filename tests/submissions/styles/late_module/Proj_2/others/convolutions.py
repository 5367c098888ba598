from math import sqrt

from torch import empty
from torch.nn.functional import fold, unfold

from .module import Module


def _to_tuple(value):
    return value if isinstance(value, tuple) else (value, value)


class _Convolution(Module):
    """What the convolution and the transposed convolution have in common (parameters and gradients)"""

    def __init__(self, weight_size, out_channels, kernel_size, stride, padding, dilation, bias):
        self.options = dict(
            kernel_size=_to_tuple(kernel_size),
            stride=_to_tuple(stride),
            padding=_to_tuple(padding),
            dilation=_to_tuple(dilation),
        )
        bound = sqrt(3 / (weight_size[1] * weight_size[2] * weight_size[3]))  # variance 1 / fan in
        self.weight = empty(weight_size).uniform_(-bound, bound)
        self.bias = empty(out_channels).zero_() if bias else None
        # Made by zero_grad
        self.grad_weight = None
        self.grad_bias = None

    def param(self):
        if self.bias is None:
            return [(self.weight, self.grad_weight)]
        return [(self.weight, self.grad_weight), (self.bias, self.grad_bias)]

    def zero_grad(self):
        self.grad_weight = self.weight.new_zeros(self.weight.size())
        if self.bias is not None:
            self.grad_bias = self.bias.new_zeros(self.bias.size())

    def _size(self, formula, size):
        """Apply the formula of the output size to the two directions"""
        return tuple(formula(*direction) for direction in zip(size, *self.options.values()))


class Conv2d(_Convolution):
    """
    Convolution layer: Y = W unfold(X) + b.

    weight: out_channels x in_channels x k1 x k2
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        k1, k2 = _to_tuple(kernel_size)
        size = (out_channels, in_channels, k1, k2)
        super().__init__(size, out_channels, kernel_size, stride, padding, dilation, bias)

    def forward(self, *input):
        x = input[0]
        self.input_size = x.size()[2:]
        self.unfolded = unfold(x, **self.options)  # N x C.k1.k2 x L
        size = self._size(lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s + 1, self.input_size)
        out = self.weight.flatten(1) @ self.unfolded
        if self.bias is not None:
            out = out + self.bias.view(1, -1, 1)
        return out.view(x.size(0), -1, *size)

    def backward(self, *gradwrtoutput):
        grad = gradwrtoutput[0].flatten(2)  # N x O x L
        self.grad_weight += (grad @ self.unfolded.transpose(1, 2)).sum(0).view(self.weight.size())
        if self.bias is not None:
            self.grad_bias += grad.sum((0, 2))
        return fold(self.weight.flatten(1).t() @ grad, self.input_size, **self.options)


class TransposeConv2d(_Convolution):
    """
    Transposed convolution: the forward is the backward of Conv2d with respect to its input.

    weight: in_channels x out_channels x k1 x k2
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        k1, k2 = _to_tuple(kernel_size)
        size = (in_channels, out_channels, k1, k2)
        super().__init__(size, out_channels, kernel_size, stride, padding, dilation, bias)

    def forward(self, *input):
        self.input = input[0]
        size = self._size(lambda n, k, s, p, d: (n - 1) * s - 2 * p + d * (k - 1) + 1, self.input.size()[2:])
        out = fold(self.weight.flatten(1).t() @ self.input.flatten(2), size, **self.options)
        return out if self.bias is None else out + self.bias.view(1, -1, 1, 1)

    def backward(self, *gradwrtoutput):
        grad = unfold(gradwrtoutput[0], **self.options)  # N x O.k1.k2 x L
        x = self.input.flatten(2)
        self.grad_weight += (x @ grad.transpose(1, 2)).sum(0).view(self.weight.size())
        if self.bias is not None:
            self.grad_bias += gradwrtoutput[0].sum((0, 2, 3))
        return (self.weight.flatten(1) @ grad).view(self.input.size())
