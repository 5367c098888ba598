class SGD():
    def __init__(self, params, lr=0.1):
        self.params, self.lr = params, lr

    def zero_grad(self):
        for p, g in self.params:
            g.zero_()

    def step(self):
        for p, g in self.params:
            p.sub_(self.lr * g)


class Adam():
    """ Kingma & Ba, algorithm 1 """

    def __init__(self, params, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.params = params
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m = [p.new_zeros(p.shape) for p, g in params]
        self.v = [p.new_zeros(p.shape) for p, g in params]
        self.t = 0

    def zero_grad(self):
        for p, g in self.params:
            g.zero_()

    def step(self):
        for i, (p, g) in enumerate(self.params):
            self.t += 1
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g ** 2
            m_hat = self.m[i] / (1 - self.beta1 ** self.t)
            v_hat = self.v[i] / (1 - self.beta2 ** self.t)
            p.sub_(self.lr * m_hat / (v_hat.sqrt() + self.eps))
