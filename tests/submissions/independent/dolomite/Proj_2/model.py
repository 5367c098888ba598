import os
import random
import torch
from torch import empty, cat

from .others.couches import Conv2d, TransposeConv2d, ReLU, Sigmoid, Sequential, Dropout
from .others.perte import MSE
from .others.optimiseur import SGD

torch.set_grad_enabled(False)

ICI = os.path.dirname(os.path.abspath(__file__))


class Model():
    def __init__(self):
        self.appareil = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        self.reseau = Sequential(Conv2d(3, 20, 2, stride=2), ReLU(),
                                 Conv2d(20, 40, 2, stride=2), ReLU(),
                                 TransposeConv2d(40, 20, 2, stride=2), ReLU(),
                                 TransposeConv2d(20, 3, 2, stride=2), Sigmoid()).vers(self.appareil)
        self.perte = MSE()
        self.lr = 0.3
        self.taille_lot = 8

    def load_pretrained_model(self):
        poids = torch.load(os.path.join(ICI, 'bestmodel.pth'), map_location=self.appareil)
        for (p, g), w in zip(self.reseau.param(), poids):
            p.copy_(w)

    def sauver(self):
        torch.save([p.cpu() for p, g in self.reseau.param()], os.path.join(ICI, 'bestmodel.pth'))

    def train(self, train_input, train_target, num_epochs):
        opt = SGD(self.reseau, self.lr)
        n = train_input.size(0)
        for epoque in range(num_epochs):
            total = 0
            ordre = random.sample(range(n), n)
            for debut in range(0, n, self.taille_lot):
                ind = ordre[debut:debut + self.taille_lot]
                x = train_input[ind].to(self.appareil).float() / 255.0
                t = train_target[ind].to(self.appareil).float() / 255.0
                opt.zero_grad()
                y = self.reseau.forward(x)
                total += self.perte.forward(y, t).item() * len(ind)
                self.reseau.backward(self.perte.backward())
                opt.step()
            # on diminue le pas
            opt.lr = opt.lr * 0.95
            print('époque', epoque + 1, ': perte =', round(total / n, 6))

    def predict(self, test_input):
        n, c, h, l = test_input.size()
        x = test_input.to(self.appareil).float() / 255.0
        if h % 4 != 0 or l % 4 != 0:
            h4, l4 = (h + 3) // 4 * 4, (l + 3) // 4 * 4
            g = x.new_zeros(n, c, h4, l4)
            g[:, :, :h, :l] = x
            x = g
        y = cat([self.reseau.forward(m) for m in x.split(128)], 0)
        return (y[:, :, :h, :l] * 255).clamp(0, 255)
