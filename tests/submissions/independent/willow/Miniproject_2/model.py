import torch
from torch import empty
from pathlib import Path
from .others.framework import *

torch.set_grad_enabled(False)


class Model():
    def __init__(self) -> None:
        self.net = Sequential(Conv2d(3, 32, 3, 2, 1), ReLU(),
                              Conv2d(32, 32, 3, 2, 1), ReLU(),
                              TransposeConv2d(32, 32, 3, 2, 1, 1), ReLU(),
                              TransposeConv2d(32, 3, 3, 2, 1, 1), Sigmoid())
        self.criterion = MSE()
        self.optim = SGD(self.net.param(), lr=0.8, momentum=0.9)
        self.batch_size = 16
        self.history = []

    def load_pretrained_model(self) -> None:
        saved = torch.load(Path(__file__).parent / 'bestmodel.pth', map_location='cpu')
        for key, p in self.net.state().items():
            p.value.copy_(saved[key])

    def save(self) -> None:
        torch.save({k: p.value for k, p in self.net.state().items()}, Path(__file__).parent / 'bestmodel.pth')

    def train(self, train_input, train_target, num_epochs) -> None:
        train_input = train_input.float() / 255.
        train_target = train_target.float() / 255.
        n = train_input.shape[0]
        for epoch in range(num_epochs):
            perm = empty(n).uniform_(0, 1).argsort()
            acc_loss = 0
            for b in range(0, n, self.batch_size):
                i = perm[b:b + self.batch_size]
                self.optim.zero_grad()
                output = self.net.forward(train_input[i])
                acc_loss += self.criterion.forward(output, train_target[i]) * i.shape[0]
                self.net.backward(self.criterion.backward())
                self.optim.step()
            self.history.append(acc_loss / n)
            print('epoch: ', epoch, ', loss: ', self.history[-1])

    def predict(self, test_input) -> torch.Tensor:
        y = self.net.forward(test_input.float() / 255.)
        return (y * 255.).clip(0, 255)
