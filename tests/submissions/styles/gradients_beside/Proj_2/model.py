import os
import torch
from .others.modules import Conv2d, TransposeConv2d, ReLU, Sigmoid, Sequential
from .others.train_utils import MSE, SGD

torch.set_grad_enabled(False)

class Model() :
    def __init__(self) :
        self.net = Sequential(Conv2d(3, 12, 2, stride = 2), ReLU(),
                              Conv2d(12, 24, 2, stride = 2), ReLU(),
                              TransposeConv2d(24, 12, 2, stride = 2), ReLU(),
                              TransposeConv2d(12, 3, 2, stride = 2), Sigmoid())
        self.criterion = MSE()
        self.optimizer = SGD(self.net.modules, lr = 0.8, mu = 0.9)
        self.batch_size = 8

    def load_pretrained_model(self) :
        path = os.path.join(os.path.dirname(__file__), 'bestmodel.pth')
        saved = torch.load(path, map_location = 'cpu')
        params = [p for p in self.net.param() if not isinstance(p, tuple)]
        for p, s in zip(params, saved) :
            p.copy_(s)

    def save(self, path) :
        torch.save([p for p in self.net.param() if not isinstance(p, tuple)], path)

    def train(self, train_input, train_target, num_epochs) :
        for e in range(num_epochs) :
            sum_loss = 0
            for b in range(0, train_input.size(0), self.batch_size) :
                x = train_input[b : b + self.batch_size].float() / 255
                t = train_target[b : b + self.batch_size].float() / 255
                y = self.net.forward(x)
                sum_loss += self.criterion.forward(y, t).item()
                self.net.zero_grad()
                self.net.backward(self.criterion.backward())
                self.optimizer.step(self.net)
            print(e, sum_loss)

    def predict(self, test_input) :
        # the convolutions go through the images one by one, no need for batches
        x = test_input.float() / 255
        y = self.net.forward(x)
        return (y * 255).clip(0, 255)
