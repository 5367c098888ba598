from torch import Tensor, empty

from .functions import add_border, cut_border, get_windows, put_windows
from .module import Module


class Conv2d(Module):
    """Convolution with square kernels."""

    def __init__(self, in_channel: int, out_channel: int, kernel: int, stride: int = 1, pad: int = 0):
        self.kernel, self.stride, self.pad = kernel, stride, pad
        # Xavier, see the practical of week 5
        limit = (6 / ((in_channel + out_channel) * kernel**2)) ** 0.5
        self.weight = empty(out_channel, in_channel, kernel, kernel).uniform_(-limit, limit)
        self.bias = empty(out_channel).zero_()
        self.weight_grad = self.weight.new_zeros(self.weight.size())
        self.bias_grad = self.bias.new_zeros(self.bias.size())

    def forward(self, x: Tensor) -> Tensor:
        self.framed = add_border(x, self.pad)
        windows = get_windows(self.framed, self.kernel, self.stride)
        y = windows @ self.weight.flatten(start_dim=1).T + self.bias
        return y.permute(0, 3, 1, 2)

    def backward(self, grad_output: Tensor) -> Tensor:
        grad = grad_output.permute(0, 2, 3, 1)  # images, rows, columns, channels
        windows = get_windows(self.framed, self.kernel, self.stride)
        # every window of every image contributes
        for g, w in zip(grad, windows):
            g, w = g.flatten(end_dim=1), w.flatten(end_dim=1)
            self.weight_grad += (g.T @ w).view_as(self.weight)
        self.bias_grad += grad.sum(dim=(0, 1, 2))

        grad_windows = grad @ self.weight.flatten(start_dim=1)
        grad_framed = self.framed.new_zeros(self.framed.size())
        put_windows(grad_windows, grad_framed, self.kernel, self.stride)
        return cut_border(grad_framed, self.pad)

    def param(self) -> list:
        return [(self.weight, self.weight_grad), (self.bias, self.bias_grad)]
