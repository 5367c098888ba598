from .parameter import Parameter, uniform_init
from .ops import conv_apply, conv_adjoint, conv_weight


def pair(v):
    return tuple(v) if isinstance(v, (tuple, list)) else (v, v)


class Module(object):
    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def parameters(self):
        return []

    def param(self):
        return [(p.data, p.grad) for p in self.parameters()]

    def __call__(self, *input):
        return self.forward(*input)


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        self.kernel = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        fan_in = in_channels * self.kernel[0] * self.kernel[1]
        self.weight = uniform_init((out_channels, in_channels) + self.kernel, fan_in)
        self.bias = uniform_init((out_channels,), fan_in) if bias else None

    def forward(self, x):
        self.x = x
        y = conv_apply(x, self.weight.data, self.stride, self.padding)
        if self.bias is not None:
            y = y + self.bias.data.view(1, -1, 1, 1)
        return y

    def backward(self, g):
        self.weight.accumulate(conv_weight(self.x, g, self.kernel, self.stride, self.padding))
        if self.bias is not None:
            self.bias.accumulate(g.sum((0, 2, 3)))
        return conv_adjoint(g, self.weight.data, self.stride, self.padding, tuple(self.x.shape[2:]))

    def parameters(self):
        return [self.weight] if self.bias is None else [self.weight, self.bias]


class TransposeConv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, bias=True):
        self.kernel = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.output_padding = pair(output_padding)
        fan_in = out_channels * self.kernel[0] * self.kernel[1]
        self.weight = uniform_init((in_channels, out_channels) + self.kernel, fan_in)
        self.bias = uniform_init((out_channels,), fan_in) if bias else None

    def out_size(self, h, w):
        sizes = []
        for i, s in enumerate((h, w)):
            sizes.append((s - 1) * self.stride[i] - 2 * self.padding[i] + self.kernel[i] + self.output_padding[i])
        return tuple(sizes)

    def forward(self, x):
        self.x = x
        y = conv_adjoint(x, self.weight.data, self.stride, self.padding, self.out_size(*x.shape[2:]))
        if self.bias is not None:
            y = y + self.bias.data.view(1, -1, 1, 1)
        return y

    def backward(self, g):
        # here g plays the input and self.x the output of the convolution
        self.weight.accumulate(conv_weight(g, self.x, self.kernel, self.stride, self.padding))
        if self.bias is not None:
            self.bias.accumulate(g.sum((0, 2, 3)))
        return conv_apply(g, self.weight.data, self.stride, self.padding)

    def parameters(self):
        return [self.weight] if self.bias is None else [self.weight, self.bias]


class ReLU(Module):
    def forward(self, x):
        self.on = (x > 0).to(x.dtype)
        return x * self.on

    def backward(self, g):
        return g * self.on


class Sigmoid(Module):
    def forward(self, x):
        self.s = x.sigmoid()
        return self.s

    def backward(self, g):
        return g * (self.s - self.s * self.s)


class MSE(Module):
    def forward(self, prediction, target):
        self.d = prediction - target
        return (self.d * self.d).mean()

    def backward(self):
        return self.d * (2.0 / self.d.numel())


class Sequential(Module):
    def __init__(self, *modules):
        self.modules = list(modules)

    def forward(self, x):
        for m in self.modules:
            x = m(x)
        return x

    def backward(self, g):
        for m in reversed(self.modules):
            g = m.backward(g)
        return g

    def parameters(self):
        return [p for m in self.modules for p in m.parameters()]
