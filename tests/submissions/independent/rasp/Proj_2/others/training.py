from .base import Layer


class Sequential(Layer):
    def __init__(self, *layers):
        super().__init__()
        self.layers = []
        for l in layers:
            self.add(l)

    def add(self, layer):
        self.layers += [layer]
        return self

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def backward(self, dout):
        for layer in self.layers[::-1]:
            dout = layer.backward(dout)
        return dout

    def param(self):
        return sum([layer.param() for layer in self.layers], [])

    def to(self, device):
        for layer in self.layers:
            layer.to(device)
        return self

    def state(self):
        return [dict(layer.params) for layer in self.layers]

    def load_state(self, state):
        for layer, st in zip(self.layers, state):
            for k in st:
                layer.params[k].copy_(st[k])


class MSE:
    def forward(self, pred, target):
        self.d = pred - target
        return self.d.pow(2).mean()

    def backward(self):
        b, c, h, w = self.d.shape
        return 2 * self.d / (b * c * h * w)


class SGD:
    def __init__(self, net, lr=1.0):
        self.net = net
        self.lr = lr

    def zero(self):
        for layer in self.net.layers:
            for k in layer.grads:
                layer.grads[k].zero_()

    def step(self):
        for layer in self.net.layers:
            for k in layer.params:
                layer.params[k].sub_(layer.grads[k] * self.lr)
