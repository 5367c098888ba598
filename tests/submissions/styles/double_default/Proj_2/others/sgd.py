class SGD(object):
    """Gradient descent with momentum, for the pairs that param() gives."""

    def __init__(self, params: list, lr: float, momentum: float):
        self.params, self.lr, self.momentum = params, lr, momentum
        self.velocities = [weight.new_zeros(weight.size()) for weight, _ in params]

    def zero_grad(self) -> None:
        for _, grad in self.params:
            grad.fill_(0)

    def step(self) -> None:
        for (weight, grad), velocity in zip(self.params, self.velocities):
            velocity.mul_(self.momentum).add_(grad)
            weight.sub_(self.lr * velocity)
