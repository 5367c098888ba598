import math
from torch import empty
from torch.nn.functional import fold, unfold


class Layer:
    def __init__(self):
        self.params = []  # what the optimizer has to update

    def __call__(self, x): return self.forward(x)
    def forward(self, x): raise NotImplementedError
    def backward(self, grad): raise NotImplementedError
    def param(self): return self.params
    def zero_grad(self):
        for p, g in self.params:
            g.zero_()


def as_pair(v):
    return (v, v) if type(v) == int else tuple(v)


def rows(x):
    # B x C x L  ->  (B*L) x C
    return x.transpose(1, 2).reshape(-1, x.size(1))


def unrows(m, B):
    # (B*L) x C  ->  B x C x L
    return m.view(B, -1, m.size(1)).transpose(1, 2)


class Conv2d(Layer):
    # NB: padding before stride!
    def __init__(self, in_channels, out_channels, kernel_size, padding=0, stride=1, bias=True):
        super().__init__()
        self.k, self.p, self.s = as_pair(kernel_size), as_pair(padding), as_pair(stride)
        bound = math.sqrt(6 / (in_channels * self.k[0] * self.k[1]))
        self.weight = empty(out_channels, in_channels, self.k[0], self.k[1]).uniform_(-bound, bound)
        self.grad_weight = self.weight.new_zeros(self.weight.shape)
        self.params.append((self.weight, self.grad_weight))
        self.bias = None
        if bias:
            self.bias = empty(out_channels).fill_(0)
            self.grad_bias = self.bias.new_zeros(self.bias.shape)
            self.params.append((self.bias, self.grad_bias))

    def forward(self, x):
        B, _, H, W = x.shape
        self.size = (H, W)
        # one big matrix for the whole batch, one product
        self.X = rows(unfold(x, self.k, padding=self.p, stride=self.s))
        Y = self.X.mm(self.weight.view(len(self.weight), -1).t())
        if self.bias is not None:
            Y = Y + self.bias
        Ho = (H - self.k[0] + 2 * self.p[0]) // self.s[0] + 1
        # print(Y.shape, Ho)
        return unrows(Y, B).reshape(B, -1, Ho, Y.size(0) // B // Ho)

    def backward(self, grad):
        B, C = grad.shape[:2]
        G = rows(grad.reshape(B, C, -1))
        self.grad_weight.add_(G.t().mm(self.X).view_as(self.weight))
        if self.bias is not None:
            self.grad_bias.add_(G.sum(0))
        dX = G.mm(self.weight.view(C, -1))
        return fold(unrows(dX, B), self.size, self.k, padding=self.p, stride=self.s)


class Upsampling(Layer):
    # transposed convolution, same order of arguments as Conv2d
    def __init__(self, in_channels, out_channels, kernel_size, padding=0, stride=1, bias=True):
        super().__init__()
        self.k, self.p, self.s = as_pair(kernel_size), as_pair(padding), as_pair(stride)
        bound = math.sqrt(6 * self.s[0] * self.s[1] / (in_channels * self.k[0] * self.k[1]))
        self.weight = empty(in_channels, out_channels, self.k[0], self.k[1]).uniform_(-bound, bound)
        self.grad_weight = self.weight.new_zeros(self.weight.shape)
        self.params.append((self.weight, self.grad_weight))
        self.bias = None
        if bias:
            self.bias = empty(out_channels).fill_(0)
            self.grad_bias = self.bias.new_zeros(self.bias.shape)
            self.params.append((self.bias, self.grad_bias))

    def forward(self, x):
        B, C, H, W = x.shape
        self.size = (H, W)
        self.X = rows(x.reshape(B, C, -1))
        Y = unrows(self.X.mm(self.weight.view(C, -1)), B)
        Ho = (H - 1) * self.s[0] + self.k[0] - 2 * self.p[0]
        Wo = (W - 1) * self.s[1] + self.k[1] - 2 * self.p[1]
        y = fold(Y, (Ho, Wo), self.k, padding=self.p, stride=self.s)
        return y if self.bias is None else y + self.bias.view(-1, 1, 1)

    def backward(self, grad):
        B = grad.size(0)
        G = rows(unfold(grad, self.k, padding=self.p, stride=self.s))
        self.grad_weight.add_(self.X.t().mm(G).view_as(self.weight))
        if self.bias is not None:
            self.grad_bias.add_(grad.sum([0, 2, 3]))
        dX = G.mm(self.weight.view(len(self.weight), -1).t())
        return unrows(dX, B).reshape(B, -1, *self.size)


class ReLU(Layer):
    def forward(self, x):
        self.dead = x <= 0
        return x.masked_fill(self.dead, 0)

    def backward(self, grad):
        return grad.masked_fill(self.dead, 0)


class Sigmoid(Layer):
    def forward(self, x):
        self.out = x.sigmoid()
        return self.out

    def backward(self, grad):
        return self.out * (1 - self.out) * grad


class Sequential(Layer):
    def __init__(self, *layers):
        super().__init__()
        self.layers = layers
        for l in layers:
            self.params.extend(l.param())

    def forward(self, x):
        for l in self.layers: x = l(x)
        return x

    def backward(self, grad):
        for l in reversed(self.layers): grad = l.backward(grad)
        return grad


class MSE:
    def forward(self, x, target):
        self.d = x - target
        return self.d.pow(2).mean()

    def backward(self):
        return 2 / self.d.numel() * self.d


class SGD:
    def __init__(self, params, lr=0.01, momentum=0):
        self.params, self.lr, self.momentum = params, lr, momentum
        self.v = [g.new_zeros(g.shape) for p, g in params]

    def step(self):
        for (p, g), v in zip(self.params, self.v):
            v.mul_(self.momentum).add_(g)
            p.sub_(v * self.lr)
