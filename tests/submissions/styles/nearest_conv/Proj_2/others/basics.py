"""The blocks without parameters, the loss and the optimizer."""


class Block:
    def forward(self, x):
        raise NotImplementedError

    def backward(self, dy):
        raise NotImplementedError

    def param(self):
        return []


class Sequential(Block):
    def __init__(self, *blocks):
        self.blocks = list(blocks)

    def forward(self, x):
        for block in self.blocks:
            x = block.forward(x)
        return x

    def backward(self, dy):
        for block in reversed(self.blocks):
            dy = block.backward(dy)
        return dy

    def param(self):
        return [pair for block in self.blocks for pair in block.param()]


class ReLU(Block):
    def forward(self, x):
        self.off = x <= 0
        return x.masked_fill(self.off, 0)

    def backward(self, dy):
        return dy.masked_fill(self.off, 0)


class Sigmoid(Block):
    def forward(self, x):
        self.y = (x / 2).tanh() / 2 + 0.5
        return self.y

    def backward(self, dy):
        return dy * (self.y - self.y * self.y)


class MSE(Block):
    def forward(self, y, target):
        self.y, self.target = y, target
        return ((target - y) ** 2).mean()

    def backward(self):
        return (self.y - self.target) * 2 / self.y.numel()


class SGD:
    def __init__(self, params, lr, momentum=0.9):
        self.params = params
        self.lr = lr
        self.momentum = momentum
        self.steps = [p.new_zeros(p.size()) for p, _ in params]

    def zero_grad(self):
        for _, derivative in self.params:
            derivative.zero_()

    def step(self):
        for (p, derivative), step in zip(self.params, self.steps):
            step *= self.momentum
            step += derivative
            p -= self.lr * step
