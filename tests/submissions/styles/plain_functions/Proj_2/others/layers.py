from torch import empty
from torch.nn.functional import fold, unfold
from .functional import gradient_of


class Conv2d:
    """2D convolution. Patches are laid out as the rows of one matrix for the whole batch."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        bound = (in_channels * kernel_size * kernel_size) ** -0.5
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.weight = empty(out_channels, in_channels, kernel_size, kernel_size).uniform_(-bound, bound)
        self.bias = empty(out_channels).uniform_(-bound, bound)
        self.grad_weight = self.weight.new_zeros(self.weight.shape)
        self.grad_bias = self.bias.new_zeros(self.bias.shape)

    def forward(self, x):
        n, c, h, w = x.shape
        oh = (h + 2 * self.padding - self.kernel_size) // self.stride + 1
        ow = (w + 2 * self.padding - self.kernel_size) // self.stride + 1
        self.in_size = (h, w)
        self.rows = unfold(x, self.kernel_size, padding=self.padding, stride=self.stride).movedim(1, 2)
        y = self.rows @ self.weight.flatten(1).t()
        y = y + self.bias
        return y.movedim(2, 1).reshape(n, -1, oh, ow)

    def backward(self, dout):
        d = dout.flatten(2).movedim(1, 2)
        for rows, one in zip(self.rows, d):
            self.grad_bias += one.sum(0)
            self.grad_weight += (one.t() @ rows).view_as(self.weight)
        dcols = d @ self.weight.flatten(1)
        return fold(dcols.movedim(2, 1), self.in_size, self.kernel_size, padding=self.padding, stride=self.stride)

    def params(self):
        return [self.weight, self.bias]

    def grads(self):
        return [self.grad_weight, self.grad_bias]


class TransposeConv2d:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        bound = (in_channels * kernel_size * kernel_size) ** -0.5
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.weight = empty(in_channels, out_channels, kernel_size, kernel_size).uniform_(-bound, bound)
        self.bias = empty(out_channels).uniform_(-bound, bound)
        self.grad_weight = self.weight.new_zeros(self.weight.shape)
        self.grad_bias = self.bias.new_zeros(self.bias.shape)

    def forward(self, x):
        n, c, h, w = x.shape
        size = [(s - 1) * self.stride - 2 * self.padding + self.kernel_size for s in (h, w)]
        self.x = x
        cols = self.weight.flatten(1).t() @ x.flatten(2)
        y = fold(cols, size, self.kernel_size, padding=self.padding, stride=self.stride)
        return y + self.bias[None, :, None, None]

    def backward(self, dout):
        cols = unfold(dout, self.kernel_size, padding=self.padding, stride=self.stride)
        for x, c in zip(self.x, cols):
            self.grad_weight += (x.flatten(1) @ c.t()).view_as(self.weight)
        self.grad_bias += dout.sum((0, 2, 3))
        return (self.weight.flatten(1) @ cols).view_as(self.x)

    def params(self):
        return [self.weight, self.bias]

    def grads(self):
        return [self.grad_weight, self.grad_bias]


class Sequential:
    """Layers, and between them plain functions of functional.py: what those were given and gave is kept here."""

    def __init__(self, *steps):
        self.steps = steps

    def forward(self, x):
        self.kept = []
        for step in self.steps:
            y = step.forward(x) if hasattr(step, "forward") else step(x)
            self.kept.append((x, y))
            x = y
        return x

    def backward(self, dout):
        for step, (x, y) in zip(reversed(self.steps), reversed(self.kept)):
            if hasattr(step, "backward"):
                dout = step.backward(dout)
            else:
                dout = gradient_of(step, dout, x, y)
        return dout

    def layers(self):
        return [step for step in self.steps if hasattr(step, "params")]

    def params(self):
        return [p for layer in self.layers() for p in layer.params()]

    def grads(self):
        return [g for layer in self.layers() for g in layer.grads()]
