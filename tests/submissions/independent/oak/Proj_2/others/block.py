from torch import empty
from torch.nn.functional import fold, unfold


class Module(object):
    def __init__(self):
        self.training_cache = None

    def forward(self, input):
        raise NotImplementedError

    def backward(self, gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []

    # a + b puts two modules one after the other
    def __add__(self, other):
        left = self.mods if isinstance(self, Sequential) else [self]
        return Sequential(*left, other)


class Sequential(Module):
    def __init__(self, *mods):
        super().__init__()
        self.mods = list(mods)

    def forward(self, input):
        out = input
        for mod in self.mods:
            out = mod.forward(out)
        return out

    def backward(self, gradwrtoutput):
        grad = gradwrtoutput
        for mod in self.mods[::-1]:
            grad = mod.backward(grad)
        return grad

    def param(self):
        # one list per module, empty for the activations
        return [mod.param() for mod in self.mods]


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__()
        self.shape = (out_channels, in_channels, kernel_size, kernel_size)
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        var = 2 / ((in_channels + out_channels) * kernel_size ** 2)
        self.weight = empty(self.shape).normal_(std=var ** 0.5)
        self.bias = empty(out_channels).uniform_(-0.05, 0.05)
        self.w_grad = empty(self.shape).fill_(0.)
        self.b_grad = empty(out_channels).fill_(0.)

    def out(self, d):
        return (d + 2 * self.padding - self.kernel_size) // self.stride + 1

    def forward(self, input):
        blocks = unfold(input, self.kernel_size, padding=self.padding, stride=self.stride)
        self.training_cache = blocks, input.shape
        res = self.weight.view(self.shape[0], -1) @ blocks + self.bias.view(-1, 1)
        return res.view(-1, self.shape[0], self.out(input.shape[2]), self.out(input.shape[3]))

    def backward(self, gradwrtoutput):
        blocks, in_shape = self.training_cache
        grad = gradwrtoutput.reshape(in_shape[0], self.shape[0], -1)
        self.b_grad += grad.sum(-1).sum(0)
        self.w_grad += (grad @ blocks.transpose(1, 2)).sum(0).view(self.shape)
        d_blocks = self.weight.view(self.shape[0], -1).t() @ grad
        return fold(d_blocks, in_shape[-2:], self.kernel_size, padding=self.padding, stride=self.stride)

    def param(self):
        return [(self.weight, self.w_grad), (self.bias, self.b_grad)]


class NearestUpsampling(Module):
    """ repeats each pixel scale x scale times """
    def __init__(self, scale_factor):
        super().__init__()
        self.scale = scale_factor

    def forward(self, input):
        n, c, h, w = input.shape
        s = self.scale
        self.training_cache = input.shape
        big = input.view(n, c, h, 1, w, 1).expand(n, c, h, s, w, s)
        return big.reshape(n, c, h * s, w * s)

    def backward(self, gradwrtoutput):
        n, c, h, w = self.training_cache
        s = self.scale
        return gradwrtoutput.reshape(n, c, s, h, s, w).sum((2, 4))


class ReLU(Module):
    def forward(self, input):
        self.training_cache = input > 0
        return input * self.training_cache

    def backward(self, gradwrtoutput):
        return gradwrtoutput * self.training_cache


class Sigmoid(Module):
    def forward(self, input):
        self.training_cache = input.sigmoid()
        return self.training_cache

    def backward(self, gradwrtoutput):
        return gradwrtoutput * self.training_cache * (1 - self.training_cache)
