from torch import empty


class Param:
    """a tensor and its gradient"""

    def __init__(self, data):
        self.data = data
        self.grad = data.new_zeros(data.shape)

    def zero(self):
        self.grad.zero_()

    def to(self, device):
        self.data = self.data.to(device)
        self.grad = self.grad.to(device)


class Module:
    def __init__(self):
        self._params = []
        self._children = []

    def register(self, *ps):
        self._params.extend(ps)

    def child(self, m):
        self._children.append(m)
        return m

    def all_params(self):
        out = list(self._params)
        for c in self._children:
            out += c.all_params()
        return out

    def param(self):
        return [(p.data, p.grad) for p in self.all_params()]

    def to(self, device):
        for p in self.all_params():
            p.to(device)

    def __call__(self, x):
        return self.forward(x)


class SGD:
    def __init__(self, params, lr=0.1, momentum=0.9):
        self.params = params
        self.lr = lr
        self.momentum = momentum
        self.velocity = {}

    def step(self):
        for p in self.params:
            v = self.velocity.get(id(p), 0)
            v = self.momentum * v - self.lr * p.grad
            self.velocity[id(p)] = v
            p.data += v

    def zero_grad(self):
        for p in self.params:
            p.zero()


class MSE:
    def forward(self, y, target):
        self.diff = y - target
        return self.diff.pow(2).mean()

    def backward(self):
        return 2 * self.diff / self.diff.numel()
