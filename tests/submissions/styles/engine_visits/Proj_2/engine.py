from torch.nn.functional import fold, unfold
from .layers import Conv2d, TransposeConv2d


class Engine:
    """Visits the layers: what forward has to remember lies on a stack."""

    def __init__(self):
        self.stack = []

    def forward(self, layer, x):
        return getattr(self, "forward_" + type(layer).__name__.lower())(layer, x)

    def backward(self, layer, g):
        return getattr(self, "backward_" + type(layer).__name__.lower())(layer, g)

    def forward_conv2d(self, layer, x):
        side = lambda n: (n - layer.k + 2 * layer.padding) // layer.stride + 1
        cols = unfold(x, layer.k, padding=layer.padding, stride=layer.stride)
        self.stack.append((x.shape, cols))
        out = layer.weight.view(len(layer.bias), -1).matmul(cols).add(layer.bias.view(-1, 1))
        return out.unflatten(2, (side(x.shape[2]), side(x.shape[3])))

    def backward_conv2d(self, layer, g):
        shape, cols = self.stack.pop()
        g = g.flatten(2)
        layer.weight_grad += g.matmul(cols.mT).sum(0).view_as(layer.weight)
        layer.bias_grad += g.sum((0, 2))
        cols = layer.weight.flatten(1).t().matmul(g)
        return fold(cols, shape[2:], layer.k, padding=layer.padding, stride=layer.stride)

    def forward_transposeconv2d(self, layer, x):
        self.stack.append(x)
        side = lambda n: (n - 1) * layer.stride + layer.k - 2 * layer.padding
        cols = layer.weight.flatten(1).t().matmul(x.flatten(2))
        out = fold(cols, (side(x.shape[2]), side(x.shape[3])), layer.k, padding=layer.padding, stride=layer.stride)
        return out.add_(layer.bias.view(-1, 1, 1))

    def backward_transposeconv2d(self, layer, g):
        x = self.stack.pop()
        cols = unfold(g, layer.k, padding=layer.padding, stride=layer.stride)
        layer.weight_grad += x.flatten(2).matmul(cols.mT).sum(0).view_as(layer.weight)
        layer.bias_grad += g.sum((0, 2, 3))
        return layer.weight.flatten(1).matmul(cols).view_as(x)

    def forward_relu(self, layer, x):
        self.stack.append(x.sign().clamp(0))
        return x.clamp(0)

    def backward_relu(self, layer, g):
        return g.mul(self.stack.pop())

    def forward_sigmoid(self, layer, x):
        self.stack.append(x.sigmoid())
        return self.stack[-1].clone()

    def backward_sigmoid(self, layer, g):
        y = self.stack.pop()
        return g.mul(y).mul(1 - y)

    def forward_sequential(self, layer, x):
        for inner in layer.layers:
            x = self.forward(inner, x)
        return x

    def backward_sequential(self, layer, g):
        for inner in reversed(layer.layers):
            g = self.backward(inner, g)
        return g

    def forward_mse(self, layer, x, target):
        self.stack.append((x - target) / x.numel())
        return (x - target).pow(2).mean()

    def backward_mse(self, layer):
        return self.stack.pop() * 2

    def loss(self, layer, x, target):
        return self.forward_mse(layer, x, target)


class SGD:
    def __init__(self, net, lr):
        self.layers = [layer for layer in net.layers if isinstance(layer, (Conv2d, TransposeConv2d))]
        self.lr = lr

    def step(self):
        for layer in self.layers:
            layer.weight.add_(layer.weight_grad, alpha=-self.lr)
            layer.bias.add_(layer.bias_grad, alpha=-self.lr)

    def zero_grad(self):
        for layer in self.layers:
            layer.weight_grad.zero_()
            layer.bias_grad.zero_()
