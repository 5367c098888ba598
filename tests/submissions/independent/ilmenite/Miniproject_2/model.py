#####################################################
#  Deep learning - EE559 - Miniproject 2            #
#####################################################
import torch
from torch import empty, cat
from torch.nn.functional import fold, unfold
import os
import math

torch.set_grad_enabled(False)
dispositivo = torch.device('cuda' if torch.cuda.is_available() else 'cpu')


# ---------------------------------------------------------------- base class
class Module(object):
    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []


# --------------------------------------------------------------- convolution
class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1):
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        self.stride = (stride, stride) if isinstance(stride, int) else stride
        self.padding = (padding, padding) if isinstance(padding, int) else padding
        self.dilation = (dilation, dilation) if isinstance(dilation, int) else dilation

        k = 1. / (in_channels * self.kernel_size[0] * self.kernel_size[1])
        self.weight = empty(out_channels, in_channels, self.kernel_size[0], self.kernel_size[1],
                            device=dispositivo).uniform_(-math.sqrt(k), math.sqrt(k))
        self.bias = empty(out_channels, device=dispositivo).uniform_(-math.sqrt(k), math.sqrt(k))
        self.dweight = empty(self.weight.size(), device=dispositivo).zero_()
        self.dbias = empty(self.bias.size(), device=dispositivo).zero_()

    def forward(self, x):
        B, C, H, W = x.size()
        H_out = math.floor((H + 2 * self.padding[0] - self.dilation[0] * (self.kernel_size[0] - 1) - 1) / self.stride[0] + 1)
        W_out = math.floor((W + 2 * self.padding[1] - self.dilation[1] * (self.kernel_size[1] - 1) - 1) / self.stride[1] + 1)
        self.x_unf = unfold(x, kernel_size=self.kernel_size, dilation=self.dilation, padding=self.padding, stride=self.stride)
        self.x_size = x.size()
        y = self.weight.view(self.out_channels, -1) @ self.x_unf + self.bias.view(1, -1, 1)
        return y.view(B, self.out_channels, H_out, W_out)

    def backward(self, dl_dy):
        B = dl_dy.size(0)
        g = dl_dy.reshape(B, self.out_channels, -1)
        dw = self.x_unf.matmul(g.transpose(1, 2)).sum(0)     # (C k k) x out
        self.dweight += dw.t().reshape(self.weight.size())
        self.dbias += g.sum(2).sum(0)
        dx = self.weight.view(self.out_channels, -1).t().matmul(g)
        return fold(dx, output_size=self.x_size[2:], kernel_size=self.kernel_size, dilation=self.dilation,
                    padding=self.padding, stride=self.stride)

    def param(self):
        return [(self.weight, self.dweight), (self.bias, self.dbias)]


# --------------------------------------------------- transposed convolution
class TransposeConv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1):
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        self.stride = (stride, stride) if isinstance(stride, int) else stride
        self.padding = (padding, padding) if isinstance(padding, int) else padding
        self.dilation = (dilation, dilation) if isinstance(dilation, int) else dilation

        k = 1. / (out_channels * self.kernel_size[0] * self.kernel_size[1])
        self.weight = empty(in_channels, out_channels, self.kernel_size[0], self.kernel_size[1],
                            device=dispositivo).uniform_(-math.sqrt(k), math.sqrt(k))
        self.bias = empty(out_channels, device=dispositivo).uniform_(-math.sqrt(k), math.sqrt(k))
        self.dweight = empty(self.weight.size(), device=dispositivo).zero_()
        self.dbias = empty(self.bias.size(), device=dispositivo).zero_()

    def forward(self, x):
        B, C, H, W = x.size()
        H_out = (H - 1) * self.stride[0] - 2 * self.padding[0] + self.dilation[0] * (self.kernel_size[0] - 1) + 1
        W_out = (W - 1) * self.stride[1] - 2 * self.padding[1] + self.dilation[1] * (self.kernel_size[1] - 1) + 1
        self.x_size = x.size()
        self.x_flat = x.reshape(B, C, -1)
        y = self.weight.view(C, -1).t().matmul(self.x_flat)
        y = fold(y, output_size=(H_out, W_out), kernel_size=self.kernel_size, dilation=self.dilation,
                 padding=self.padding, stride=self.stride)
        return y + self.bias.view(1, -1, 1, 1)

    def backward(self, dl_dy):
        g_unf = unfold(dl_dy, kernel_size=self.kernel_size, dilation=self.dilation, padding=self.padding,
                       stride=self.stride)
        dw = g_unf.matmul(self.x_flat.transpose(1, 2)).sum(0)
        self.dweight += dw.reshape(self.weight.size())
        self.dbias += dl_dy.sum((0, 2, 3))
        return self.weight.view(self.in_channels, -1).matmul(g_unf).view(self.x_size)

    def param(self):
        return [(self.weight, self.dweight), (self.bias, self.dbias)]


