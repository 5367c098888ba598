from torch import Tensor, empty

from .functions import add_border, cut_border, get_windows, put_windows
from .module import Module


class TransposeConv2d(Module):
    """The backward pass of a convolution used as a forward pass: it enlarges images `stride` times."""

    def __init__(self, in_channel: int, out_channel: int, kernel: int, stride: int = 1, pad: int = 0):
        self.kernel, self.stride, self.pad = kernel, stride, pad
        limit = (6 / ((in_channel + out_channel) * kernel**2)) ** 0.5
        self.weight = empty(in_channel, out_channel, kernel, kernel).uniform_(-limit, limit)
        self.bias = empty(out_channel).zero_()
        self.weight_grad = self.weight.new_zeros(self.weight.size())
        self.bias_grad = self.bias.new_zeros(self.bias.size())

    def forward(self, x: Tensor) -> Tensor:
        self.x = x.permute(0, 2, 3, 1)
        n, rows, cols, _ = self.x.size()
        rows, cols = ((size - 1) * self.stride + self.kernel for size in (rows, cols))
        framed = self.x.new_zeros((n, self.weight.size(1), rows, cols))
        put_windows(self.x @ self.weight.flatten(start_dim=1), framed, self.kernel, self.stride)
        return cut_border(framed, self.pad) + self.bias.view(1, -1, 1, 1)

    def backward(self, grad_output: Tensor) -> Tensor:
        windows = get_windows(add_border(grad_output, self.pad), self.kernel, self.stride)
        x = self.x.flatten(end_dim=2)
        self.weight_grad += (x.T @ windows.flatten(end_dim=2)).view_as(self.weight)
        self.bias_grad += grad_output.sum(dim=(0, 2, 3))
        grad_x = windows @ self.weight.flatten(start_dim=1).T
        return grad_x.permute(0, 3, 1, 2)

    def param(self) -> list:
        return [(self.weight, self.weight_grad), (self.bias, self.bias_grad)]
