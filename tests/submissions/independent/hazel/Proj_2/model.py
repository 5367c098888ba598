import torch
from torch import empty
import os

from .others.layers import Conv2d, TransposeConv2d, ReLU, Sigmoid, Sequential
from .others.training import MSE, SGD

torch.set_grad_enabled(False)
BESTMODEL = os.path.join(os.path.dirname(os.path.realpath(__file__)), 'bestmodel.pth')


class Model:
    def __init__(self):
        self.net = Sequential(Conv2d(3, 20, 3, 2, 1), ReLU(),
                              Conv2d(20, 40, 3, 2, 1), ReLU(),
                              TransposeConv2d(40, 20, 4, 2, 1), ReLU(),
                              TransposeConv2d(20, 3, 4, 2, 1), Sigmoid())
        self.criterion = MSE()
        self.lr = 4.
        self.lr_decay = 0.97
        self.batch_size = 16

    def load_pretrained_model(self):
        weights = torch.load(BESTMODEL)
        i = 0
        for p, _ in self.net.param():
            p[:] = weights[i]
            i += 1

    def save(self):
        torch.save([p for p, _ in self.net.param()], BESTMODEL)

    def train(self, train_input, train_target, num_epochs):
        x, y = train_input / 255, train_target / 255
        n = len(x)
        lr = self.lr
        for epoch in range(num_epochs):
            # the learning rate goes down a bit at each epoch
            optimizer = SGD(self.net.param(), lr)
            lr = lr * self.lr_decay
            perm = empty(n).uniform_().argsort()
            running = 0
            for i in range(0, n, self.batch_size):
                b = perm[i:i + self.batch_size]
                out = self.net(x[b])
                running += self.criterion(out, y[b]).item() * len(b)
                self.net.backward(self.criterion.backward())
                optimizer.step()
                self.net.zero_grad()
            print(f'[{epoch + 1}/{num_epochs}] loss = {running / n:.5f}  lr = {optimizer.lr:.3f}')

    def predict(self, test_input):
        return self.net(test_input / 255).mul(255).clamp(0, 255)
