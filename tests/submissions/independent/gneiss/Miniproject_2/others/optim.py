class SGD():
    def __init__(self, params, lr=1e-2, momentum=0):
        self.params = params
        self.lr = lr
        self.momentum = momentum
        self.velocity = [g.clone().zero_() for _, g in params]

    def zero_grad(self):
        for _, grad in self.params:
            grad.zero_()

    def step(self):
        for (p, grad), v in zip(self.params, self.velocity):
            v.copy_(self.momentum * v + grad)
            p.add_(-self.lr * v)
