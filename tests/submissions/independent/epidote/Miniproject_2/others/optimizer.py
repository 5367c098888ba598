class Optimizer(object):
    def __init__(self, params, lr):
        self.params = list(params)
        self.lr = lr

    def zero_grad(self):
        for _, g in self.params:
            g.zero_()

    def step(self):
        raise NotImplementedError


class SGD(Optimizer):
    def __init__(self, params, lr, momentum=0):
        super().__init__(params, lr)
        self.momentum = momentum
        self.v = [g * 0 for _, g in self.params]

    def step(self):
        for i, (p, g) in enumerate(self.params):
            self.v[i] = self.momentum * self.v[i] + g
            p.add_(self.v[i], alpha=-self.lr)


class Adam(Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr)
        self.b1, self.b2 = betas
        self.eps = eps
        self.t = 0
        self.m = [g * 0 for _, g in self.params]
        self.v = [g * 0 for _, g in self.params]

    def step(self):
        self.t += 1
        # bias corrections folded in the step size
        c1 = 1 - self.b1 ** self.t
        c2 = (1 - self.b2 ** self.t) ** 0.5
        for (p, g), m, v in zip(self.params, self.m, self.v):
            m.mul_(self.b1).add_(g, alpha=1 - self.b1)
            v.mul_(self.b2).add_(g * g, alpha=1 - self.b2)
            p.sub_(self.lr / c1 * m / (v.sqrt() / c2 + self.eps))


class StepLR(object):
    def __init__(self, optimizer, step_size, gamma=0.5):
        self.opt, self.step_size, self.gamma = optimizer, step_size, gamma
        self.n = 0

    def step(self):
        self.n += 1
        if self.n % self.step_size == 0:
            self.opt.lr *= self.gamma
