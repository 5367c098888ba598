# Les couches du réseau
from torch import empty
from torch.nn.functional import fold, unfold


class Module(object):

    def forward(self, *entree):
        raise NotImplementedError

    def backward(self, *grad_sortie):
        raise NotImplementedError

    def param(self):
        return []

    def zero_grad(self):
        pass

    def vers(self, appareil):
        return self


def paire(k):
    return (k, k) if type(k) is int else k


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1):
        self.cin = in_channels
        self.cout = out_channels
        self.noyau = paire(kernel_size)
        self.pas = paire(stride)
        self.bord = paire(padding)
        self.dil = paire(dilation)
        nb = in_channels * self.noyau[0] * self.noyau[1]
        self.weight = empty(out_channels, in_channels, self.noyau[0], self.noyau[1]).normal_() * nb ** -0.5
        self.bias = empty(out_channels).fill_(0)
        self.grad_weight = empty(self.weight.size()).fill_(0)
        self.grad_bias = empty(out_channels).fill_(0)

    def forward(self, x):
        n, c, h, l = x.size()
        self.taille = (h, l)
        ho = (h + 2 * self.bord[0] - self.dil[0] * (self.noyau[0] - 1) - 1) // self.pas[0] + 1
        lo = (l + 2 * self.bord[1] - self.dil[1] * (self.noyau[1] - 1) - 1) // self.pas[1] + 1
        # n x L x (c k k)
        self.patchs = unfold(x, kernel_size=self.noyau, dilation=self.dil, padding=self.bord,
                             stride=self.pas).transpose(1, 2)
        y = self.patchs @ self.weight.reshape(self.cout, -1).t() + self.bias
        return y.transpose(1, 2).reshape(n, self.cout, ho, lo)

    def backward(self, grad):
        g = grad.flatten(2).transpose(1, 2)                # n x L x cout
        gw = g.flatten(0, 1).t() @ self.patchs.flatten(0, 1)
        self.grad_weight += gw.view_as(self.weight)
        self.grad_bias += g.sum(1).sum(0)
        gp = g @ self.weight.reshape(self.cout, -1)
        return fold(gp.transpose(1, 2), self.taille, kernel_size=self.noyau, dilation=self.dil,
                    padding=self.bord, stride=self.pas)

    def zero_grad(self):
        self.grad_weight.fill_(0)
        self.grad_bias.fill_(0)

    def param(self):
        return [(self.weight, self.grad_weight), (self.bias, self.grad_bias)]

    def vers(self, appareil):
        self.weight = self.weight.to(appareil)
        self.bias = self.bias.to(appareil)
        self.grad_weight = self.grad_weight.to(appareil)
        self.grad_bias = self.grad_bias.to(appareil)
        return self


class TransposeConv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.cin = in_channels
        self.cout = out_channels
        self.noyau = paire(kernel_size)
        self.pas = paire(stride)
        self.bord = paire(padding)
        nb = in_channels * self.noyau[0] * self.noyau[1] / (self.pas[0] * self.pas[1])
        self.weight = empty(in_channels, out_channels, self.noyau[0], self.noyau[1]).normal_() * nb ** -0.5
        self.bias = empty(out_channels).fill_(0)
        self.grad_weight = empty(self.weight.size()).fill_(0)
        self.grad_bias = empty(out_channels).fill_(0)

    def forward(self, x):
        n, c, h, l = x.size()
        self.taille = (h, l)
        self.x = x.flatten(2).transpose(1, 2)             # n x L x cin
        patchs = self.x @ self.weight.reshape(self.cin, -1)
        ho = (h - 1) * self.pas[0] - 2 * self.bord[0] + self.noyau[0]
        lo = (l - 1) * self.pas[1] - 2 * self.bord[1] + self.noyau[1]
        y = fold(patchs.transpose(1, 2), (ho, lo), kernel_size=self.noyau, padding=self.bord, stride=self.pas)
        return y + self.bias.reshape(1, -1, 1, 1)

    def backward(self, grad):
        gp = unfold(grad, kernel_size=self.noyau, padding=self.bord, stride=self.pas).transpose(1, 2)
        self.grad_weight += (self.x.flatten(0, 1).t() @ gp.flatten(0, 1)).view_as(self.weight)
        self.grad_bias += grad.sum(3).sum(2).sum(0)
        gx = gp @ self.weight.reshape(self.cin, -1).t()
        return gx.transpose(1, 2).reshape(-1, self.cin, *self.taille)

    def zero_grad(self):
        self.grad_weight.fill_(0)

    def param(self):
        return [(self.weight, self.grad_weight), (self.bias, self.grad_bias)]

    def vers(self, appareil):
        self.weight = self.weight.to(appareil)
        self.bias = self.bias.to(appareil)
        self.grad_weight = self.grad_weight.to(appareil)
        self.grad_bias = self.grad_bias.to(appareil)
        return self


class ReLU(Module):
    def forward(self, x):
        self.positif = x.gt(0)
        return x.masked_fill(~self.positif, 0)

    def backward(self, grad):
        return grad.masked_fill(~self.positif, 0)


class Sigmoid(Module):
    def forward(self, x):
        self.y = x.sigmoid()
        return self.y

    def backward(self, grad):
        return grad * self.y * (1 - self.y)


class Dropout(Module):
    # pas utilisé dans le modèle final
    def __init__(self, p=0.5):
        self.p = p
        self.actif = True

    def forward(self, x):
        if not self.actif:
            self.m = None
            return x
        self.m = empty(x.size(), device=x.device).bernoulli_(1 - self.p) / (1 - self.p)
        return x * self.m

    def backward(self, grad):
        return grad if self.m is None else grad * self.m


class Sequential(Module):
    def __init__(self, *couches):
        self.couches = couches

    def forward(self, x):
        for c in self.couches:
            x = c.forward(x)
        return x

    def backward(self, grad):
        for c in self.couches[::-1]:
            grad = c.backward(grad)
        return grad

    def zero_grad(self):
        for c in self.couches:
            c.zero_grad()

    def param(self):
        liste = []
        for c in self.couches:
            for p in c.param():
                liste.append(p)
        return liste

    def vers(self, appareil):
        for c in self.couches:
            c.vers(appareil)
        return self
