class Sequential(object):
    """network = list of layers, gradients in self.grads[(position, name)]"""

    def __init__(self, layers):
        self.layers = [getattr(l, 'inner', l) for l in layers]
        self.grads = {}
        self.clear()

    def items(self):
        for pos, l in enumerate(self.layers):
            if l.trainable:
                for name in l.theta:
                    yield (pos, name), l.theta[name]

    def clear(self):
        for key, p in self.items():
            self.grads[key] = p * 0

    def to(self, device):
        for l in self.layers:
            if l.trainable:
                l.theta = {n: p.to(device) for n, p in l.theta.items()}
        self.clear()

    def forward(self, x):
        self.memory = []
        for l in self.layers:
            x, m = l.fw(x)
            self.memory.append(m)
        return x

    def backward(self, dy):
        for pos in reversed(range(len(self.layers))):
            dy, g = self.layers[pos].bw(dy, self.memory[pos])
            for name, value in g.items():
                self.grads[pos, name] = self.grads[pos, name] + value
        return dy

    def param(self):
        return [(p, self.grads[key]) for key, p in self.items()]

    def state_dict(self):
        return {'%d.%s' % key: p for key, p in self.items()}

    def load_state_dict(self, d):
        for (pos, name), p in self.items():
            p.copy_(d['%d.%s' % (pos, name)])


class MSE(object):
    def forward(self, y, t):
        self.y, self.t = y, t
        return (y - t).pow(2).mean()

    def backward(self):
        return (self.y - self.t).mul(2).div(self.y.numel())


class SGD(object):
    def __init__(self, net, lr, decay=1.0):
        self.net = net
        self.lr = lr
        self.decay = decay

    def step(self):
        for key, p in self.net.items():
            p -= self.lr * self.net.grads[key]
        self.net.clear()

    def end_of_epoch(self):
        self.lr *= self.decay
