import torch
from torch import empty
from torch.nn.functional import fold, unfold


class Module(object):
    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []

    def load(self, it):
        """ copy the next values of the iterator in the parameters """
        for p, _ in self.param():
            p.copy_(next(it))


def _t(x):
    return x if isinstance(x, tuple) else (x, x)


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True, device=None):
        self.kernel_size, self.stride, self.padding, self.dilation = _t(kernel_size), _t(stride), _t(padding), _t(dilation)
        self.in_channels, self.out_channels = in_channels, out_channels
        k = (1 / (in_channels * self.kernel_size[0] * self.kernel_size[1])) ** 0.5
        self.weight = empty(out_channels, in_channels, *self.kernel_size, device=device).uniform_(-k, k)
        self.bias = empty(out_channels, device=device).uniform_(-k, k) if bias else None
        self.weight_grad = empty(*self.weight.size(), device=device).zero_()
        self.bias_grad = empty(out_channels, device=device).zero_() if bias else None

    def forward(self, input):
        self.input = input
        h = int((input.size(2) + 2 * self.padding[0] - self.dilation[0] * (self.kernel_size[0] - 1) - 1) / self.stride[0] + 1)
        w = int((input.size(3) + 2 * self.padding[1] - self.dilation[1] * (self.kernel_size[1] - 1) - 1) / self.stride[1] + 1)
        unfolded = unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)
        wxb = unfolded.transpose(1, 2).matmul(self.weight.view(self.out_channels, -1).t())
        if self.bias is not None:
            wxb = wxb + self.bias
        return wxb.transpose(1, 2).reshape(input.size(0), self.out_channels, h, w)

    def backward(self, gradwrtoutput):
        g = gradwrtoutput.reshape(gradwrtoutput.size(0), self.out_channels, -1)
        # recompute the patches, to save memory
        unfolded = unfold(self.input, self.kernel_size, self.dilation, self.padding, self.stride)
        self.weight_grad.add_(g.matmul(unfolded.transpose(1, 2)).sum(0).view_as(self.weight))
        if self.bias is not None:
            self.bias_grad.add_(g.sum((0, 2)))
        gin = self.weight.view(self.out_channels, -1).t().matmul(g)
        return fold(gin, self.input.shape[2:], self.kernel_size, self.dilation, self.padding, self.stride)

    def param(self):
        ps = [(self.weight, self.weight_grad)]
        if self.bias is not None:
            ps.append((self.bias, self.bias_grad))
        return ps


class Upsampling(Module):
    """ transposed convolution """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True, device=None):
        self.kernel_size, self.stride, self.padding = _t(kernel_size), _t(stride), _t(padding)
        self.in_channels, self.out_channels = in_channels, out_channels
        k = (1 / (out_channels * self.kernel_size[0] * self.kernel_size[1])) ** 0.5
        self.weight = empty(in_channels, out_channels, *self.kernel_size, device=device).uniform_(-k, k)
        self.bias = empty(out_channels, device=device).uniform_(-k, k) if bias else None
        self.weight_grad = empty(*self.weight.size(), device=device).zero_()
        self.bias_grad = empty(out_channels, device=device).zero_() if bias else None

    def forward(self, input):
        self.input = input
        n, c, h, w = input.size()
        ho = (h - 1) * self.stride[0] - 2 * self.padding[0] + self.kernel_size[0]
        wo = (w - 1) * self.stride[1] - 2 * self.padding[1] + self.kernel_size[1]
        cols = self.weight.view(c, -1).t().matmul(input.reshape(n, c, h * w))
        out = fold(cols, (ho, wo), self.kernel_size, padding=self.padding, stride=self.stride)
        if self.bias is not None:
            out += self.bias.view(1, -1, 1, 1)
        return out

    def backward(self, gradwrtoutput):
        n, c, h, w = self.input.size()
        cols = unfold(gradwrtoutput, self.kernel_size, padding=self.padding, stride=self.stride)
        self.weight_grad.add_(self.input.reshape(n, c, h * w).matmul(cols.transpose(1, 2)).sum(0).view_as(self.weight))
        if self.bias is not None:
            self.bias_grad.add_(gradwrtoutput.sum((0, 2, 3)))
        return self.weight.view(c, -1).matmul(cols).view(n, c, h, w)

    def param(self):
        ps = [(self.weight, self.weight_grad)]
        if self.bias is not None:
            ps.append((self.bias, self.bias_grad))
        return ps


TransposeConv2d = Upsampling


class ReLU(Module):
    def forward(self, input):
        self.output = input.clamp(min=0)
        return self.output

    def backward(self, gradwrtoutput):
        return gradwrtoutput * (self.output > 0)


class Sigmoid(Module):
    def forward(self, input):
        self.output = 1 / (1 + input.neg().exp())
        return self.output

    def backward(self, gradwrtoutput):
        return gradwrtoutput * self.output * (1 - self.output)


class Sequential(Module):
    def __init__(self, *modules):
        self.modules = modules

    def forward(self, input):
        x = input
        for module in self.modules:
            x = module.forward(x)
        return x

    def backward(self, gradwrtoutput):
        g = gradwrtoutput
        for module in reversed(self.modules):
            g = module.backward(g)
        return g

    def param(self):
        res = []
        for module in self.modules:
            res += module.param()
        return res


class Skip(Sequential):
    """ x + f(x), as in a residual block / U-Net """

    def forward(self, input):
        out = super().forward(input)
        out += input
        return out

    def backward(self, gradwrtoutput):
        return super().backward(gradwrtoutput) + gradwrtoutput


class MSE(Module):
    def forward(self, input, target):
        self.error = input - target
        return self.error.pow(2).mean()

    def backward(self):
        return 2 * self.error / self.error.numel()
