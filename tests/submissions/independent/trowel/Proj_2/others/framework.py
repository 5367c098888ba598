"""
Mini framework. Convolutions without F.unfold: the windows are taken with Tensor.unfold (it's a view,
so no memory used) and the gradient w.r.t. the input is scattered position by position of the kernel.
"""
from torch import empty, cat


class Parameter:
    def __init__(self, value):
        self.value = value
        self.grad = value * 0

    def to(self, dev):
        self.value = self.value.to(dev)
        self.grad = self.grad.to(dev)


class Module:
    def forward(self, *a):
        raise NotImplementedError

    def backward(self, *a):
        raise NotImplementedError

    def parameters(self):
        return []

    def param(self):
        return [(p.value, p.grad) for p in self.parameters()]


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.K, self.S, self.P = kernel_size, stride, padding
        self.Cin, self.Cout = in_channels, out_channels
        a = (6 / (in_channels * kernel_size * kernel_size)) ** 0.5
        self.W = Parameter(empty(out_channels, in_channels, kernel_size, kernel_size).uniform_(-a, a))
        self.b = Parameter(empty(out_channels).fill_(0.))

    weight = property(lambda self: self.W.value)
    bias = property(lambda self: self.b.value)

    def pad(self, x):
        if self.P == 0:
            return x
        B, C, H, W = x.shape
        P = self.P
        side = x.new_zeros(B, C, H, P)
        x = cat([side, x, side], 3)
        line = x.new_zeros(B, C, P, W + 2 * P)
        return cat([line, x, line], 2)

    def forward(self, x):
        self.shape = x.shape
        self.xp = self.pad(x)
        win = self.xp.unfold(2, self.K, self.S).unfold(3, self.K, self.S)     # B C Ho Wo K K
        B, C, Ho, Wo, _, _ = win.shape
        self.win = win.permute(0, 2, 3, 1, 4, 5).reshape(B * Ho * Wo, C * self.K * self.K)
        y = self.win @ self.W.value.view(self.Cout, -1).t() + self.b.value
        return y.view(B, Ho, Wo, self.Cout).permute(0, 3, 1, 2)

    def backward(self, dy):
        B, C, Ho, Wo = dy.shape
        d = dy.permute(0, 2, 3, 1).reshape(B * Ho * Wo, C)
        self.W.grad += (d.t() @ self.win).view(self.W.value.shape)
        self.b.grad += d.sum(0)
        # every (i, j) of the kernel sees a strided copy of the padded input
        dxp = self.xp * 0
        for i in range(self.K):
            for j in range(self.K):
                t = (d @ self.W.value[:, :, i, j]).view(B, Ho, Wo, self.Cin).permute(0, 3, 1, 2)
                dxp[:, :, i:i + self.S * (Ho - 1) + 1:self.S, j:j + self.S * (Wo - 1) + 1:self.S] += t
        # take the padding away
        H, W = self.shape[2:]
        return dxp[:, :, :H, :W]

    def parameters(self):
        return [self.W, self.b]


class NearestUpsampling(Module):
    def __init__(self, scale_factor=2):
        self.r = scale_factor

    def forward(self, x):
        B, C, H, W = x.shape
        r = self.r
        y = x.new_zeros(B, C, H * r, W * r)
        for i in range(r):
            for j in range(r):
                y[:, :, i::r, j::r] = x
        return y

    def backward(self, dy):
        B, C, H, W = dy.shape
        r = self.r
        return dy.reshape(B, C, H // r, r, W // r, r).sum(5).sum(3)


class ReLU(Module):
    def forward(self, x):
        self.y = x.clamp(0)
        return self.y

    def backward(self, dy):
        return dy * (self.y > 0)


class Sigmoid(Module):
    def forward(self, x):
        self.y = x.sigmoid()
        return self.y

    def backward(self, dy):
        return dy * self.y * (1. - self.y)


class Sequential(Module):
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for l in self.layers:
            x = l.forward(x)
        return x

    def backward(self, dy):
        for l in reversed(self.layers):
            dy = l.backward(dy)
        return dy

    def parameters(self):
        return [p for l in self.layers for p in l.parameters()]


class MSE(Module):
    def forward(self, y, t):
        self.r = y - t
        return self.r.pow(2).mean()

    def backward(self):
        return self.r * 2 / self.r.numel()


class SGD:
    def __init__(self, parameters, lr, momentum=0.9):
        self.parameters = parameters
        self.lr = lr
        self.mu = momentum
        self.m = [p.value * 0 for p in parameters]

    def step(self):
        for k, p in enumerate(self.parameters):
            self.m[k] = self.mu * self.m[k] + p.grad
            p.value -= self.lr * self.m[k]

    def zero_grad(self):
        for p in self.parameters:
            p.grad = p.value * 0
