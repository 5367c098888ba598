# EE-559 Mini-project 2
# Noise2Noise without torch.nn
import torch
from torch import empty, cat, arange
from torch.nn.functional import fold, unfold
import math
import random
from pathlib import Path

torch.set_grad_enabled(False)


class Module(object):
    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []

    def to(self, device):
        return self

    def __call__(self, *input):
        return self.forward(*input)


def _pair(v):
    if isinstance(v, int):
        return (v, v)
    return tuple(v)


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _pair(kernel_size)
        self.stride = _pair(stride)
        self.padding = _pair(padding)
        self.dilation = _pair(dilation)
        self.use_bias = bias

        bound = 1 / math.sqrt(in_channels * self.kernel_size[0] * self.kernel_size[1])
        self.weight = empty(out_channels, in_channels, *self.kernel_size).uniform_(-bound, bound)
        self.dw = empty(self.weight.shape).zero_()
        if bias:
            self.bias = empty(out_channels).uniform_(-bound, bound)
            self.db = empty(out_channels).zero_()
        else:
            self.bias = None

    def to(self, device):
        self.weight, self.dw = self.weight.to(device), self.dw.to(device)
        if self.use_bias:
            self.bias, self.db = self.bias.to(device), self.db.to(device)
        return self

    def out_size(self, n, i):
        return (n + 2 * self.padding[i] - self.dilation[i] * (self.kernel_size[i] - 1) - 1) // self.stride[i] + 1

    def forward(self, x):
        self.in_shape = x.shape
        self.cols = unfold(x, self.kernel_size, dilation=self.dilation, padding=self.padding, stride=self.stride)
        y = self.weight.view(self.out_channels, -1) @ self.cols
        if self.use_bias:
            y = y + self.bias.view(1, -1, 1)
        return y.view(x.shape[0], self.out_channels, self.out_size(x.shape[2], 0), self.out_size(x.shape[3], 1))

    def backward(self, grad):
        g = grad.reshape(grad.shape[0], self.out_channels, -1)
        self.dw += (g @ self.cols.transpose(1, 2)).sum(0).view(self.weight.shape)
        if self.use_bias:
            self.db += g.sum((0, 2))
        dcols = self.weight.view(self.out_channels, -1).t() @ g
        return fold(dcols, self.in_shape[2:], self.kernel_size, dilation=self.dilation,
                    padding=self.padding, stride=self.stride)

    def param(self):
        if self.use_bias:
            return [(self.weight, self.dw), (self.bias, self.db)]
        return [(self.weight, self.dw)]


class TransposeConv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, bias=True):
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _pair(kernel_size)
        self.stride = _pair(stride)
        self.padding = _pair(padding)
        self.output_padding = _pair(output_padding)
        self.use_bias = bias

        bound = 1 / math.sqrt(out_channels * self.kernel_size[0] * self.kernel_size[1])
        self.weight = empty(in_channels, out_channels, *self.kernel_size).uniform_(-bound, bound)
        self.dw = empty(self.weight.shape).zero_()
        if bias:
            self.bias = empty(out_channels).uniform_(-bound, bound)
            self.db = empty(out_channels).zero_()
        else:
            self.bias = None

    def to(self, device):
        self.weight, self.dw = self.weight.to(device), self.dw.to(device)
        if self.use_bias:
            self.bias, self.db = self.bias.to(device), self.db.to(device)
        return self

    def out_size(self, n, i):
        return (n - 1) * self.stride[i] - 2 * self.padding[i] + self.kernel_size[i] + self.output_padding[i]

    def forward(self, x):
        self.x = x
        xf = x.reshape(x.shape[0], self.in_channels, -1)
        cols = self.weight.view(self.in_channels, -1).t() @ xf
        y = fold(cols, (self.out_size(x.shape[2], 0), self.out_size(x.shape[3], 1)), self.kernel_size,
                 padding=self.padding, stride=self.stride)
        if self.use_bias:
            y = y + self.bias.view(1, -1, 1, 1)
        return y

    def backward(self, grad):
        n, c, h, w = self.x.shape
        gcols = unfold(grad, self.kernel_size, padding=self.padding, stride=self.stride)
        if gcols.shape[2] != h * w:
            # output padding can give one more position, not used
            gh = (grad.shape[2] + 2 * self.padding[0] - self.kernel_size[0]) // self.stride[0] + 1
            gcols = gcols.view(n, gcols.shape[1], gh, -1)[:, :, :h, :w].reshape(n, gcols.shape[1], -1)
        xf = self.x.reshape(n, c, -1)
        self.dw += (xf @ gcols.transpose(1, 2)).sum(0).view(self.weight.shape)
        if self.use_bias:
            self.db += grad.sum((0, 2, 3))
        return (self.weight.view(c, -1) @ gcols).view(n, c, h, w)

    def param(self):
        if self.use_bias:
            return [(self.weight, self.dw), (self.bias, self.db)]
        return [(self.weight, self.dw)]


