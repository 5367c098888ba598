import torch
from torch import empty
from pathlib import Path
from .others.chain import Conv2d, TransposeConv2d, ReLU, Sigmoid, Sequential, MSE, SGD

torch.set_grad_enabled(False)


class Model:
    def __init__(self):
        self.net = Sequential(Conv2d(3, 16, 5, stride=2, padding=2), ReLU(),
                              Conv2d(16, 24, 3, stride=2, padding=1), ReLU(),
                              TransposeConv2d(24, 16, 2, stride=2), ReLU(),
                              TransposeConv2d(16, 3, 4, stride=2, padding=1), Sigmoid())
        self.loss = MSE()
        self.sgd = SGD(self.net.param(), lr=4.0)
        self.batch = 12
        self.part = 4       # a batch is worked on in parts, saves memory

    def load_pretrained_model(self):
        values = torch.load(Path(__file__).resolve().parent / 'bestmodel.pth')
        for (p, _), v in zip(self.net.param(), values):
            p.copy_(v)

    def save_weights(self, where):
        torch.save([p.clone() for p, _ in self.net.param()], where)

    def prepare(self, pictures):
        return pictures.float().div(255).sub(0.5)

    def train_on_batch(self, x, t):
        total = 0
        for xp, tp in zip(x.split(self.part), t.split(self.part)):
            total += self.loss.forward(self.net.forward(xp), tp, size=t.numel()).item()
            self.net.backward(self.loss.backward())
        self.sgd.step_and_clear()
        return total

    def train(self, train_input, train_target, num_epochs):
        x = self.prepare(train_input)
        t = train_target.float().div(255)
        for epoch in range(num_epochs):
            order = empty(len(x)).uniform_().argsort()
            log = []
            for i in order.split(self.batch):
                log.append(self.train_on_batch(x[i], t[i]))
            print('epoch', epoch + 1, 'loss %.5f' % (sum(log) / len(log)))

    def predict(self, test_input):
        return self.net.forward(self.prepare(test_input)).mul(255)
