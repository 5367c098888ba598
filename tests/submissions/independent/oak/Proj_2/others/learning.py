from torch import empty


class MSE(object):
    def forward(self, prediction, target):
        self.residual = prediction - target
        return self.residual.pow(2).mean()

    def backward(self):
        return self.residual * 2 / self.residual.numel()


class SGD(object):
    def __init__(self, params, lr=0.1, momentum=0.9):
        # params can be nested
        self.pairs = []
        for entry in params:
            self.pairs += entry if isinstance(entry, list) else [entry]
        self.lr = lr
        self.momentum = momentum
        self.speed = [0.] * len(self.pairs)

    def zero_grad(self):
        for _, g in self.pairs:
            g.fill_(0.)

    def step(self):
        for i, (p, g) in enumerate(self.pairs):
            self.speed[i] = self.momentum * self.speed[i] + g
            p -= self.lr * self.speed[i]


def mini_batches(x, y, size):
    perm = empty(x.shape[0]).uniform_().sort()[1]
    for start in range(0, x.shape[0], size):
        take = perm[start:start + size]
        yield x[take], y[take]
