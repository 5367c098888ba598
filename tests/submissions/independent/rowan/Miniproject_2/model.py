import torch
from torch import empty
from os import path
from .others.layers import Conv2d, TransposeConv2d, ReLU, Sigmoid, Sequential, MSE
from .others.optimizer import SGD

torch.set_grad_enabled(False)


class Model():
    def __init__(self):
        self.layers = Sequential(
            Conv2d(3, 16, 3, stride=2, padding=1), ReLU(),
            Conv2d(16, 24, 3, stride=2, padding=1), ReLU(),
            TransposeConv2d(24, 16, 4, stride=2, padding=1), ReLU(),
            TransposeConv2d(16, 3, 4, stride=2, padding=1), Sigmoid())
        self.mse = MSE()
        self.sgd = SGD(self.layers, lr=4.5)
        self.mini_batch_size = 8

    def load_pretrained_model(self):
        p = path.join(path.dirname(path.abspath(__file__)), 'bestmodel.pth')
        state = torch.load(p)
        k = 0
        for w, _ in self.layers.param():
            w.copy_(state[k])
            k += 1

    def train(self, train_input, train_target, num_epochs):
        x = train_input.float() / 255
        t = train_target.float() / 255
        m = self.mini_batch_size
        for e in range(num_epochs):
            idx = empty(x.size(0)).uniform_().argsort()
            loss = 0
            for b in range(0, x.size(0), m):
                i = idx[b:b + m]
                loss += self.mse.forward(self.layers.forward(x[i]), t[i]) * len(i)
                self.layers.backward(self.mse.backward())
                self.sgd.update()
            print(e, loss / x.size(0))

    def predict(self, test_input):
        x = test_input.float() / 255
        y = self.layers.forward(x)
        return y * 255
