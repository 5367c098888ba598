"""Small framework. Each layer keeps a stack of what it saw in forward; backward pops from it,
so that the same object can appear several times in a network."""
from torch import empty
from torch.nn.functional import fold, unfold
import math


class Parameter:
    def __init__(self, data):
        self.data = data
        self.grad = data.new_zeros(data.shape)

    def to(self, dev):
        self.data = self.data.to(dev)
        self.grad = self.grad.to(dev)


class Layer:
    def __init__(self):
        self.stack = []
        self.P = {}

    def __call__(self, x):
        return self.forward(x)

    def forget(self):
        self.stack.clear()

    def parameters(self):
        return list(self.P.values())

    def param(self):
        return [(p.data, p.grad) for p in self.parameters()]


class _Conv(Layer):
    # weight/bias visible as plain tensors from outside
    @property
    def weight(self):
        return self.P['W'].data

    @weight.setter
    def weight(self, v):
        self.P['W'].data = v

    @property
    def bias(self):
        return self.P['b'].data if 'b' in self.P else None

    @bias.setter
    def bias(self, v):
        self.P['b'].data = v

    def add_params(self, a, b, nbias, fan, bias):
        r = math.sqrt(4 / fan)
        self.P['W'] = Parameter(empty(a, b, *self.k).uniform_(-r, r))
        if bias:
            self.P['b'] = Parameter(empty(nbias).uniform_(-r, r))


class Conv2d(_Conv):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        super().__init__()
        two = lambda z: (z, z) if isinstance(z, int) else tuple(z)
        assert groups == 1
        self.k = two(kernel_size)
        self.geom = dict(kernel_size=self.k, stride=two(stride), padding=two(padding), dilation=two(dilation))
        self.add_params(out_channels, in_channels, out_channels, in_channels * self.k[0] * self.k[1], bias)

    def forward(self, x):
        W = self.weight.flatten(1)
        cols = unfold(x, **self.geom)
        self.stack.append((cols, x.shape))
        g = self.geom
        ho = (x.shape[2] + 2 * g['padding'][0] - g['dilation'][0] * (self.k[0] - 1) - 1) // g['stride'][0] + 1
        y = W.matmul(cols).unflatten(2, (ho, -1))
        if self.bias is not None:
            y += self.bias[:, None, None]
        return y

    def backward(self, dy):
        cols, xs = self.stack.pop()
        d = dy.flatten(2)
        dW = d.bmm(cols.mT).sum(0)
        self.P['W'].grad += dW.view(self.weight.shape)
        if self.bias is not None:
            self.P['b'].grad += d.sum(dim=[0, 2])
        return fold(self.weight.flatten(1).t().matmul(d), xs[2:], **self.geom)


class TransposeConv2d(_Conv):
    """adjoint of Conv2d(out, in): forward = its input gradient, backward = its forward"""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0,
                 groups=1, bias=True, dilation=1):
        super().__init__()
        two = lambda z: (z, z) if isinstance(z, int) else tuple(z)
        assert groups == 1
        self.k = two(kernel_size)
        self.op = two(output_padding)
        self.geom = dict(kernel_size=self.k, stride=two(stride), padding=two(padding), dilation=two(dilation))
        self.add_params(in_channels, out_channels, out_channels, in_channels * 4, bias)

    def forward(self, x):
        self.stack.append(x)
        g = self.geom
        size = [(x.shape[2 + i] - 1) * g['stride'][i] - 2 * g['padding'][i] + g['dilation'][i] * (self.k[i] - 1)
                + self.op[i] + 1 for i in range(2)]
        # with an output padding >= stride there would be more patches than pixels; not supported
        assert self.op[0] < g['stride'][0] and self.op[1] < g['stride'][1]
        y = fold(self.weight.flatten(1).t().matmul(x.flatten(2)), size, **g)
        if self.bias is not None:
            y = y + self.bias[:, None, None]
        return y

    def backward(self, dy):
        x = self.stack.pop()
        d = unfold(dy, **self.geom)
        self.P['W'].grad += x.flatten(2).bmm(d.mT).sum(0).view(self.weight.shape)
        if self.bias is not None:
            self.P['b'].grad += dy.sum(dim=[0, 2, 3])
        return self.weight.flatten(1).matmul(d).view(x.shape)


class ReLU(Layer):
    def forward(self, x):
        y = x.clamp(min=0)
        self.stack.append(y > 0)
        return y

    def backward(self, dy):
        return dy * self.stack.pop()


class Sigmoid(Layer):
    def forward(self, x):
        y = x.sigmoid()
        self.stack.append(y)
        return y

    def backward(self, dy):
        y = self.stack.pop()
        return y * (1 - y) * dy


class Sequential(Layer):
    def __init__(self, *layers):
        super().__init__()
        self.layers = layers

    def forward(self, x):
        for l in self.layers:
            x = l(x)
        return x

    def backward(self, dy):
        for l in self.layers[::-1]:
            dy = l.backward(dy)
        return dy

    def parameters(self):
        return [p for l in self.layers for p in l.parameters()]

    def forget(self):
        for l in self.layers:
            l.forget()


class MSE:
    def __call__(self, y, t):
        return self.forward(y, t)

    def forward(self, y, t):
        self.y, self.t = y, t
        return ((y - t) ** 2).mean()

    def backward(self):
        return (self.y - self.t) / (0.5 * self.y.numel())


class SGD:
    """theta <- theta - u ,  u <- momentum * u + lr * grad"""

    def __init__(self, parameters, lr, momentum=0.):
        self.ps = parameters
        self.lr, self.momentum = lr, momentum
        self.u = {}

    def zero_grad(self):
        for p in self.ps:
            p.grad = p.grad * 0

    def step(self):
        for p in self.ps:
            u = self.lr * p.grad
            if id(p) in self.u:
                u = u + self.momentum * self.u[id(p)]
            self.u[id(p)] = u
            p.data = p.data - u
