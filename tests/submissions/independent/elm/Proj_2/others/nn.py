# Our small neural network library.
# grads are None before the first zero_grad() (as in pytorch)
from math import sqrt
from torch import empty


def zero_pad(x, top, bottom, left, right):
    n, c, h, w = x.shape
    out = x.new_zeros(n, c, h + top + bottom, w + left + right)
    out[:, :, top:top + h, left:left + w] = x
    return out


def slide(x, i, j, ho, wo, s):
    """The pixels that kernel position (i, j) sees when it slides over x."""
    return x[:, :, i:i + s * (ho - 1) + 1:s, j:j + s * (wo - 1) + 1:s]


def correlate(x, w, s):
    """valid cross-correlation of x (N,C,H,W) with w (O,C,k,k)"""
    n, c, h, wi = x.shape
    o, _, kh, kw = w.shape
    ho, wo = (h - kh) // s + 1, (wi - kw) // s + 1
    y = x.new_zeros(n, o, ho * wo)
    for i in range(kh):
        for j in range(kw):
            y += w[:, :, i, j].matmul(slide(x, i, j, ho, wo, s).reshape(n, c, -1))
    return y.view(n, o, ho, wo)


def correlate_dw(x, g, kh, kw, s):
    """derivative of correlate with respect to w, summed over the samples"""
    n, c = x.shape[:2]
    o, ho, wo = g.shape[1:]
    gf = g.transpose(0, 1).reshape(o, -1)
    dw = x.new_zeros(o, c, kh, kw)
    for i in range(kh):
        for j in range(kw):
            xs = slide(x, i, j, ho, wo, s).transpose(0, 1).reshape(c, -1)
            dw[:, :, i, j] = gf.matmul(xs.t())
    return dw


def correlate_dx(g, w, s, shape):
    """derivative of correlate with respect to x"""
    n, o, ho, wo = g.shape
    c, kh, kw = w.shape[1:]
    dx = g.new_zeros(shape)
    gf = g.reshape(n, o, -1)
    for i in range(kh):
        for j in range(kw):
            v = slide(dx, i, j, ho, wo, s)
            v += w[:, :, i, j].t().matmul(gf).view(n, c, ho, wo)
    return dx


class Layer:
    weight = None
    bias = None
    grad_weight = None
    grad_bias = None

    def param(self):
        if self.weight is None:
            return []
        return [[self.weight, self.grad_weight], [self.bias, self.grad_bias]]

    def zero_grad(self):
        if self.weight is not None:
            self.grad_weight = self.weight.new_zeros(self.weight.shape)
            self.grad_bias = self.bias.new_zeros(self.bias.shape)

    def add_grad(self, dw, db):
        if self.grad_weight is None:
            self.zero_grad()
        self.grad_weight = self.grad_weight + dw
        self.grad_bias = self.grad_bias + db


class Conv2d(Layer):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.k, self.s, self.p = kernel_size, stride, padding
        a = 1 / sqrt(in_channels * kernel_size ** 2)
        self.weight = empty(out_channels, in_channels, kernel_size, kernel_size).uniform_(-a, a)
        self.bias = empty(out_channels).uniform_(-a, a)

    def forward(self, x):
        self.xp = zero_pad(x, self.p, self.p, self.p, self.p)
        return correlate(self.xp, self.weight, self.s) + self.bias[None, :, None, None]

    def backward(self, g):
        self.add_grad(correlate_dw(self.xp, g, self.k, self.k, self.s), g.sum((0, 2, 3)))
        dxp = correlate_dx(g, self.weight, self.s, self.xp.shape)
        h, w = self.xp.shape[2:]
        return dxp[:, :, self.p:h - self.p, self.p:w - self.p]


class TransposeConv2d(Layer):
    """ put stride-1 zeros between the pixels, then an ordinary convolution """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.k, self.s, self.p = kernel_size, stride, padding
        a = 1 / sqrt(in_channels * kernel_size ** 2 / stride ** 2)
        self.weight = empty(in_channels, out_channels, kernel_size, kernel_size).uniform_(-a, a)
        self.bias = empty(out_channels).uniform_(-a, a)

    def kernel(self):
        return self.weight.transpose(0, 1).flip(2, 3)

    def forward(self, x):
        n, c, h, w = x.shape
        q = self.k - 1 - self.p
        self.size = (h, w)
        self.z = x.new_zeros(n, c, (h - 1) * self.s + 1 + 2 * q, (w - 1) * self.s + 1 + 2 * q)
        slide(self.z, q, q, h, w, self.s).copy_(x)
        return correlate(self.z, self.kernel(), 1) + self.bias[None, :, None, None]

    def backward(self, g):
        dk = correlate_dw(self.z, g, self.k, self.k, 1)
        self.add_grad(dk.flip(2, 3).transpose(0, 1), g.sum((0, 2, 3)))
        dz = correlate_dx(g, self.kernel(), 1, self.z.shape)
        q = self.k - 1 - self.p
        return slide(dz, q, q, self.size[0], self.size[1], self.s)


class ReLU(Layer):
    def forward(self, x):
        self.y = x.relu()
        return self.y

    def backward(self, g):
        return g * self.y.sign()


class Sigmoid(Layer):
    def forward(self, x):
        e = (-x.abs()).exp()
        pos = (x >= 0).float()
        self.y = (pos + (1 - pos) * e) / (1 + e)
        return self.y

    def backward(self, g):
        return g * self.y * (1 - self.y)


class Sequential(Layer):
    def __init__(self, *layers):
        self.layers = list(layers)

    def add(self, layer):
        self.layers.append(layer)
        return self

    def forward(self, x):
        for l in self.layers:
            x = l.forward(x)
        return x

    def backward(self, g):
        for l in reversed(self.layers):
            g = l.backward(g)
        return g

    def param(self):
        p = []
        for l in self.layers:
            p.extend(l.param())
        return p

    def zero_grad(self):
        for l in self.layers:
            l.zero_grad()


class MSE:
    def forward(self, y, t):
        self.y = y
        self.t = t
        d = y - t
        return float((d * d).sum() / d.numel())

    def backward(self):
        return (self.y - self.t) * 2 / self.y.numel()


class SGD:
    """the optimizer gets the network and asks for its parameters at each step"""

    def __init__(self, network, lr):
        self.network = network
        self.lr = lr

    def step(self):
        for p, g in self.network.param():
            if g is None:
                continue
            p.sub_(g * self.lr)

    def zero_grad(self):
        self.network.zero_grad()
