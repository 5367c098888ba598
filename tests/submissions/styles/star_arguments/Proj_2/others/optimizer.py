class SGD(object):
    def __init__(self, parameters, learning_rate):
        self.parameters = parameters
        self.learning_rate = learning_rate

    def zero_grad(self):
        for _, grad in self.parameters:
            grad.zero_()

    def step(self):
        for value, grad in self.parameters:
            value.add_(grad, alpha=-self.learning_rate)
