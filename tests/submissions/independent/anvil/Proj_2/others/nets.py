import math
from torch import empty
from torch.nn.functional import fold, unfold


class Module:
    """
    forward(x)
    backward(grad, opt) : gradient of the loss w.r.t. the output, returns the one w.r.t. the input.
                          With an optimizer the layer does its step at the same time,
                          without it the gradients are only accumulated (for tests).
    """

    def forward(self, x):
        raise NotImplementedError

    def backward(self, grad, opt=None):
        raise NotImplementedError

    def param(self):
        return []


class SGD:
    def __init__(self, lr):
        self.lr = lr

    def step(self, layer):
        for p, g in layer.param():
            p.sub_(g, alpha=self.lr)
            g.zero_()


class Conv2d(Module):
    def __init__(self, in_ch, out_ch, kernel_size, stride=1, padding=0, gain=math.sqrt(2)):
        self.i = in_ch
        self.o = out_ch
        self.k = kernel_size
        self.s = stride
        self.p = padding
        self.weight = empty(out_ch, in_ch, kernel_size, kernel_size)
        self.weight.normal_(0, gain / math.sqrt(in_ch * kernel_size * kernel_size))
        self.bias = empty(out_ch).zero_()
        self.gw = self.weight.clone().zero_()
        self.gb = self.bias.clone().zero_()

    def kernel(self):
        """ the weights as a matrix  out x (in k k) """
        return self.weight.view(self.o, self.i * self.k * self.k)

    def forward(self, x):
        self.size_in = (x.size(2), x.size(3))
        h = (x.size(2) + 2 * self.p - self.k) // self.s + 1
        w = (x.size(3) + 2 * self.p - self.k) // self.s + 1
        self.u = unfold(x, self.k, padding=self.p, stride=self.s)
        return (self.kernel() @ self.u).view(x.size(0), self.o, h, w) + self.bias.view(1, self.o, 1, 1)

    def backward(self, grad, opt=None):
        g = grad.reshape(grad.size(0), self.o, -1)

        # parameters
        self.gw += g.bmm(self.u.transpose(1, 2)).sum(0).view(self.o, self.i, self.k, self.k)
        self.gb += g.sum(2).sum(0)

        # what goes to the previous layer
        du = self.kernel().t() @ g
        dx = fold(du, self.size_in, self.k, padding=self.p, stride=self.s)

        if opt is not None:
            opt.step(self)
        return dx

    def param(self):
        return [(self.weight, self.gw), (self.bias, self.gb)]

    def to(self, device):
        self.weight, self.bias = self.weight.to(device), self.bias.to(device)
        self.gw, self.gb = self.gw.to(device), self.gb.to(device)


class NearestUpsampling(Module):
    def __init__(self, scale):
        self.scale = scale

    def forward(self, x):
        x = x.unsqueeze(3).unsqueeze(5)
        x = x.repeat(1, 1, 1, self.scale, 1, self.scale)
        return x.flatten(4, 5).flatten(2, 3)

    def backward(self, grad, opt=None):
        b, c, h, w = grad.size()
        grad = grad.reshape(b, c, h // self.scale, self.scale, w)
        grad = grad.sum(3)
        grad = grad.reshape(b, c, h // self.scale, w // self.scale, self.scale)
        return grad.sum(4)


class ReLU(Module):
    def forward(self, x):
        self.on = x > 0
        return x.masked_fill(~self.on, 0)

    def backward(self, grad, opt=None):
        return grad.masked_fill(~self.on, 0)


class Sigmoid(Module):
    def forward(self, x):
        self.out = x.sigmoid()
        return self.out

    def backward(self, grad, opt=None):
        return grad * self.out * (1 - self.out)


class Sequential(Module):
    def __init__(self, *args):
        self.chain = list(args)

    def append(self, m):
        self.chain.append(m)

    def forward(self, x):
        for m in self.chain:
            x = m.forward(x)
        return x

    def backward(self, grad, opt=None):
        for m in self.chain[::-1]:
            grad = m.backward(grad, opt)
        return grad

    def param(self):
        res = []
        for m in self.chain:
            res.extend(m.param())
        return res


class MSE(Module):
    def forward(self, x, target):
        self.delta = x - target
        return (self.delta ** 2).mean()

    def backward(self):
        N = self.delta.size(0)
        return 2. / N * self.delta
