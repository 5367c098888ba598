import os
import torch
from torch import empty
from .others.conv import Conv2d, TransposeConv2d
from .others.functions import ReLU, Sigmoid, MSE

torch.set_grad_enabled(False)


class Sequential():

    def __init__(self, *args):
        self.modules = [m for m in args]

    def forward(self, x):
        for m in self.modules:
            x = m.forward(x)
        return x

    def backward(self, grad):
        for m in self.modules[::-1]:
            grad = m.backward(grad)
        return grad

    def param(self):
        p = []
        for m in self.modules:
            p += m.param()
        return p


class SGD():

    def __init__(self, params, lr):
        self.params = params
        self.lr = lr

    def zero_grad(self):
        for p in self.params:
            p[1].zero_()

    def step(self):
        for p in self.params:
            p[0].add_(-self.lr * p[1])


class Model():
    def __init__(self):
        ch = 32
        self.net = Sequential(Conv2d(3, ch, 3, 2, 1, need_input_grad=False),
                              ReLU(),
                              Conv2d(ch, ch, 3, 2, 1),
                              ReLU(),
                              TransposeConv2d(ch, ch, 4, 2, 1),
                              ReLU(),
                              TransposeConv2d(ch, 3, 4, 2, 1),
                              Sigmoid())
        self.optimizer = SGD(self.net.param(), 4.0)
        self.loss = MSE()
        self.batch_size = 10

    def load_pretrained_model(self):
        path = os.path.join(os.path.dirname(__file__), 'bestmodel.pth')
        best = torch.load(path, map_location=lambda storage, loc: storage)
        for p, b in zip(self.net.param(), best):
            p[0].copy_(b)

    def train(self, train_input, train_target, num_epochs):
        inp = train_input.float() / 255
        tar = train_target.float() / 255
        for epoch in range(num_epochs):
            rand = empty(inp.size(0)).uniform_().argsort()
            sum_loss, nb = 0, 0
            for b in range(0, inp.size(0), self.batch_size):
                sel = rand[b:b + self.batch_size]
                output = self.net.forward(inp[sel])
                loss = self.loss.forward(output, tar[sel])
                self.optimizer.zero_grad()
                self.net.backward(self.loss.backward())
                self.optimizer.step()
                sum_loss += loss.item()
                nb += 1
            print('Epoch', epoch, '- loss:', sum_loss / nb)

    def predict(self, test_input):
        return 255 * self.net.forward(test_input.float() / 255)