# --------------------------------------------------------------- activations
class ReLU(Module):
    def forward(self, x):
        self.x = x
        return x.relu()

    def backward(self, dl_dy):
        return dl_dy.mul((self.x > 0).float())


class Sigmoid(Module):
    def forward(self, x):
        self.sig = x.sigmoid()
        return self.sig

    def backward(self, dl_dy):
        return dl_dy.mul(self.sig.mul(1 - self.sig))


class Tanh(Module):
    def forward(self, x):
        self.t = x.tanh()
        return self.t

    def backward(self, dl_dy):
        return dl_dy.mul(1 - self.t ** 2)


# ---------------------------------------------------------------- containers
class Sequential(Module):
    def __init__(self, *moduli):
        self.moduli = []
        for m in moduli:
            self.moduli.append(m)

    def forward(self, x):
        y = x
        for m in self.moduli:
            y = m.forward(y)
        return y

    def backward(self, dl_dy):
        for i in range(len(self.moduli) - 1, -1, -1):
            dl_dy = self.moduli[i].backward(dl_dy)
        return dl_dy

    def param(self):
        lista = []
        for m in self.moduli:
            if len(m.param()) > 0:
                lista.extend(m.param())
        return lista


class MSE(Module):
    def forward(self, y, target):
        self.y = y
        self.target = target
        return (y - target).pow(2).mean()

    def backward(self):
        return 2 * (self.y - self.target) / self.y.numel()


class SGD(object):
    def __init__(self, modello, lr=1e-2):
        self.modello = modello
        self.lr = lr

    def zero_grad(self):
        for coppia in self.modello.param():
            coppia[1].zero_()

    def step(self):
        for coppia in self.modello.param():
            coppia[0].sub_(coppia[1] * self.lr)


# --------------------------------------------------------------------- model
class Model():
    def __init__(self):
        self.modello = Sequential(Conv2d(3, 32, 3, stride=2, padding=1), ReLU(),
                                  Conv2d(32, 32, 3, stride=2, padding=1), ReLU(),
                                  TransposeConv2d(32, 32, 2, stride=2), ReLU(),
                                  TransposeConv2d(32, 3, 2, stride=2), Sigmoid())
        self.criterion = MSE()
        self.lr = 5.
        self.optimizer = SGD(self.modello, self.lr)
        self.mini_batch_size = 4

    def load_pretrained_model(self):
        nome = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'bestmodel.pth')
        pesi = torch.load(nome, map_location=dispositivo)
        for i, coppia in enumerate(self.modello.param()):
            coppia[0].copy_(pesi['p%d' % i])

    def salva(self):
        nome = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'bestmodel.pth')
        torch.save({'p%d' % i: c[0] for i, c in enumerate(self.modello.param())}, nome)

    def train(self, train_input, train_target, num_epochs):
        train_input = train_input.float().to(dispositivo) / 255
        train_target = train_target.float().to(dispositivo) / 255
        N = train_input.size(0)
        for e in range(num_epochs):
            loss_epoca = 0
            for b in range(0, N, self.mini_batch_size):
                m = min(self.mini_batch_size, N - b)
                x = train_input.narrow(0, b, m)
                t = train_target.narrow(0, b, m)
                y = self.modello.forward(x)
                loss_epoca += self.criterion.forward(y, t).item() * m
                self.optimizer.zero_grad()
                self.modello.backward(self.criterion.backward())
                self.optimizer.step()
            print('epoca', e, loss_epoca / N)

    def predict(self, test_input):
        x = test_input.float().to(dispositivo) / 255
        y = empty(x.size(), device=dispositivo)
        H, W = x.size(2), x.size(3)
        for b in range(0, x.size(0), 100):
            y[b:b + 100] = self.modello.forward(x[b:b + 100])[:, :, :H, :W]
        return y * 255
