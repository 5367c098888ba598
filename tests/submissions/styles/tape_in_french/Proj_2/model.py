# -*- coding: utf-8 -*-
from pathlib import Path
from random import sample
import torch
from .others import reseau
from .others.reseau import *

CHEMIN = Path(__file__).parent / "bestmodel.pth"


class Model():
    def __init__(self):
        self.appareil = torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')
        reseau.BANDE.clear()
        self.reseau = Sequential(
            Conv2d(3, 32, 3, stride=2, padding=1), ReLU(),
            Conv2d(32, 32, 3, stride=2, padding=1), ReLU(),
            Upsampling(32, 32, 4, stride=2, padding=1), ReLU(),
            Upsampling(32, 3, 4, stride=2, padding=1), Sigmoid())
        for p in self.reseau.params():
            p.deplacer(self.appareil)
        self.perte = MSE()
        self.sgd = SGD(2.0, self.reseau.params())
        self.taille_batch = 10

    def load_pretrained_model(self):
        poids = torch.load(CHEMIN, map_location=self.appareil)
        for p, w in zip(self.reseau.params(), poids):
            p.valeur.copy_(w)

    def sauver(self):
        torch.save([p.valeur for p in self.reseau.params()], CHEMIN)

    def train(self, train_input, train_target, num_epochs=1):
        n = train_input.size(0)
        for epoque in range(num_epochs):
            total = 0
            melange = sample(range(n), n)
            for debut in range(0, n, self.taille_batch):
                i = melange[debut:debut + self.taille_batch]
                x = train_input[i].to(self.appareil).float() / 255
                y = train_target[i].to(self.appareil).float() / 255
                perte = self.perte(self.reseau(x), y)
                self.sgd.zero_grad()
                perte.backward()
                self.sgd.step()
                total += perte.item()
            print("epoque", epoque, "perte", total * self.taille_batch / n)

    def predict(self, test_input):
        x = test_input.to(self.appareil).float() / 255
        y = self.reseau(x)
        # pas de retropropagation ici
        reseau.BANDE.clear()
        return y * 255
