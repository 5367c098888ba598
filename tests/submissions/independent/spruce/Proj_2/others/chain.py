"""
Modules know their neighbours: `a >> b` makes b the successor of a.
Calling the head runs the whole chain, and the tail starts the backward pass.
"""
from torch import empty
from torch.nn.functional import fold, unfold


class Module:
    def __init__(self):
        self.prev = None
        self.next = None

    def __rshift__(self, other):
        self.next = other
        other.prev = self
        return other

    # local computations
    def forward(self, x):
        raise NotImplementedError

    def backward(self, dy):
        raise NotImplementedError

    def param(self):
        return []

    # computations on the chain
    def run(self, x):
        y = self.forward(x)
        return y if self.next is None else self.next.run(y)

    def propagate(self, dy):
        dx = self.backward(dy)
        return dx if self.prev is None else self.prev.propagate(dx)


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__()
        self.shape = (out_channels, in_channels, kernel_size, kernel_size)
        self.conf = {'kernel_size': kernel_size, 'stride': stride, 'padding': padding}
        fan = in_channels * kernel_size ** 2
        # stored as the matrix of the matrix product, weight is only a view
        self.matrix = empty(out_channels, fan).uniform_(-1, 1) / fan ** 0.5
        self.bias = empty(out_channels, 1).uniform_(-1, 1) / fan ** 0.5
        self.dmatrix = self.matrix.new_zeros(self.matrix.shape)
        self.dbias = self.bias.new_zeros(self.bias.shape)

    @property
    def weight(self):
        return self.matrix.view(self.shape)

    def forward(self, x):
        self.x = x
        h, w = [(d + 2 * self.conf['padding'] - self.conf['kernel_size']) // self.conf['stride'] + 1
                for d in x.shape[2:]]
        y = x.new_empty(x.shape[0], self.shape[0], h, w)
        for k in range(x.shape[0]):
            cols = unfold(x[k:k + 1], **self.conf)[0]
            y[k] = (self.matrix @ cols + self.bias).view(-1, h, w)
        return y

    def backward(self, dy):
        dx = self.x.new_empty(self.x.shape)
        for k in range(dy.shape[0]):
            cols = unfold(self.x[k:k + 1], **self.conf)[0]
            d = dy[k].flatten(1)
            self.dmatrix += d @ cols.t()
            self.dbias += d.sum(1, keepdim=True)
            dx[k] = fold((self.matrix.t() @ d)[None], self.x.shape[2:], **self.conf)[0]
        return dx

    def param(self):
        return [(self.matrix, self.dmatrix), (self.bias, self.dbias)]


class TransposeConv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__()
        self.shape = (in_channels, out_channels, kernel_size, kernel_size)
        self.conf = {'kernel_size': kernel_size, 'stride': stride, 'padding': padding}
        fan = out_channels * kernel_size ** 2
        self.matrix = empty(in_channels, fan).uniform_(-1, 1) / fan ** 0.5
        self.bias = empty(out_channels, 1).uniform_(-1, 1) / fan ** 0.5
        self.dmatrix = self.matrix.new_zeros(self.matrix.shape)
        self.dbias = self.bias.new_zeros(self.bias.shape)

    @property
    def weight(self):
        return self.matrix.view(self.shape)

    def forward(self, x):
        self.x = x
        size = [(d - 1) * self.conf['stride'] - 2 * self.conf['padding'] + self.conf['kernel_size']
                for d in x.shape[2:]]
        y = x.new_empty(x.shape[0], self.shape[1], *size)
        for k in range(x.shape[0]):
            cols = self.matrix.t() @ x[k].flatten(1)
            y[k] = fold(cols[None], size, **self.conf)[0] + self.bias[:, :, None]
        return y

    def backward(self, dy):
        dx = self.x.new_empty(self.x.shape)
        for k in range(dy.shape[0]):
            cols = unfold(dy[k:k + 1], **self.conf)[0]
            self.dmatrix += self.x[k].flatten(1) @ cols.t()
            self.dbias += dy[k].flatten(1).sum(1, keepdim=True)
            dx[k] = (self.matrix @ cols).view(dx[k].shape)
        return dx

    def param(self):
        return [(self.matrix, self.dmatrix), (self.bias, self.dbias)]


class ReLU(Module):
    def forward(self, x):
        self.x = x
        return (x + x.abs()) / 2

    def backward(self, dy):
        return dy * (self.x > 0).to(dy.dtype)


class Sigmoid(Module):
    def forward(self, x):
        self.x = x
        return 1 / (1 + (-x).exp())

    def backward(self, dy):
        s = 1 / (1 + (-self.x).exp())
        return dy * s * (1 - s)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for a, b in zip(modules[:-1], modules[1:]):
            a >> b
        self.head, self.tail = modules[0], modules[-1]

    def forward(self, x):
        return self.head.run(x)

    def backward(self, dy):
        return self.tail.propagate(dy)

    def __iter__(self):
        m = self.head
        while m is not None:
            yield m
            m = m.next

    def param(self):
        return [pg for m in self for pg in m.param()]


class MSE(Module):
    """ size is how many numbers the mean is over (when the batch comes in parts) """
    def forward(self, x, target, size=None):
        self.delta = x - target
        self.size = size or self.delta.numel()
        return (self.delta ** 2).sum() / self.size

    def backward(self):
        return 2 * self.delta / self.size


class SGD:
    def __init__(self, params, lr):
        self.params = params
        self.lr = lr

    def step_and_clear(self):
        for p, g in self.params:
            p -= self.lr * g
            g.zero_()
