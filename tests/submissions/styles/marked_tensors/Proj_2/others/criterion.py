from .module import backpropagate


class MSE:
    def forward(self, output, target):
        self.output = output
        self.target = target
        return (output - target).square().mean()

    def backward(self):
        """goes through the whole network"""
        difference = self.output - self.target
        backpropagate(self.output, difference * (2 / difference.numel()))


class SGD:
    """net: the Sequential to train"""

    def __init__(self, net, lr, momentum=0):
        self.net = net
        self.lr = lr
        self.momentum = momentum
        self.moved = [parameter * 0 for parameter, _ in net.param()]

    def zero_grad(self):
        self.net.zero_grad()

    def step(self):
        for (parameter, gradient), moved in zip(self.net.param(), self.moved):
            moved.mul_(self.momentum).sub_(self.lr * gradient)
            parameter += moved
