"""Every block has four slots: data_in, data_out, grad_in, grad_out.

forward() fills data_out. Whoever comes after the block fills grad_out, backward() then fills grad_in.
Gradients of the parameters are summed in the block until clear_gradients() is called.
"""
from torch import empty


class Block:
    def __init__(self):
        self.data_in = self.data_out = self.grad_in = self.grad_out = None
        self.param_names = []

    def forward(self, data):
        raise NotImplementedError

    def backward(self):
        raise NotImplementedError

    def clear_gradients(self):
        for name in self.param_names:
            getattr(self, name + "_sum").zero_()

    def param(self):
        return [(getattr(self, name), getattr(self, name + "_sum")) for name in self.param_names]


class ReLU(Block):
    def forward(self, data):
        self.data_in = data
        self.data_out = data.where(data > 0, data.new_zeros(1))
        return self.data_out

    def backward(self):
        self.grad_in = self.grad_out * self.data_in.gt(0)


class Sigmoid(Block):
    def forward(self, data):
        self.data_in = data
        self.data_out = data.sigmoid()
        return self.data_out

    def backward(self):
        p = self.data_in.sigmoid()
        self.grad_in = self.grad_out * (p - p.square())


class TapBlock(Block):
    """What both convolutions share: they go over the taps (i, j) of the kernel, one product for each."""

    def setup(self, weight_shape, channels, kernel, stride, padding):
        self.kernel, self.stride, self.padding = kernel, stride, padding
        self.weight = empty(weight_shape).normal_(0, (2 / (weight_shape[0] * kernel * kernel)) ** 0.5)
        self.bias = empty(channels).fill_(0)
        self.weight_sum, self.bias_sum = self.weight * 0, self.bias * 0
        self.param_names = ["weight", "bias"]

    def bordered(self, small):
        """A picture with a border of zeros."""
        n, c, h, w = small.shape
        p = self.padding
        big = small.new_zeros(n, c, h + 2 * p, w + 2 * p)
        big[:, :, p:p + h, p:p + w] = small
        return big

    def seen_by(self, big, i, j, h, w):
        """The pixels of the large picture that tap (i, j) connects with the h x w pixels of the small one."""
        s = self.stride
        return big[:, :, i:i + s * (h - 1) + 1:s, j:j + s * (w - 1) + 1:s]

    def taps(self):
        return [(i, j) for i in range(self.kernel) for j in range(self.kernel)]

    def mix(self, matrix, picture):
        n, c, h, w = picture.shape
        return (matrix @ picture.reshape(n, c, h * w)).reshape(n, -1, h, w)

    def outer(self, a, b):
        """Sum over pictures and pixels: C_a x C_b."""
        return a.transpose(0, 1).flatten(1) @ b.transpose(0, 1).flatten(1).t()

    def cropped(self, big, h, w):
        return big[:, :, self.padding:self.padding + h, self.padding:self.padding + w]


class Conv2d(TapBlock):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__()
        self.setup((out_channels, in_channels, kernel_size, kernel_size), out_channels, kernel_size, stride, padding)

    def forward(self, data):
        self.data_in = data
        big = self.bordered(data)
        h, w = [(size - self.kernel) // self.stride + 1 for size in big.shape[2:]]
        self.data_out = self.bias.view(1, -1, 1, 1).repeat(len(data), 1, h, w)
        for i, j in self.taps():
            self.data_out += self.mix(self.weight[:, :, i, j], self.seen_by(big, i, j, h, w))
        return self.data_out

    def backward(self):
        h, w = self.grad_out.shape[2:]
        big = self.bordered(self.data_in)
        back = big * 0
        for i, j in self.taps():
            self.weight_sum[:, :, i, j] += self.outer(self.grad_out, self.seen_by(big, i, j, h, w))
            self.seen_by(back, i, j, h, w).add_(self.mix(self.weight[:, :, i, j].t(), self.grad_out))
        self.bias_sum += self.grad_out.sum((0, 2, 3))
        self.grad_in = self.cropped(back, *self.data_in.shape[2:])


class TransposeConv2d(TapBlock):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__()
        self.setup((in_channels, out_channels, kernel_size, kernel_size), out_channels, kernel_size, stride, padding)

    def forward(self, data):
        self.data_in = data
        n, c, h, w = data.shape
        rows, columns = [self.stride * (size - 1) + self.kernel for size in (h, w)]
        big = self.bias.view(1, -1, 1, 1).repeat(n, 1, rows, columns)
        for i, j in self.taps():
            self.seen_by(big, i, j, h, w).add_(self.mix(self.weight[:, :, i, j].t(), data))
        self.data_out = self.cropped(big, rows - 2 * self.padding, columns - 2 * self.padding)
        return self.data_out

    def backward(self):
        n, c, h, w = self.data_in.shape
        big = self.bordered(self.grad_out)
        self.grad_in = self.data_in * 0
        for i, j in self.taps():
            part = self.seen_by(big, i, j, h, w)
            self.weight_sum[:, :, i, j] += self.outer(self.data_in, part)
            self.grad_in += self.mix(self.weight[:, :, i, j], part)
        self.bias_sum += self.grad_out.sum((0, 2, 3))


class Sequential(Block):
    def __init__(self, *blocks):
        super().__init__()
        self.blocks = blocks

    def forward(self, data):
        self.data_in = data
        for block in self.blocks:
            data = block.forward(data)
        self.data_out = data
        return data

    def backward(self):
        gradient = self.grad_out
        for block in self.blocks[::-1]:
            block.grad_out = gradient
            block.backward()
            gradient = block.grad_in
        self.grad_in = gradient

    def clear_gradients(self):
        for block in self.blocks:
            block.clear_gradients()

    def param(self):
        return sum((block.param() for block in self.blocks), [])


class MSE(Block):
    def forward(self, data, target):
        self.data_in, self.target = data, target
        self.data_out = (data - target).pow(2).mean()
        return self.data_out

    def backward(self):
        self.grad_in = (self.data_in - self.target) * (2.0 / self.target.numel())


class SGD:
    def __init__(self, param, lr):
        self.param, self.lr = param, lr

    def step(self):
        for value, total in self.param:
            value -= self.lr * total
