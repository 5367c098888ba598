import os
import pickle
import torch
from torch import empty

torch.set_grad_enabled(False)

"""
Everything is in this file. The convolutions are computed as a sum over the positions (i,j) of the
kernel: each one is a 1x1 convolution of a shifted and strided view of the padded input.
"""


def zeros(*size, like=None):
    if like is not None:
        return like.new_zeros(size)
    return empty(*size).zero_()


def pair(a):
    return a if isinstance(a, tuple) else (a, a)


def mix(M, X):
    """ M: (a, b)   X: (N, b, h, w)  ->  (N, a, h, w) """
    N, b, h, w = X.shape
    return (M @ X.reshape(N, b, h * w)).reshape(N, M.shape[0], h, w)


def outer(A, B):
    """ sum over samples and pixels of A B^T: (N,a,h,w),(N,b,h,w) -> (a,b) """
    A = A.transpose(0, 1).reshape(A.shape[1], -1)
    B = B.transpose(0, 1).reshape(B.shape[1], -1)
    return A @ B.t()


class Module:
    def forward(self, x):
        raise NotImplementedError

    def backward(self, dy):
        raise NotImplementedError

    def param(self):
        return []

    def cuda_if_possible(self, device):
        pass


class _ConvBase(Module):
    def cuda_if_possible(self, device):
        self.weight = self.weight.to(device)
        self.grad_weight = self.grad_weight.to(device)
        if self.bias is not None:
            self.bias = self.bias.to(device)
            self.grad_bias = self.grad_bias.to(device)

    def _init(self, shape, nb_bias, fan, bias):
        s = (6. / fan) ** 0.5     # He
        self.weight = empty(*shape).uniform_(-s, s)
        self.grad_weight = zeros(*shape)
        self.bias = zeros(nb_bias) if bias else None
        self.grad_bias = zeros(nb_bias) if bias else None

    def param(self):
        l = [[self.weight, self.grad_weight]]
        if self.bias is not None:
            l.append([self.bias, self.grad_bias])
        return l


class Conv2d(_ConvBase):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        assert groups == 1, 'groups not implemented'
        self.cin, self.cout = in_channels, out_channels
        self.k, self.s, self.p, self.d = pair(kernel_size), pair(stride), pair(padding), pair(dilation)
        self._init((out_channels, in_channels, self.k[0], self.k[1]), out_channels,
                   in_channels * self.k[0] * self.k[1], bias)

    def _view(self, xp, i, j, ho, wo):
        a, b = i * self.d[0], j * self.d[1]
        return xp[:, :, a:a + (ho - 1) * self.s[0] + 1:self.s[0], b:b + (wo - 1) * self.s[1] + 1:self.s[1]]

    def forward(self, x):
        N, C, H, W = x.shape
        ph, pw = self.p
        xp = x.new_zeros(N, C, H + 2 * ph, W + 2 * pw)
        xp[:, :, ph:ph + H, pw:pw + W] = x
        ho = (H + 2 * ph - self.d[0] * (self.k[0] - 1) - 1) // self.s[0] + 1
        wo = (W + 2 * pw - self.d[1] * (self.k[1] - 1) - 1) // self.s[1] + 1
        y = x.new_zeros(N, self.cout, ho, wo)
        for i in range(self.k[0]):
            for j in range(self.k[1]):
                y += mix(self.weight[:, :, i, j], self._view(xp, i, j, ho, wo))
        if self.bias is not None:
            y += self.bias[None, :, None, None]
        self.xp, self.hw = xp, (H, W)
        return y

    def backward(self, dy):
        ho, wo = dy.shape[2], dy.shape[3]
        dxp = self.xp.new_zeros(self.xp.shape)
        for i in range(self.k[0]):
            for j in range(self.k[1]):
                self.grad_weight[:, :, i, j] += outer(dy, self._view(self.xp, i, j, ho, wo))
                v = self._view(dxp, i, j, ho, wo)
                v += mix(self.weight[:, :, i, j].t(), dy)
        if self.bias is not None:
            self.grad_bias += dy.sum(3).sum(2).sum(0)
        H, W = self.hw
        return dxp[:, :, self.p[0]:self.p[0] + H, self.p[1]:self.p[1] + W]


