from torch import empty
from . import functional as F


class Module(object):
    def __init__(self):
        self.cache = None

    def __call__(self, *args):
        return self.forward(*args)

    def param(self):
        return []


class _WithWeights(Module):
    def __init__(self, w_shape, nb_out, std):
        super().__init__()
        self.weight = empty(*w_shape).normal_(0, std)
        self.bias = empty(nb_out).zero_()
        self.dw = empty(*w_shape).zero_()
        self.db = empty(nb_out).zero_()

    def backward(self, dout):
        dx, dw, db = self.back_fn(dout, self.cache)
        self.dw += dw
        self.db += db
        return dx

    def param(self):
        return [(self.weight, self.dw), (self.bias, self.db)]

    def to(self, device):
        self.weight = self.weight.to(device)
        self.bias = self.bias.to(device)
        self.dw = self.dw.to(device)
        self.db = self.db.to(device)


class Conv2d(_WithWeights):
    back_fn = staticmethod(F.conv_backward)

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        std = (2 / (in_channels * kernel_size ** 2)) ** 0.5
        super().__init__((out_channels, in_channels, kernel_size, kernel_size), out_channels, std)
        self.stride = stride
        self.padding = padding

    def forward(self, x):
        out, self.cache = F.conv_forward(x, self.weight, self.bias, self.stride, self.padding)
        return out


class TransposeConv2d(_WithWeights):
    back_fn = staticmethod(F.tconv_backward)

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        std = (2 / (in_channels * kernel_size ** 2)) ** 0.5 * stride
        super().__init__((in_channels, out_channels, kernel_size, kernel_size), out_channels, std)
        self.stride = stride
        self.padding = padding

    def forward(self, x):
        out, self.cache = F.tconv_forward(x, self.weight, self.bias, self.stride, self.padding)
        return out


class ReLU(Module):
    def forward(self, x):
        out, self.cache = F.relu_forward(x)
        return out

    def backward(self, dout):
        return F.relu_backward(dout, self.cache)


class Sigmoid(Module):
    def forward(self, x):
        out, self.cache = F.sigmoid_forward(x)
        return out

    def backward(self, dout):
        return F.sigmoid_backward(dout, self.cache)


class MSE(Module):
    def forward(self, x, y):
        loss, self.cache = F.mse_forward(x, y)
        return loss

    def backward(self):
        return F.mse_backward(self.cache)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        self.modules = modules

    def forward(self, x):
        for m in self.modules:
            x = m(x)
        return x

    def backward(self, dout):
        for m in self.modules[::-1]:
            dout = m.backward(dout)
        return dout

    def param(self):
        out = []
        for m in self.modules:
            out += m.param()
        return out


class SGD():
    def __init__(self, params, lr=0.1):
        self.params = params
        self.lr = lr

    def step(self):
        for w, dw in self.params:
            w.add_(dw, alpha=-self.lr)

    def zero_grad(self):
        for w, dw in self.params:
            dw.zero_()
