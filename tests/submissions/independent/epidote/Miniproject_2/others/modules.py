from torch import empty
from .functional import to_tuple, conv_out, im2col, col2im, nearest, nearest_adjoint


class Module(object):
    def __call__(self, *args):
        return self.forward(*args)

    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []

    def to(self, device):
        for name, v in self.__dict__.items():
            if hasattr(v, 'device') and hasattr(v, 'to'):
                self.__dict__[name] = v.to(device)
        return self


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        if groups != 1:
            raise ValueError("only groups=1")
        self.k = to_tuple(kernel_size)
        self.s = to_tuple(stride)
        self.p = to_tuple(padding)
        self.d = to_tuple(dilation)
        self.in_channels, self.out_channels = in_channels, out_channels
        a = (in_channels * self.k[0] * self.k[1]) ** -0.5
        self.weight = empty((out_channels, in_channels) + self.k).uniform_(-a, a)
        self.weight_grad = self.weight * 0
        self.bias, self.bias_grad = None, None
        if bias:
            self.bias = empty(out_channels).uniform_(-a, a)
            self.bias_grad = self.bias * 0

    def forward(self, x):
        self.n, self.size = x.shape[0], tuple(x.shape[2:])
        ho, wo = conv_out(self.size, self.k, self.s, self.p, self.d)
        self.cols = im2col(x, self.k, self.s, self.p, self.d)
        y = self.weight.view(self.out_channels, -1) @ self.cols
        if self.bias is not None:
            y = y + self.bias[:, None]
        return y.view(self.out_channels, self.n, ho, wo).transpose(0, 1)

    def backward(self, grad):
        g = grad.transpose(0, 1).reshape(self.out_channels, -1)
        self.weight_grad += (g @ self.cols.t()).view(self.weight.shape)
        if self.bias is not None:
            self.bias_grad += g.sum(1)
        dcols = self.weight.view(self.out_channels, -1).t() @ g
        return col2im(dcols, self.n, self.size, self.k, self.s, self.p, self.d)

    def param(self):
        if self.bias is None:
            return [(self.weight, self.weight_grad)]
        return [(self.weight, self.weight_grad), (self.bias, self.bias_grad)]


class NearestUpsampling(Module):
    def __init__(self, scale_factor):
        self.s = to_tuple(scale_factor)

    def forward(self, x):
        return nearest(x, self.s)

    def backward(self, grad):
        return nearest_adjoint(grad, self.s)


class ReLU(Module):
    def forward(self, x):
        self.x = x
        return x.relu()

    def backward(self, grad):
        return grad * self.x.sign().clamp(min=0)


class LeakyReLU(Module):
    def __init__(self, slope=0.01):
        self.slope = slope

    def forward(self, x):
        self.f = (x > 0) * (1 - self.slope) + self.slope
        return x * self.f

    def backward(self, grad):
        return grad * self.f


class Sigmoid(Module):
    def forward(self, x):
        self.out = x.sigmoid()
        return self.out

    def backward(self, grad):
        return grad * self.out * (1 - self.out)


class Sequential(Module):
    def __init__(self, *modules):
        self.modules = list(modules)

    def forward(self, x):
        for m in self.modules:
            x = m(x)
        return x

    def backward(self, grad):
        for m in self.modules[::-1]:
            grad = m.backward(grad)
        return grad

    def param(self):
        out = []
        for m in self.modules:
            out.extend(m.param())
        return out

    def to(self, device):
        for m in self.modules:
            m.to(device)
        return self
