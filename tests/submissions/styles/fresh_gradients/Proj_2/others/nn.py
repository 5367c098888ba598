from .base import Module


class ReLU(Module):
    def forward(self, x):
        self.x = x
        return x.relu()

    def backward(self, dy):
        return dy * (self.x > 0)


class Sigmoid(Module):
    def forward(self, x):
        self.y = x.sigmoid()
        return self.y

    def backward(self, dy):
        slope = self.y * (1.0 - self.y)
        return slope * dy


class Sequential(Module):
    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy

    def zero_grad(self):
        for layer in self.layers:
            layer.zero_grad()

    def param(self):
        """One list of pairs for each layer."""
        return [layer.param() for layer in self.layers]


class MSE(Module):
    def forward(self, prediction, target):
        assert prediction.shape == target.shape
        self.prediction, self.target = prediction, target
        return (prediction - target).pow(2).mean()

    def backward(self):
        return 2.0 / self.target.numel() * (self.prediction - self.target)
