import math

from torch import empty
from torch.nn.functional import fold, unfold

from .module import Module


class Conv2d(Module):
    """2D convolution, all the pictures of the batch in one matrix product"""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__()
        self.kernel_size, self.stride, self.padding, self.dilation = kernel_size, stride, padding, dilation
        limit = math.sqrt(3 / (in_channels * kernel_size * kernel_size))
        self.weight = empty((out_channels, in_channels, kernel_size, kernel_size)).uniform_(-limit, limit)
        self.weight_gradient = empty(self.weight.shape).zero_()
        self.bias = self.bias_gradient = None
        if bias:
            self.bias = empty(out_channels).zero_()
            self.bias_gradient = empty(out_channels).zero_()

    def columns(self, x):
        """C*k*k rows, and a column for each window of each picture"""
        unfolded = unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)
        return unfolded.transpose(0, 1).reshape(unfolded.shape[1], -1)

    def out_length(self, length):
        covered = self.dilation * (self.kernel_size - 1) + 1
        return math.floor((length + 2 * self.padding - covered) / self.stride) + 1

    def compute(self, x):
        result = self.weight.flatten(1).mm(self.columns(x))
        if self.bias is not None:
            result += self.bias.unsqueeze(1)
        height, width = self.out_length(x.shape[2]), self.out_length(x.shape[3])
        return result.view(-1, x.shape[0], height, width).transpose(0, 1)

    def gradient(self, x, gradwrtoutput):
        number, channels = gradwrtoutput.shape[:2]
        delta = gradwrtoutput.transpose(0, 1).reshape(channels, -1)
        self.weight_gradient += delta.mm(self.columns(x).t()).view(self.weight.shape)
        if self.bias is not None:
            self.bias_gradient += delta.sum(1)
        if not getattr(x, 'grad_required', True):
            return None
        columns = self.weight.flatten(1).t().mm(delta)
        columns = columns.view(columns.shape[0], number, -1).transpose(0, 1)
        return fold(columns, x.shape[2:], self.kernel_size, self.dilation, self.padding, self.stride)

    def param(self):
        params = [[self.weight, self.weight_gradient]]
        if self.bias is not None:
            params.append([self.bias, self.bias_gradient])
        return params


class NearestUpsampling(Module):
    """each pixel becomes scale_factor x scale_factor pixels"""

    def __init__(self, scale_factor):
        super().__init__()
        self.scale_factor = scale_factor

    def compute(self, x):
        s = self.scale_factor
        n, c, h, w = x.shape
        return x[:, :, :, None, :, None].expand(n, c, h, s, w, s).reshape(n, c, h * s, w * s)

    def gradient(self, x, gradwrtoutput):
        s = self.scale_factor
        n, c, h, w = x.shape
        return gradwrtoutput.reshape(n, c, h, s, w, s).sum(5).sum(3)


class ReLU(Module):
    def compute(self, x):
        return x.maximum(x.new_zeros(1))

    def gradient(self, x, gradwrtoutput):
        return gradwrtoutput.where(x > 0, gradwrtoutput.new_zeros(1))


class Sigmoid(Module):
    def compute(self, x):
        return x.sigmoid()

    def gradient(self, x, gradwrtoutput):
        s = x.sigmoid()
        return s * (1 - s) * gradwrtoutput
