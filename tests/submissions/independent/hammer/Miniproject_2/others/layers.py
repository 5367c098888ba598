import math
from torch import empty
from torch.nn.functional import fold, unfold
from .module import Module


def pair(v):
    if isinstance(v, tuple):
        return v
    return (v, v)


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)

        kh, kw = self.kernel_size
        # same init as pytorch
        bound = 1 / math.sqrt(in_channels * kh * kw)
        self.weight = empty(out_channels, in_channels, kh, kw).uniform_(-bound, bound)
        self.weight_grad = empty(self.weight.shape).zero_()
        self.use_bias = bias
        if bias:
            self.bias = empty(out_channels).uniform_(-bound, bound)
            self.bias_grad = empty(out_channels).zero_()

    def out_size(self, h, w):
        kh, kw = self.kernel_size
        ho = (h + 2 * self.padding[0] - self.dilation[0] * (kh - 1) - 1) // self.stride[0] + 1
        wo = (w + 2 * self.padding[1] - self.dilation[1] * (kw - 1) - 1) // self.stride[1] + 1
        return ho, wo

    def forward(self, x):
        self.in_shape = x.shape
        ho, wo = self.out_size(x.shape[2], x.shape[3])
        self.cols = unfold(x, self.kernel_size, dilation=self.dilation, padding=self.padding, stride=self.stride)
        out = self.weight.view(self.out_channels, -1) @ self.cols
        if self.use_bias:
            out = out + self.bias.view(1, -1, 1)
        return out.view(x.shape[0], self.out_channels, ho, wo)

    def backward(self, gradwrtoutput):
        g = gradwrtoutput.reshape(gradwrtoutput.shape[0], self.out_channels, -1)   # N x Cout x L
        dw = (g @ self.cols.transpose(1, 2)).sum(dim=0)
        self.weight_grad += dw.view(self.weight.shape)
        if self.use_bias:
            self.bias_grad += g.sum(dim=(0, 2))
        dcols = self.weight.view(self.out_channels, -1).t() @ g
        return fold(dcols, (self.in_shape[2], self.in_shape[3]), self.kernel_size,
                    dilation=self.dilation, padding=self.padding, stride=self.stride)

    def param(self):
        if self.use_bias:
            return [(self.weight, self.weight_grad), (self.bias, self.bias_grad)]
        return [(self.weight, self.weight_grad)]


class NearestUpsampling(Module):
    """ each pixel becomes a scale x scale block """

    def __init__(self, scale_factor=2):
        self.scale = scale_factor

    def forward(self, x):
        n, c, h, w = x.shape
        s = self.scale
        y = x.view(n, c, h, 1, w, 1).expand(n, c, h, s, w, s)
        return y.reshape(n, c, h * s, w * s)

    def backward(self, gradwrtoutput):
        n, c, h, w = gradwrtoutput.shape
        s = self.scale
        # go back to the small image : every block gives one pixel
        blocks = gradwrtoutput.reshape(n, c, h // s, s, w // s, s)
        return blocks.mean(dim=(3, 5))


class ReLU(Module):
    def forward(self, x):
        self.mask = (x > 0)
        return x * self.mask

    def backward(self, gradwrtoutput):
        return gradwrtoutput * self.mask


class Sigmoid(Module):
    def forward(self, x):
        self.out = 1 / (1 + (-x).exp())
        return self.out

    def backward(self, gradwrtoutput):
        return gradwrtoutput * self.out * (1 - self.out)


class Sequential(Module):
    def __init__(self, *modules):
        self.modules = list(modules)

    def forward(self, x):
        for m in self.modules:
            x = m(x)
        return x

    def backward(self, gradwrtoutput):
        g = gradwrtoutput
        for m in reversed(self.modules):
            g = m.backward(g)
        return g

    def param(self):
        p = []
        for m in self.modules:
            p += m.param()
        return p


class MSE(Module):
    def forward(self, prediction, target):
        self.diff = prediction - target
        return (self.diff ** 2).mean()

    def backward(self):
        return 2 * self.diff / self.diff.numel()


class SGD(object):
    def __init__(self, params, lr, momentum=0.0):
        self.params = params
        self.lr = lr
        self.momentum = momentum
        self.velocity = [empty(p.shape).zero_().to(p.device) for p, _ in params]

    def step(self):
        for (p, g), v in zip(self.params, self.velocity):
            v.mul_(self.momentum).add_(g)
            p.sub_(self.lr * v)

    def zero_grad(self):
        for _, g in self.params:
            g.zero_()
