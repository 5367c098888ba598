# -*- coding: utf-8 -*-
"""
Petit framework: chaque appel d'un bloc s'inscrit sur la "bande" (tape) globale, et
loss.backward() la relit a l'envers, un peu comme l'autograd de PyTorch.
"""
from torch import empty, cat, arange
from torch.nn.functional import fold, unfold
import torch

torch.set_grad_enabled(False)

# la bande: liste des blocs traverses depuis le dernier backward
BANDE = []
# tous les parametres crees, dans l'ordre de creation
REGISTRE = []


class Parametre:
    def __init__(self, valeur):
        self.valeur = valeur
        self.gradient = empty(valeur.shape, device=valeur.device).zero_()
        REGISTRE.append(self)

    def remise_a_zero(self):
        self.gradient.zero_()

    def deplacer(self, appareil):
        self.valeur = self.valeur.to(appareil)
        self.gradient = self.gradient.to(appareil)


class Bloc:
    """ classe de base """

    def __call__(self, entree):
        sortie = self.forward(entree)
        BANDE.append(self)
        return sortie

    def forward(self, entree):
        raise NotImplementedError

    def retro(self, grad):
        """ gradient par rapport a la sortie -> gradient par rapport a l'entree """
        raise NotImplementedError

    def params(self):
        return [v for v in self.__dict__.values() if isinstance(v, Parametre)]


class Conv2d(Bloc):
    """ Les poids sont gardes sous forme de matrice (C_in*k*k, C_out), une colonne par filtre """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.c_in, self.c_out = in_channels, out_channels
        self.k, self.s, self.p = kernel_size, stride, padding
        ecart = (1.0 / (in_channels * kernel_size ** 2)) ** 0.5
        self.poids = Parametre(empty(in_channels * kernel_size ** 2, out_channels).uniform_(-ecart, ecart))
        self.biais = Parametre(empty(out_channels).uniform_(-ecart, ecart))

    def forward(self, entree):
        n, _, self.h, self.l = entree.shape
        ho = (self.h + 2 * self.p - self.k) // self.s + 1
        lo = (self.l + 2 * self.p - self.k) // self.s + 1
        # N x L x (C_in*k*k)
        self.patchs = unfold(entree, self.k, padding=self.p, stride=self.s).permute(0, 2, 1)
        sortie = self.patchs.matmul(self.poids.valeur) + self.biais.valeur
        return sortie.permute(0, 2, 1).reshape(n, self.c_out, ho, lo)

    def retro(self, grad):
        n = grad.shape[0]
        grad = grad.reshape(n, self.c_out, -1).permute(0, 2, 1)
        # on empile les images du batch: (N*L) lignes
        plat = grad.reshape(-1, self.c_out)
        self.poids.gradient += self.patchs.reshape(-1, self.patchs.shape[2]).t().matmul(plat)
        self.biais.gradient += plat.sum(0)
        colonnes = grad.matmul(self.poids.valeur.t()).permute(0, 2, 1)
        return fold(colonnes, (self.h, self.l), self.k, padding=self.p, stride=self.s)


class Upsampling(Bloc):
    """ convolution transposee, poids (C_in, C_out*k*k) """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.c_in, self.c_out = in_channels, out_channels
        self.k, self.s, self.p = kernel_size, stride, padding
        ecart = (1.0 / (out_channels * kernel_size ** 2)) ** 0.5
        self.poids = Parametre(empty(in_channels, out_channels * kernel_size ** 2).uniform_(-ecart, ecart))
        self.biais = Parametre(empty(out_channels).uniform_(-ecart, ecart))

    def forward(self, entree):
        n, _, self.h, self.l = entree.shape
        ho = (self.h - 1) * self.s - 2 * self.p + self.k
        lo = (self.l - 1) * self.s - 2 * self.p + self.k
        self.plat = entree.permute(0, 2, 3, 1).reshape(-1, self.c_in)
        colonnes = self.plat.matmul(self.poids.valeur).reshape(n, self.h * self.l, -1).permute(0, 2, 1)
        sortie = fold(colonnes, (ho, lo), self.k, padding=self.p, stride=self.s)
        return sortie + self.biais.valeur.reshape(1, -1, 1, 1)

    def retro(self, grad):
        n = grad.shape[0]
        colonnes = unfold(grad, self.k, padding=self.p, stride=self.s).permute(0, 2, 1)
        colonnes = colonnes.reshape(n * self.h * self.l, -1)
        self.poids.gradient += self.plat.t().matmul(colonnes)
        self.biais.gradient += grad.sum((0, 2, 3))
        dx = colonnes.matmul(self.poids.valeur.t())
        return dx.reshape(n, self.h, self.l, self.c_in).permute(0, 3, 1, 2)


TransposeConv2d = Upsampling


class ReLU(Bloc):
    def forward(self, entree):
        self.masque = (entree > 0).float()
        return entree * self.masque

    def retro(self, grad):
        return grad * self.masque


class Sigmoid(Bloc):
    def forward(self, entree):
        # tanh ne deborde jamais
        self.t = (entree / 2).tanh()
        return (1 + self.t) / 2

    def retro(self, grad):
        return grad * (1 - self.t ** 2) / 4


class Sequential:
    """ les blocs s'inscrivent eux-memes sur la bande """

    def __init__(self, *blocs):
        self.blocs = list(blocs)

    def forward(self, x):
        for b in self.blocs:
            x = b(x)
        return x

    __call__ = forward

    def params(self):
        return [p for b in self.blocs for p in b.params()]


class Perte:
    """ ce que rend MSE: un nombre et de quoi retropropager """

    def __init__(self, valeur, grad):
        self.valeur = valeur
        self.grad = grad

    def item(self):
        return self.valeur.item()

    def backward(self):
        grad = self.grad
        while BANDE:
            grad = BANDE.pop().retro(grad)
        # gradient par rapport a l'entree du reseau
        self.grad_entree = grad


class MSE:
    def forward(self, sortie, cible):
        ecart = sortie - cible
        return Perte((ecart * ecart).mean(), ecart * 2 / ecart.numel())

    __call__ = forward


class SGD:
    def __init__(self, pas, params=None):
        self.pas = pas
        self.params = REGISTRE if params is None else params

    def zero_grad(self):
        for p in self.params:
            p.remise_a_zero()

    def step(self):
        for p in self.params:
            p.valeur.add_(p.gradient, alpha=-self.pas)
