import torch
from torch import empty, cat
import os

from .functional import *
from .modules import Module, Conv2d, TransposeConv2d, ReLU, Sigmoid, MSE, Sequential, SGD

torch.set_grad_enabled(False)


class Model():
    """ conv - relu - conv - relu - tconv - relu - tconv - sigmoid """

    def __init__(self, hidden=24, lr=0.2, batch_size=8):
        self.device = torch.device('cuda') if torch.cuda.is_available() else torch.device('cpu')
        self.batch_size = batch_size
        # weights
        P = {}
        P['w1'] = empty(hidden, 3, 3, 3).normal_(0, (2 / 27) ** 0.5)
        P['b1'] = empty(hidden).zero_()
        P['w2'] = empty(32, hidden, 3, 3).normal_(0, (2 / (9 * hidden)) ** 0.5)
        P['b2'] = empty(32).zero_()
        P['w3'] = empty(32, hidden, 4, 4).normal_(0, (2 / (4 * 32)) ** 0.5)
        P['b3'] = empty(hidden).zero_()
        P['w4'] = empty(hidden, 3, 4, 4).normal_(0, (1 / (4 * hidden)) ** 0.5)
        P['b4'] = empty(3).zero_()
        self.P = {k: v.to(self.device) for k, v in P.items()}
        self.G = {k: v.new_zeros(v.size()) for k, v in self.P.items()}
        self.optimizer = SGD(self.param(), lr)

    def param(self):
        return [(self.P[k], self.G[k]) for k in self.P]

    def forward(self, x):
        P = self.P
        h, self.c1 = conv_forward(x, P['w1'], P['b1'], 2, 1)
        h, self.r1 = relu_forward(h)
        h, self.c2 = conv_forward(h, P['w2'], P['b2'], 2, 1)
        h, self.r2 = relu_forward(h)
        h, self.c3 = tconv_forward(h, P['w3'], P['b3'], 2, 1)
        h, self.r3 = relu_forward(h)
        h, self.c4 = tconv_forward(h, P['w4'], P['b4'], 2, 1)
        h, self.s = sigmoid_forward(h)
        return h

    def backward(self, d):
        d = sigmoid_backward(d, self.s)
        d = self._acc(tconv_backward(d, self.c4), '4')
        d = relu_backward(d, self.r1)
        d = self._acc(tconv_backward(d, self.c3), '3')
        d = relu_backward(d, self.r2)
        d = self._acc(conv_backward(d, self.c2), '2')
        d = relu_backward(d, self.r1)
        d = self._acc(conv_backward(d, self.c1), '1')
        return d

    def _acc(self, grads, i):
        dx, dw, db = grads
        self.G['w' + i] += dw
        self.G['b' + i] += db
        return dx

    def load_pretrained_model(self):
        d = torch.load(os.path.join(os.path.dirname(__file__), 'bestmodel.pth'), map_location=self.device)
        for k in self.P:
            self.P[k].copy_(d[k])

    def save_weights(self):
        torch.save(self.P, os.path.join(os.path.dirname(__file__), 'bestmodel.pth'))

    def train(self, train_input, train_target, num_epochs):
        x = train_input.to(self.device).float().div(255)
        y = train_target.to(self.device).float().div(255)
        # last 5 % for validation
        nv = max(1, x.size(0) // 20)
        xv, yv = x[-nv:], y[-nv:]
        x, y = x[:-nv], y[:-nv]
        self.history = []
        for e in range(num_epochs):
            acc = 0.0
            p = empty(x.size(0)).uniform_().argsort().to(self.device)
            for i in range(0, x.size(0), self.batch_size):
                j = p[i:i + self.batch_size]
                self.optimizer.zero_grad()
                loss, d = mse(self.forward(x[j]), y[j])
                self.backward(d)
                self.optimizer.step()
                acc += loss.item() * j.size(0)
            val, _ = mse(self.forward(xv), yv)
            self.history.append((acc / x.size(0), val.item()))
            print(f'[{e + 1}/{num_epochs}] train {acc / x.size(0):.5f} val {val.item():.5f}')

    def predict(self, test_input):
        x = test_input.to(self.device).float().div(255)
        out = cat([self.forward(b) for b in x.split(64)]).mul(255).clamp(0, 255)
        return out[:, :, :x.size(2), :x.size(3)]
