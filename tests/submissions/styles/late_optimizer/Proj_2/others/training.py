class MSE:

    def forward(self, output, target):
        self.error = output - target
        return (self.error ** 2).mean()

    def backward(self):
        return 2 * self.error / self.error.numel()


class SGD:
    # modules: list of layers, e.g. the layers of a Sequential

    def __init__(self, modules, lr, momentum=0):
        self.modules = [m for m in modules if m.trainable]
        self.lr, self.momentum = lr, momentum
        self.v = {}

    def zero_grad(self):
        for m in self.modules:
            m.dweight = m.weight.new_zeros(m.weight.shape)
            m.dbias = None if m.bias is None else m.bias.new_zeros(m.bias.shape)

    def step(self):
        for i, m in enumerate(self.modules):
            for j, (p, g) in enumerate(m.param()):
                v = self.momentum * self.v.get((i, j), 0) + g
                self.v[i, j] = v
                p -= self.lr * v
