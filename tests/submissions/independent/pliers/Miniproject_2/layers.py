"""Layers. They hold no gradient : backward returns (dx, grads) where grads is a dict, the network sums
them up (see network.py). For the API of the handout every layer has also forward / backward / param through
the wrapper `Standalone`."""
import math
from torch import empty
from torch.nn.functional import fold, unfold


class Layer(object):
    trainable = False

    def fw(self, x):
        raise NotImplementedError

    def bw(self, dy, memory):
        raise NotImplementedError


class _Conv2d(Layer):
    trainable = True

    def __init__(self, n_in, n_out, k, stride=1, pad=0):
        self.k, self.stride, self.pad = k, stride, pad
        lim = math.sqrt(6 / (n_in * k * k + n_out * k * k / stride ** 2))
        self.theta = {'W': empty(n_out, n_in, k, k).uniform_(-lim, lim), 'b': empty(n_out).zero_()}

    def fw(self, x):
        W, b = self.theta['W'], self.theta['b']
        n, _, h, w = x.shape
        ho, wo = ((s + 2 * self.pad - self.k) // self.stride + 1 for s in (h, w))
        U = unfold(x, self.k, stride=self.stride, padding=self.pad)
        y = (W.flatten(1) @ U).reshape(n, -1, ho, wo) + b.reshape(-1, 1, 1)
        return y, (U, (h, w))

    def bw(self, dy, memory):
        U, hw = memory
        W = self.theta['W']
        d = dy.flatten(2)
        grads = {'W': d.matmul(U.mT).sum(0).reshape(W.shape), 'b': dy.sum((0, 2, 3))}
        dx = fold(W.flatten(1).t() @ d, hw, self.k, stride=self.stride, padding=self.pad)
        return dx, grads


class _TransposeConv2d(Layer):
    trainable = True

    def __init__(self, n_in, n_out, k, stride=1, pad=0):
        self.k, self.stride, self.pad = k, stride, pad
        lim = math.sqrt(6 / (n_in * k * k / stride ** 2 + n_out * k * k))
        self.theta = {'W': empty(n_in, n_out, k, k).uniform_(-lim, lim), 'b': empty(n_out).zero_()}

    def fw(self, x):
        W, b = self.theta['W'], self.theta['b']
        ho, wo = ((s - 1) * self.stride + self.k - 2 * self.pad for s in x.shape[2:])
        y = fold(W.flatten(1).t() @ x.flatten(2), (ho, wo), self.k, stride=self.stride, padding=self.pad)
        return y + b.reshape(-1, 1, 1), x

    def bw(self, dy, x):
        W = self.theta['W']
        D = unfold(dy, self.k, stride=self.stride, padding=self.pad)
        dx = (W.flatten(1) @ D).reshape(x.shape)
        dW = 0
        for xi, Di in zip(x.flatten(2), D):
            dW = dW + xi @ Di.t()
        return dx, {'W': dW.reshape(W.shape), 'b': dy.sum((0, 2, 3))}


class _ReLU(Layer):
    def fw(self, x):
        return x.clamp(min=0), x

    def bw(self, dy, x):
        return dy.where(x > 0, dy.new_zeros(1)), {}


class _Sigmoid(Layer):
    def fw(self, x):
        s = x.sigmoid()
        return s, s

    def bw(self, dy, s):
        return dy * s * (1 - s), {}


# ---- handout API -------------------------------------------------------------------------------

class Standalone(object):
    core = None

    def __init__(self, *args, **kwargs):
        self.inner = self.core(*args, **kwargs)
        self.grads = {}
        if self.inner.trainable:
            self.grads = {name: p * 0 for name, p in self.inner.theta.items()}

    def forward(self, x):
        y, self.memory = self.inner.fw(x)
        return y

    def backward(self, dy):
        dx, g = self.inner.bw(dy, self.memory)
        for name in g:
            self.grads[name] += g[name]
        return dx

    def param(self):
        if not self.inner.trainable:
            return []
        return [(self.inner.theta[n], self.grads[n]) for n in ('W', 'b')]


class Conv2d(Standalone):
    core = _Conv2d


class TransposeConv2d(Standalone):
    core = _TransposeConv2d


class ReLU(Standalone):
    core = _ReLU


class Sigmoid(Standalone):
    core = _Sigmoid
