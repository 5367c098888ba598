class MSE(object) :
    def forward(self, y, target) :
        self.diff = y - target
        return (self.diff * self.diff).mean()

    def backward(self) :
        return 2 * self.diff / self.diff.numel()


class SGD(object) :
    ''' SGD with momentum: v <- mu v + g,  p <- p - lr v '''
    def __init__(self, modules, lr, mu = 0) :
        self.lr, self.mu = lr, mu
        self.v = [[0, 0] for m in modules]

    def step(self, net) :
        for v, m in zip(self.v, net.modules) :
            if isinstance(m.param()[0], tuple) : # (None, None), nothing to learn
                continue
            v[0] = self.mu * v[0] + m.dw
            v[1] = self.mu * v[1] + m.db
            m.w -= self.lr * v[0]
            m.b -= self.lr * v[1]
