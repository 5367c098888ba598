class SGD:
    """The gradients are new tensors after every backward, so they are asked for at every step."""

    def __init__(self, network, lr):
        self.network = network
        self.lr = lr

    def zero_grad(self):
        self.network.zero_grad()

    def step(self):
        for layer in self.network.param():
            for weight, gradient in layer:
                if weight is not None:
                    weight.sub_(self.lr * gradient)
