import torch
from torch import empty
from pathlib import Path
from .others.layers import Module, Conv2d, TransposeConv2d, ReLU, Sigmoid, Sequential, MSE, SGD

torch.set_grad_enabled(False)


class Model():
    def __init__(self):
        self.batch_size = 8
        self.nb_hidden = 24
        h = self.nb_hidden
        self.autoencoder = Sequential(
            Conv2d(3, h, 3, stride=2, padding=1),
            ReLU(),
            Conv2d(h, 2 * h, 3, stride=2, padding=1),
            ReLU(),
            TransposeConv2d(2 * h, h, 4, stride=2, padding=1),
            ReLU(),
            TransposeConv2d(h, 3, 4, stride=2, padding=1),
            Sigmoid()
        )
        self.criterion = MSE()
        self.optimizer = SGD(self.autoencoder.param(), lr=0.6, momentum=0.8)

    def load_pretrained_model(self):
        saved = torch.load(Path(__file__).parent / "bestmodel.pth")
        for (p, _), (name, value) in zip(self.autoencoder.param(), saved.items()):
            p.copy_(value)

    def save_pretrained_model(self):
        d = {}
        for i, (p, _) in enumerate(self.autoencoder.param()):
            d["param" + str(i)] = p.clone()
        torch.save(d, Path(__file__).parent / "bestmodel.pth")

    def train(self, train_input, train_target, num_epochs):
        x = train_input.float() / 255
        t = train_target.float() / 255
        for e in range(num_epochs):
            order = empty(x.shape[0]).normal_().argsort()
            x = x[order]
            t = t[order]
            loss = 0
            for xb, tb in zip(x.split(self.batch_size), t.split(self.batch_size)):
                self.optimizer.zero_grad()
                loss += self.criterion.forward(self.autoencoder.forward(xb), tb)
                self.autoencoder.backward(self.criterion.backward())
                self.optimizer.step()
            print("epoch", e + 1, "mean loss", loss / (x.shape[0] / self.batch_size))

    def predict(self, test_input):
        return self.autoencoder.forward(test_input.float() / 255) * 255