Upsampling = TransposeConv2d


class ReLU(Module):
    def forward(self, x):
        self.mask = (x > 0).to(x.dtype)
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


class Sigmoid(Module):
    def sigma(self, x):
        return 1 / (1 + (-x).exp())

    def forward(self, x):
        self.s = self.sigma(x)
        return self.s

    def backward(self, grad):
        s = self.sigma(self.s)
        return grad * s * (1 - s)


class MSE(Module):
    def forward(self, pred, target):
        self.diff = pred - target
        return (self.diff ** 2).mean()

    def backward(self):
        return 2 * self.diff / self.diff.numel()


class Sequential(Module):
    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for l in self.layers:
            x = l(x)
        return x

    def backward(self, grad):
        for l in reversed(self.layers):
            grad = l.backward(grad)
        return grad

    def param(self):
        p = []
        for l in self.layers:
            p += l.param()
        return p

    def to(self, device):
        for l in self.layers:
            l.to(device)
        return self


class SGD(object):
    def __init__(self, params, lr, momentum=0):
        self.params = params
        self.lr = lr
        self.momentum = momentum
        self.v = [empty(p.shape, device=p.device).zero_() for p, _ in params]

    def zero_grad(self):
        for _, g in self.params:
            g.zero_()

    def step(self):
        for v, (p, g) in zip(self.v, self.params):
            v.mul_(self.momentum).add_(g)
            p.sub_(self.lr * v)


class Model():
    def __init__(self):
        self.device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        self.net = Sequential(
            Conv2d(3, 16, 3, stride=2, padding=1),
            ReLU(),
            Conv2d(16, 32, 3, stride=2, padding=1),
            ReLU(),
            TransposeConv2d(32, 16, 4, stride=2, padding=1),
            ReLU(),
            TransposeConv2d(16, 3, 4, stride=2, padding=1),
            Sigmoid()).to(self.device)
        self.loss = MSE()
        self.batch_size = 16
        self.opt = SGD(self.net.param(), lr=1.0, momentum=0.9)

    def load_pretrained_model(self):
        path = Path(__file__).parent / 'bestmodel.pth'
        weights = torch.load(path, map_location=self.device)
        for (p, _), w in zip(self.net.param(), weights):
            p.copy_(w)

    def save(self):
        torch.save([p.cpu() for p, _ in self.net.param()], Path(__file__).parent / 'bestmodel.pth')

    def train(self, train_input, train_target, num_epochs):
        n = train_input.shape[0]
        for e in range(num_epochs):
            perm = list(range(n))
            random.shuffle(perm)
            tot = 0.
            for b in range(0, n, self.batch_size):
                idx = perm[b:b + self.batch_size]
                x = train_input[idx].to(self.device).float() / 255
                t = train_target[idx].to(self.device).float() / 255
                # data augmentation
                if random.random() < 0.5:
                    x, t = x.flip(3), t.flip(3)
                out = self.net(x)
                tot += self.loss(out, t).item() * len(idx)
                self.opt.zero_grad()
                self.net.backward(self.loss.backward())
                self.opt.step()
            print('epoch {:3d}  loss {:.5f}'.format(e + 1, tot / n))

    def predict(self, test_input):
        # in : tensor of size N C H W with values 0-255, out: same
        out = []
        for x in test_input.split(100):
            x = x.to(self.device).float() / 255
            h, w = x.shape[2:]
            # the net needs multiples of 4
            if h % 4:
                x = cat([x] + [x[:, :, -1:]] * (4 - h % 4), 2)
            if w % 4:
                x = cat([x] + [x[:, :, :, -1:]] * (4 - w % 4), 3)
            out.append(self.net(x)[:, :, :h, :w] * 255)
        return cat(out, 0)
