class MSE:
    def __call__(self, x, y):
        return self.forward(x, y)

    def forward(self, x, y):
        self.x, self.y = x, y
        return (x - y).pow(2).mean()

    def backward(self):
        return (self.x - self.y).mul(2 / self.x.numel())


class SGD:
    def __init__(self, params, lr):
        self.params = params
        self.lr = lr

    def step(self):
        for p, g in self.params:
            p -= self.lr * g
