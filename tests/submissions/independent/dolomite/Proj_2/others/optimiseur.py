class SGD(object):
    def __init__(self, modele, lr=0.01):
        self.modele = modele
        self.lr = lr

    def step(self):
        for p, g in self.modele.param():
            p -= self.lr * g

    def zero_grad(self):
        self.modele.zero_grad()
