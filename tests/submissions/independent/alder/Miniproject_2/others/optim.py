class SGD(object):
    """ plain stochastic gradient descent on a list of Parameter """

    def __init__(self, params, lr):
        self.params = list(params)
        self.lr = lr

    def zero_grad(self):
        for p in self.params:
            p.zero_grad()

    def step(self):
        for p in self.params:
            p.data.add_(p.grad, alpha=-self.lr)