class TransposeConv2d(_ConvBase):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0,
                 groups=1, bias=True, dilation=1):
        assert groups == 1, 'groups not implemented'
        self.cin, self.cout = in_channels, out_channels
        self.k, self.s, self.p, self.d = pair(kernel_size), pair(stride), pair(padding), pair(dilation)
        self.op = pair(output_padding)
        self._init((in_channels, out_channels, self.k[0], self.k[1]), out_channels,
                   in_channels * self.k[0] * self.k[1] / (self.s[0] * self.s[1]), bias)

    def _view(self, yp, i, j, h, w):
        a, b = i * self.d[0], j * self.d[1]
        return yp[:, :, a:a + (h - 1) * self.s[0] + 1:self.s[0], b:b + (w - 1) * self.s[1] + 1:self.s[1]]

    def forward(self, x):
        self.x = x
        N, C, h, w = x.shape
        full = [(n - 1) * self.s[q] + self.d[q] * (self.k[q] - 1) + 1 + self.op[q] for q, n in enumerate((h, w))]
        yp = x.new_zeros(N, self.cout, full[0], full[1])
        for i in range(self.k[0]):
            for j in range(self.k[1]):
                v = self._view(yp, i, j, h, w)
                v += mix(self.weight[:, :, i, j].t(), x)
        self.full = full
        y = yp[:, :, self.p[0]:full[0] - self.p[0], self.p[1]:full[1] - self.p[1]]
        if self.bias is not None:
            y = y + self.bias[None, :, None, None]
        return y

    def backward(self, dy):
        N, C, h, w = self.x.shape
        dyp = dy.new_zeros(N, self.cout, self.full[0], self.full[1])
        dyp[:, :, self.p[0]:self.full[0] - self.p[0], self.p[1]:self.full[1] - self.p[1]] = dy
        dx = self.x.new_zeros(self.x.shape)
        for i in range(self.k[0]):
            for j in range(self.k[1]):
                v = self._view(dyp, i, j, h, w)
                self.grad_weight[:, :, i, j] += outer(self.x, v)
                dx += mix(self.weight[:, :, i, j], v)
        if self.bias is not None:
            self.grad_bias += dy.sum(3).sum(2).sum(0)
        return dx


class ReLU(Module):
    def forward(self, x):
        self.x = x
        return x.clamp(min=0)

    def backward(self, dy):
        dx = dy.clone()
        dx[self.x <= 0] = 0
        return dx


class Sigmoid(Module):
    def forward(self, x):
        self.y = x.sigmoid()
        return self.y

    def backward(self, dy):
        return dy * (self.y - self.y * self.y)


class Sequential(Module):
    def __init__(self, *modules):
        self.modules = modules

    def forward(self, x):
        for m in self.modules:
            x = m.forward(x)
        return x

    def backward(self, dy):
        for m in self.modules[::-1]:
            dy = m.backward(dy)
        return dy

    def param(self):
        return [p for m in self.modules for p in m.param()]

    def cuda_if_possible(self, device):
        for m in self.modules:
            m.cuda_if_possible(device)


class MSE(Module):
    def forward(self, y, t):
        self.e = y - t
        return self.e.pow(2).mean()

    def backward(self):
        return self.e * (2. / self.e.numel())


class SGD:
    def __init__(self, params, lr=1e-3, momentum=0., weight_decay=0.):
        self.params = params
        self.lr, self.mu, self.wd = lr, momentum, weight_decay
        self.buf = [None for _ in params]

    def zero_grad(self):
        for p in self.params:
            p[1].fill_(0)

    def step(self):
        for n, (p, g) in enumerate(self.params):
            d = g + self.wd * p
            if self.mu > 0:
                if self.buf[n] is None:
                    self.buf[n] = d
                else:
                    self.buf[n] = self.mu * self.buf[n] + d
                d = self.buf[n]
            p -= self.lr * d


class Model:
    def __init__(self):
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.net = Sequential(Conv2d(3, 24, 5, stride=2, padding=2), ReLU(),
                              Conv2d(24, 24, 3, stride=2, padding=1), ReLU(),
                              TransposeConv2d(24, 24, 3, stride=2, padding=1, output_padding=1), ReLU(),
                              TransposeConv2d(24, 3, 5, stride=2, padding=2, output_padding=1), Sigmoid())
        self.net.cuda_if_possible(self.device)
        self.criterion = MSE()
        self.sgd = SGD(self.net.param(), lr=0.5, momentum=0.9, weight_decay=1e-6)
        self.B = 10

    def _file(self):
        return os.path.join(os.path.dirname(os.path.abspath(__file__)), 'bestmodel.pth')

    def load_pretrained_model(self):
        with open(self._file(), 'rb') as f:
            w = pickle.load(f)
        for (p, g), q in zip(self.net.param(), w):
            p.copy_(q)

    def save_model(self):
        with open(self._file(), 'wb') as f:
            pickle.dump([p.cpu() for p, g in self.net.param()], f)

    def train(self, train_input, train_target, num_epochs):
        n = train_input.shape[0]
        for epoch in range(num_epochs):
            order = empty(n).uniform_().argsort()
            loss, nb = 0, 0
            for k in range(0, n, self.B):
                sel = order[k:k + self.B].to(train_input.device)
                x = train_input[sel].float().to(self.device) / 255.
                t = train_target[sel].float().to(self.device) / 255.
                self.sgd.zero_grad()
                y = self.net.forward(x)
                loss += self.criterion.forward(y, t).item()
                nb += 1
                self.net.backward(self.criterion.backward())
                self.sgd.step()
            print("Epoch", epoch, "loss", loss / nb)

    def predict(self, test_input):
        H, W = test_input.shape[-2:]
        res = test_input.new_empty(test_input.shape, dtype=self.net.param()[0][0].dtype)
        for k in range(0, test_input.shape[0], 50):
            x = test_input[k:k + 50].to(self.device) / 255.
            res[k:k + 50] = self.net.forward(x)[:, :, :H, :W] * 255
        return res
