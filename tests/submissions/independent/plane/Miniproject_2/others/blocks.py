from torch import empty
from .im2col import patch_index, im2col, col2im, add_border, remove_border


class Module(object):
    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []


class _ConvBase(Module):
    def __init__(self, shape, out_channels, fan_in, stride, padding):
        self.k = shape[-1]
        self.stride = stride
        self.padding = padding
        bound = (3.0 / fan_in) ** 0.5
        self.weight = empty(shape).uniform_(-bound, bound)
        self.bias = empty(out_channels).uniform_(-0.01, 0.01)
        self.grad_weight = empty(shape).zero_()
        self.grad_bias = empty(out_channels).zero_()

    def param(self):
        return [(self.weight, self.grad_weight), (self.bias, self.grad_bias)]

    def cuda(self, dev):
        for n in ('weight', 'bias', 'grad_weight', 'grad_bias'):
            setattr(self, n, getattr(self, n).to(dev))


class Conv2d(_ConvBase):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__((out_channels, in_channels, kernel_size, kernel_size), out_channels,
                         in_channels * kernel_size ** 2, stride, padding)

    def forward(self, x):
        x = add_border(x, self.padding)
        self.size = x.shape
        index, Ho, Wo = patch_index(x.shape[2], x.shape[3], self.k, self.stride)
        self.index = index.to(x.device)
        self.cols = im2col(x, self.index)
        w = self.weight.flatten(1)
        y = w @ self.cols + self.bias[None, :, None]
        return y.view(x.shape[0], -1, Ho, Wo)

    def backward(self, grad):
        g = grad.flatten(2)
        self.grad_weight += (g @ self.cols.transpose(1, 2)).sum(0).view_as(self.weight)
        self.grad_bias += g.sum((0, 2))
        cols = self.weight.flatten(1).t() @ g
        return remove_border(col2im(cols, self.index, *self.size[1:]), self.padding)


class TransposeConv2d(_ConvBase):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__((in_channels, out_channels, kernel_size, kernel_size), out_channels,
                         in_channels * kernel_size ** 2 / stride ** 2, stride, padding)

    def forward(self, x):
        self.shape = x.shape
        self.flat = x.flatten(2)
        H = (x.shape[2] - 1) * self.stride + self.k
        W = (x.shape[3] - 1) * self.stride + self.k
        self.index = patch_index(H, W, self.k, self.stride)[0].to(x.device)
        cols = self.weight.flatten(1).t() @ self.flat
        y = col2im(cols, self.index, self.weight.shape[1], H, W)
        return remove_border(y, self.padding) + self.bias[None, :, None, None]

    def backward(self, grad):
        self.grad_bias += grad.sum((0, 2, 3))
        cols = im2col(add_border(grad, self.padding), self.index)
        self.grad_weight += (self.flat @ cols.transpose(1, 2)).sum(0).view_as(self.weight)
        return (self.weight.flatten(1) @ cols).view(self.shape)


class ReLU(Module):
    def forward(self, x):
        self.x = x
        return x * (x > 0)

    def backward(self, grad):
        return grad * (self.x > 0)


class Sigmoid(Module):
    def forward(self, x):
        self.sig = x.sigmoid()
        return self.sig

    def backward(self, grad):
        return grad * self.sig * (1 - self.sig)


class Sequential(Module):
    def __init__(self, *modules):
        self.list = modules

    def forward(self, x):
        for m in self.list:
            x = m.forward(x)
        return x

    def backward(self, grad):
        for m in reversed(self.list):
            grad = m.backward(grad)
        return grad

    def param(self):
        l = []
        for m in self.list:
            l += m.param()
        return l


class MSE(Module):
    def forward(self, x, t):
        self.x, self.t = x, t
        return (x - t).square().mean()

    def backward(self):
        return 2 * (self.x - self.t) / self.x.numel()


class SGD(object):
    def __init__(self, param, lr):
        self.param = param
        self.lr = lr

    def zero_grad(self):
        for p, g in self.param:
            g.zero_()

    def step(self):
        for p, g in self.param:
            p -= self.lr * g
