from torch import empty
from torch.nn.functional import fold, unfold
from .base import Module


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__()
        self.hp = dict(kernel_size=kernel_size, stride=stride, padding=padding)
        lim = 1 / (in_channels * kernel_size * kernel_size) ** 0.5
        self.register('weight', empty(out_channels, in_channels, kernel_size, kernel_size).uniform_(-lim, lim))
        self.register('bias', empty(out_channels).uniform_(-lim, lim))

    def forward(self, x):
        u = unfold(x, **self.hp)
        self._cache = (u, x.shape)
        w = self.weight.flatten(1)
        y = (u.transpose(1, 2) @ w.t() + self.bias).transpose(1, 2)
        k, s, p = self.hp.values()
        return y.reshape(x.shape[0], -1, (x.shape[2] + 2 * p - k) // s + 1, (x.shape[3] + 2 * p - k) // s + 1)

    def backward(self, grad):
        u, shape = self._cache
        g = grad.flatten(2)
        self._grads['weight'] += g.bmm(u.transpose(1, 2)).sum(0).view(self.weight.shape)
        self._grads['bias'] += g.sum((0, 2))
        return fold(self.weight.flatten(1).t() @ g, shape[2:], **self.hp)


class TransposeConv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__()
        self.hp = dict(kernel_size=kernel_size, stride=stride, padding=padding)
        lim = 1 / (out_channels * kernel_size * kernel_size) ** 0.5
        self.register('weight', empty(in_channels, out_channels, kernel_size, kernel_size).uniform_(-lim, lim))
        self.register('bias', empty(out_channels).uniform_(-lim, lim))

    def forward(self, x):
        self._cache = (x,)
        k, s, p = self.hp.values()
        size = [(d - 1) * s - 2 * p + k for d in x.shape[2:]]
        y = fold(self.weight.flatten(1).t() @ x.flatten(2), size, **self.hp)
        return y + self.bias.view(-1, 1, 1)

    def backward(self, grad):
        x, = self._cache
        u = unfold(grad, **self.hp)
        self._grads['weight'] += x.flatten(2).bmm(u.transpose(1, 2)).sum(0).view(self.weight.shape)
        self._grads['bias'] += grad.sum((0, 2, 3))
        return (self.weight.flatten(1) @ u).view(x.shape)


class ReLU(Module):
    def forward(self, x):
        self._cache = (x > 0,)
        return x.where(self._cache[0], x.new_zeros(()))

    def backward(self, grad):
        return grad.where(self._cache[0], grad.new_zeros(()))


class Sigmoid(Module):
    def forward(self, x):
        y = 1 / (1 + x.neg().exp())
        self._cache = (y,)
        return y

    def backward(self, grad):
        y, = self._cache
        return grad * y * (1 - y)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        self.modules = modules

    def forward(self, x):
        for m in self.modules:
            x = m(x)
        return x

    def backward(self, grad):
        for m in self.modules[::-1]:
            grad = m.backward(grad)
        return grad

    def param(self):
        ps = []
        for m in self.modules:
            for pg in m.param():
                ps.append(pg)
        return ps

    def zero_grad(self):
        for m in self.modules:
            m.zero_grad()
