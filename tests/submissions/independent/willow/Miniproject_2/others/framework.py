import torch
from torch import empty
from torch.nn.functional import fold, unfold


class Tensor2(object):
    """value and grad of one parameter; grad is allocated at the first backward"""
    def __init__(self, value):
        self.value = value
        self.grad = None

    def add_grad(self, g):
        if self.grad is None:
            self.grad = g.clone()
        else:
            self.grad += g


class Module(object):
    name = 'module'

    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []


def glorot(*shape):
    rf = shape[2] * shape[3]
    std = (2 / ((shape[0] + shape[1]) * rf)) ** 0.5
    return empty(*shape).normal_(0, std)


class Conv2d(Module):
    name = 'conv'

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.k = kernel_size
        self.stride = stride
        self.padding = padding
        self.w = Tensor2(glorot(out_channels, in_channels, kernel_size, kernel_size))
        self.b = Tensor2(empty(out_channels).zero_())

    weight = property(lambda self: self.w.value)
    bias = property(lambda self: self.b.value)

    def forward(self, x):
        self.x = x
        n, c, h, w = x.shape
        o = self.weight.shape[0]
        u = unfold(x, self.k, padding=self.padding, stride=self.stride)
        y = u.transpose(1, 2).matmul(self.weight.view(o, -1).t())
        y = y + self.bias
        oh = (h + 2 * self.padding - self.k) // self.stride + 1
        ow = (w + 2 * self.padding - self.k) // self.stride + 1
        return y.transpose(1, 2).reshape(n, o, oh, ow)

    def backward(self, grad):
        n, o = grad.shape[:2]
        u = unfold(self.x, self.k, padding=self.padding, stride=self.stride)
        g = grad.reshape(n, o, -1)
        # put the batch and the positions together
        gm = g.transpose(0, 1).reshape(o, -1)
        um = u.transpose(0, 1).reshape(u.shape[1], -1)
        self.w.add_grad((gm @ um.t()).view(self.weight.shape))
        self.b.add_grad(gm.sum(1))
        gu = self.weight.view(o, -1).t() @ g
        return fold(gu, self.x.shape[2:], self.k, padding=self.padding, stride=self.stride)

    def param(self):
        return [self.w, self.b]


class TransposeConv2d(Module):
    name = 'upconv'

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0):
        self.k = kernel_size
        self.stride = stride
        self.padding = padding
        self.output_padding = output_padding
        self.w = Tensor2(glorot(in_channels, out_channels, kernel_size, kernel_size))
        self.b = Tensor2(empty(out_channels).zero_())

    weight = property(lambda self: self.w.value)
    bias = property(lambda self: self.b.value)

    def forward(self, x):
        self.x = x
        n, c, h, w = x.shape
        oh = (h - 1) * self.stride - 2 * self.padding + self.k + self.output_padding
        ow = (w - 1) * self.stride - 2 * self.padding + self.k + self.output_padding
        u = self.weight.view(c, -1).t() @ x.reshape(n, c, h * w)
        y = fold(u, (oh, ow), self.k, padding=self.padding, stride=self.stride)
        return y + self.bias[None, :, None, None]

    def backward(self, grad):
        n, c, h, w = self.x.shape
        u = unfold(grad, self.k, padding=self.padding, stride=self.stride)
        xm = self.x.transpose(0, 1).reshape(c, -1)
        um = u.transpose(0, 1).reshape(u.shape[1], -1)
        self.w.add_grad((xm @ um.t()).view(self.weight.shape))
        self.b.add_grad(grad.sum((0, 2, 3)))
        return (self.weight.view(c, -1) @ u).view(n, c, h, w)

    def param(self):
        return [self.w, self.b]


class ReLU(Module):
    name = 'relu'

    def forward(self, x):
        self.x = x
        return x.clamp(0)

    def backward(self, grad):
        return grad * (self.x > 0)


class Sigmoid(Module):
    name = 'sigmoid'

    def forward(self, x):
        self.y = x.sigmoid()
        return self.y

    def backward(self, grad):
        return grad * (self.y * (1 - self.y))


class Sequential(Module):
    name = 'sequential'

    def __init__(self, *modules):
        self.modules = list(modules)

    def forward(self, x):
        for i in range(len(self.modules)):
            x = self.modules[i].forward(x)
        return x

    def backward(self, grad):
        for i in range(len(self.modules) - 1, 0, -1):
            grad = self.modules[i].backward(grad)
        return grad

    def param(self):
        res = []
        for i in range(len(self.modules)):
            res.extend(self.modules[i].param())
        return res

    def state(self):
        d = {}
        for i, m in enumerate(self.modules):
            for j, p in enumerate(m.param()):
                d['%d_%s_%s' % (i, m.name, 'wb'[j])] = p
        return d


class MSE(Module):
    name = 'mse'

    def forward(self, x, target):
        self.x = x
        self.target = target
        return (x - target).pow(2).mean().item()

    def backward(self):
        return (self.x - self.target) * 2 / self.x.numel()


class SGD(object):
    def __init__(self, params, lr, momentum=0.0):
        self.params = params
        self.lr = lr
        self.momentum = momentum
        self.buf = {}

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def step(self):
        for p in self.params:
            if p.grad is None:
                continue
            b = self.buf.get(id(p))
            b = p.grad if b is None else self.momentum * b + p.grad
            self.buf[id(p)] = b
            p.value -= self.lr * b
