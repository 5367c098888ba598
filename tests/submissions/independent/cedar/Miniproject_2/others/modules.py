from torch import empty
from torch.nn.functional import fold, unfold


class Module:
    """Base class, see the project description."""

    def __call__(self, *args):
        return self.forward(*args)

    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []

    def load(self, values):
        for pair, v in zip(self.param(), values):
            pair[0].copy_(v)


class _ConvBase(Module):
    """Things that the two convolutions have in common."""

    def __init__(self, weight_shape, n_bias, fan, kernel_size, stride, padding):
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        bound = fan ** -0.5
        self.weight = empty(weight_shape).uniform_(-bound, bound)
        self.bias = empty(n_bias).uniform_(-bound, bound)
        self.dweight = empty(weight_shape).fill_(0)
        self.dbias = empty(n_bias).fill_(0)

    @property
    def W(self):
        return self.weight.view(self.weight.shape[0], -1)

    def args(self):
        return dict(kernel_size=self.kernel_size, stride=self.stride, padding=self.padding)

    def param(self):
        return [[self.weight, self.dweight], [self.bias, self.dbias]]


class Conv2d(_ConvBase):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        k = kernel_size
        super().__init__((out_channels, in_channels, k, k), out_channels, in_channels * k * k, k, stride, padding)

    def forward(self, input):
        self.size = input.shape
        self.cols = unfold(input, **self.args())
        y = self.W @ self.cols
        y += self.bias[:, None]
        side = (input.shape[2] + 2 * self.padding - self.kernel_size) // self.stride + 1
        return y.view(y.shape[0], y.shape[1], side, -1)

    def backward(self, grad):
        grad = grad.flatten(2)
        for n in range(grad.shape[0]):
            self.dweight += (grad[n] @ self.cols[n].t()).view_as(self.dweight)
        self.dbias += grad.sum(2).sum(0)
        return fold(self.W.t() @ grad, self.size[2:], **self.args())


class TransposeConv2d(_ConvBase):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        k = kernel_size
        super().__init__((in_channels, out_channels, k, k), out_channels, out_channels * k * k, k, stride, padding)

    def forward(self, input):
        self.size = input.shape
        self.flat = input.flatten(2)
        k2 = self.kernel_size ** 2
        y = self.W.t() @ self.flat
        # every row of y belongs to one output channel and one place in the kernel
        y += self.bias.repeat_interleave(k2)[:, None]
        h, w = [(s - 1) * self.stride + self.kernel_size - 2 * self.padding for s in self.size[2:]]
        return fold(y, (h, w), **self.args())

    def backward(self, grad):
        cols = unfold(grad, **self.args())
        for n in range(grad.shape[0]):
            self.dweight += (self.flat[n] @ cols[n].t()).view_as(self.dweight)
        self.dbias += grad.sum(3).sum(2).sum(0)
        return (self.W @ cols).view(self.size)


class ReLU(Module):
    def forward(self, input):
        self.input = input
        return input.clamp(min=0)

    def backward(self, grad):
        return grad.masked_fill(self.input <= 0, 0)


class Sigmoid(Module):
    def forward(self, input):
        self.y = (1 + (-input).exp()).reciprocal()
        return self.y

    def backward(self, grad):
        return self.y * (1 - self.y) * grad


class Sequential(Module):
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, input):
        for l in self.layers:
            input = l(input)
        return input

    def backward(self, grad):
        for l in self.layers[::-1]:
            grad = l.backward(grad)
        return grad

    def param(self):
        return sum([l.param() for l in self.layers], [])


class MSE(Module):
    def forward(self, output, target):
        self.error = output - target
        return self.error.pow(2).mean()

    def backward(self):
        return 2 * self.error / self.error.numel()


class SGD:
    def __init__(self, parameters, lr):
        self.parameters = parameters
        self.lr = lr

    def zero_grad(self):
        for pair in self.parameters:
            pair[1].fill_(0)

    def step(self):
        for weight, grad in self.parameters:
            weight -= self.lr * grad
