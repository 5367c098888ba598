class Module(object):
    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []

    def buffers(self):
        return []

    def to(self, device):
        for k, v in vars(self).items():
            if k in ('weight', 'bias', 'gw', 'gb'):
                setattr(self, k, v.to(device))
        return self


class Sequential(Module):
    def __init__(self, *modules):
        self.modules = modules

    def forward(self, x):
        for m in self.modules:
            x = m.forward(x)
        return x

    def backward(self, dy):
        for m in self.modules[::-1]:
            dy = m.backward(dy)
        return dy

    def param(self):
        r = []
        for m in self.modules:
            r += m.param()
        return r

    def buffers(self):
        r = []
        for m in self.modules:
            r += m.buffers()
        return r

    def to(self, device):
        for m in self.modules:
            m.to(device)
        return self


class MSE(Module):
    def forward(self, x, target):
        self.delta = x - target
        return (self.delta * self.delta).mean()

    def backward(self):
        return self.delta * 2 / self.delta.numel()


class SGD(object):
    def __init__(self, params, lr, momentum=0):
        self.params = params
        self.lr, self.momentum = lr, momentum
        self.v = [g * 0 for _, g in params]

    def zero_grad(self):
        for _, g in self.params:
            g.zero_()

    def step(self):
        for (p, g), v in zip(self.params, self.v):
            v.mul_(self.momentum).add_(g)
            p.add_(v, alpha=-self.lr)
