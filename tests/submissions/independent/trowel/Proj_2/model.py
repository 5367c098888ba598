import torch
from pathlib import Path
from .others.framework import *

torch.set_grad_enabled(False)


class Model():
    def __init__(self):
        self.dev = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        self.net = Sequential(Conv2d(3, 20, 3, 2, 1), ReLU(),
                              Conv2d(20, 20, 3, 2, 1), ReLU(),
                              NearestUpsampling(2), Conv2d(20, 20, 3, 1, 1), ReLU(),
                              NearestUpsampling(2), Conv2d(20, 3, 3, 1, 1), Sigmoid())
        for p in self.net.parameters():
            p.to(self.dev)
        self.loss = MSE()
        self.lr = 0.2
        self.bs = 10

    def load_pretrained_model(self):
        w = torch.load(Path(__file__).parent / 'bestmodel.pth', map_location=self.dev)
        for p, v in zip(self.net.parameters(), w):
            p.value = v.to(self.dev)

    def save(self):
        torch.save([p.value for p in self.net.parameters()], Path(__file__).parent / 'bestmodel.pth')

    def normalise(self, x):
        return x.to(self.dev).float() / 255.0

    def train(self, train_input, train_target, num_epochs):
        opt = SGD(self.net.parameters(), self.lr)
        for e in range(num_epochs):
            L, nb = 0., 0
            for i in range(0, len(train_input), self.bs):
                y = self.net.forward(self.normalise(train_input[i:i + self.bs]))
                L += self.loss.forward(y, self.normalise(train_target[i:i + self.bs])).item()
                nb += 1
                opt.zero_grad()
                self.net.backward(self.loss.backward())
                opt.step()
            print('epoch %d, loss %.4f' % (e, L / nb))

    def predict(self, test_input):
        h, w = test_input.shape[2], test_input.shape[3]
        y = self.net.forward(self.normalise(test_input))
        return y[:, :, :h, :w] * 255.0
