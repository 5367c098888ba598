from torch import empty
from torch.nn.functional import fold, unfold
from math import sqrt


class Module(object):
    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []

    def __call__(self, *args):
        return self.forward(*args)


class Conv2d(Module):

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1):
        super().__init__()
        if type(kernel_size) == int:
            kernel_size = (kernel_size, kernel_size)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        # Xavier initialization
        fan_in = in_channels * kernel_size[0] * kernel_size[1]
        fan_out = out_channels * kernel_size[0] * kernel_size[1]
        std = sqrt(2 / (fan_in + fan_out))
        self.weight = empty(out_channels, in_channels, *kernel_size).normal_(0, std)
        self.bias = empty(out_channels).zero_()
        self.gradweight = empty(self.weight.size()).zero_()
        self.gradbias = empty(self.bias.size()).zero_()

    def forward(self, input):
        # keep the input for the backward pass, unfold is recomputed (memory)
        self.input = input
        N, _, H, W = input.size()
        Ho = (H + 2 * self.padding - self.dilation * (self.kernel_size[0] - 1) - 1) // self.stride + 1
        Wo = (W + 2 * self.padding - self.dilation * (self.kernel_size[1] - 1) - 1) // self.stride + 1
        X = self._unfold(input)
        Y = X.transpose(1, 2) @ self.weight.view(self.out_channels, -1).t() + self.bias
        return Y.transpose(1, 2).reshape(N, self.out_channels, Ho, Wo)

    def _unfold(self, x):
        return unfold(x, self.kernel_size, dilation=self.dilation, padding=self.padding, stride=self.stride)

    def backward(self, gradwrtoutput):
        N = gradwrtoutput.size(0)
        G = gradwrtoutput.reshape(N, self.out_channels, -1)
        X = self._unfold(self.input)
        # put batch and positions together -> one matrix product only
        G2 = G.transpose(0, 1).reshape(self.out_channels, -1)
        X2 = X.transpose(0, 1).reshape(X.size(1), -1)
        self.gradweight += (G2 @ X2.t()).view_as(self.weight)
        self.gradbias += G2.sum(1)
        dX = self.weight.view(self.out_channels, -1).t() @ G
        return fold(dX, self.input.size()[2:], self.kernel_size,
                    dilation=self.dilation, padding=self.padding, stride=self.stride)

    def param(self):
        return [(self.weight, self.gradweight), (self.bias, self.gradbias)]


class TransposeConv2d(Module):
    # weight is (in, out, k, k) like in pytorch

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0):
        super().__init__()
        if type(kernel_size) == int:
            kernel_size = (kernel_size, kernel_size)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.output_padding = output_padding
        fan_in = in_channels * kernel_size[0] * kernel_size[1]
        fan_out = out_channels * kernel_size[0] * kernel_size[1]
        std = sqrt(2 / (fan_in + fan_out)) * stride
        self.weight = empty(in_channels, out_channels, *kernel_size).normal_(0, std)
        self.bias = empty(out_channels).zero_()
        self.gradweight = empty(self.weight.size()).zero_()
        self.gradbias = empty(self.bias.size()).zero_()

    def forward(self, input):
        self.input = input
        N, C, H, W = input.size()
        Ho = (H - 1) * self.stride - 2 * self.padding + self.kernel_size[0] + self.output_padding
        Wo = (W - 1) * self.stride - 2 * self.padding + self.kernel_size[1] + self.output_padding
        cols = self.weight.view(C, -1).t() @ input.reshape(N, C, -1)
        out = fold(cols, (Ho, Wo), self.kernel_size, padding=self.padding, stride=self.stride)
        return out + self.bias.view(1, -1, 1, 1)

    def backward(self, gradwrtoutput):
        N, C, H, W = self.input.size()
        G = unfold(gradwrtoutput, self.kernel_size, padding=self.padding, stride=self.stride)
        X = self.input.reshape(N, C, -1)
        self.gradweight += (X @ G.transpose(1, 2)).sum(0).view_as(self.weight)
        self.gradbias += gradwrtoutput.sum((0, 2, 3))
        return (self.weight.view(C, -1) @ G).view(N, C, H, W)

    def param(self):
        return [(self.weight, self.gradweight), (self.bias, self.gradbias)]


class ReLU(Module):
    def forward(self, input):
        self.input = input
        return input.relu()

    def backward(self, gradwrtoutput):
        out = gradwrtoutput.clone()
        out[self.input <= 0] = 0
        return out


class Sigmoid(Module):
    def forward(self, input):
        self.input = input
        return input.sigmoid()

    def backward(self, gradwrtoutput):
        s = self.input.sigmoid()
        return s * (1 - s) * gradwrtoutput


class Sequential(Module):
    def __init__(self, *args):
        super().__init__()
        self.modules = []
        for a in args:
            self.add(a)

    def add(self, module):
        self.modules.append(module)

    def forward(self, input):
        out = input
        for m in self.modules:
            out = m.forward(out)
        return out

    def backward(self, gradwrtoutput):
        grad = gradwrtoutput
        for i in range(len(self.modules) - 1, -1, -1):
            grad = self.modules[i].backward(grad)
        return grad

    def param(self):
        params = []
        for m in self.modules:
            params.extend(m.param())
        return params


class MSE(Module):
    def forward(self, input, target):
        self.input = input
        self.target = target
        return ((input - target) ** 2).mean()

    def backward(self):
        N = 1
        for s in self.input.size():
            N = N * s
        return 2 / N * (self.input - self.target)


class SGD:
    def __init__(self, params, lr=1e-2, momentum=0., weight_decay=0.):
        self.params = params
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.buf = [None] * len(params)

    def zero_grad(self):
        for p in self.params:
            p[1].zero_()

    def step(self):
        for i, (w, g) in enumerate(self.params):
            d = g + self.weight_decay * w
            if self.momentum != 0:
                if self.buf[i] is None:
                    self.buf[i] = d.clone()
                else:
                    self.buf[i] = self.momentum * self.buf[i] + d
                d = self.buf[i]
            w.sub_(self.lr * d)
