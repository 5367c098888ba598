class SGD(object):
    """
    Stochastic gradient descent.

    network: a module. Its parameters are asked for at every step, since the gradients are new tensors after each
             zero_grad().
    """

    def __init__(self, network, lr):
        self.network = network
        self.lr = lr

    def step(self):
        for weight, gradient in self.network.param():
            weight.sub_(self.lr * gradient)
