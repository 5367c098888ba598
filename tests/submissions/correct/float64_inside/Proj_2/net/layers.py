"""Everything is computed in double precision and returned in the precision of what came in."""

from torch import arange, empty, float64


class Layer:
    def param(self):
        return []

    def __call__(self, *x):
        return self.forward(*x)


def twice(value):
    return (value, value) if isinstance(value, int) else tuple(value)


class Indexed(Layer):
    """A convolution as two gathers: `index` holds, for each pixel of a patch and each patch, its place in the picture."""

    def prepare(self, shape, out_channels, stride, padding, dilation, bias):
        self.weight = empty(*shape).normal_(std=(shape[1] * shape[2] * shape[3]) ** -0.5)
        self.bias = empty(out_channels).normal_(std=0.1) if bias else None
        self.gradients = [empty(*shape).zero_(), empty(out_channels).zero_()]
        self.kernel, self.stride, self.padding, self.dilation = shape[2:], twice(stride), twice(padding), twice(dilation)

    def index(self, height, width, rows, columns):
        """kh·kw × rows·columns places in a padded picture of that height and width."""

        def along(axis, count):
            k = arange(self.kernel[axis]) * self.dilation[axis]
            return k[:, None] + arange(count)[None, :] * self.stride[axis]  # k, count

        i, j = along(0, rows), along(1, columns)
        return (i[:, None, :, None] * width + j[None, :, None, :]).reshape(self.kernel[0] * self.kernel[1], rows * columns)

    def padded(self, x):
        (p, q), (n, c, h, w) = self.padding, x.shape
        y = empty(n, c, h + 2 * p, w + 2 * q, dtype=float64).zero_()
        y[:, :, p : h + p, q : w + q] = x
        return y

    def unpadded(self, y):
        (p, q), (h, w) = self.padding, y.shape[2:]
        return y[:, :, p : h - p, q : w - q]

    def patches(self, x, index):
        """N × C·kh·kw × positions of a padded N×C×H×W."""
        return x.flatten(2)[:, :, index].flatten(1, 2)

    def scattered(self, patches, index, n, c, h, w):
        flat = empty(n, c, h * w, dtype=float64).zero_()
        flat.index_add_(2, index.flatten(), patches.reshape(n, c, -1))
        return flat.view(n, c, h, w)

    def reach(self, axis):
        return self.dilation[axis] * (self.kernel[axis] - 1) + 1

    def matrix(self):
        return self.weight.double().flatten(1)

    def learn(self, weight_gradient, grad):
        self.gradients[0] += weight_gradient.view(self.weight.shape).float()
        if self.bias is not None:
            self.gradients[1] += grad.double().sum((0, 2, 3)).float()

    def biased(self, y):
        return y if self.bias is None else y + self.bias.double().view(-1, 1, 1)

    def param(self):
        return [(p, g) for p, g in zip((self.weight, self.bias), self.gradients) if p is not None]


class Conv2d(Indexed):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        assert groups == 1, "groups are not implemented"
        self.prepare((out_channels, in_channels, *twice(kernel_size)), out_channels, stride, padding, dilation, bias)

    def forward(self, x):
        padded = self.padded(x)
        self.shape = padded.shape
        rows, columns = ((self.shape[2 + a] - self.reach(a)) // self.stride[a] + 1 for a in (0, 1))
        self.places = self.index(*self.shape[2:], rows, columns)
        self.saved = self.patches(padded, self.places)
        y = (self.matrix() @ self.saved).view(len(x), -1, rows, columns)
        return self.biased(y).to(x.dtype)

    def backward(self, grad):
        flat = grad.double().flatten(2)
        self.learn((flat @ self.saved.mT).sum(0), grad)
        return self.unpadded(self.scattered(self.matrix().t() @ flat, self.places, *self.shape)).to(grad.dtype)


class TransposeConv2d(Indexed):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1,
                 bias=True, dilation=1):
        assert groups == 1, "groups are not implemented"
        self.extra = twice(output_padding)
        self.prepare((in_channels, out_channels, *twice(kernel_size)), out_channels, stride, padding, dilation, bias)

    def forward(self, x):
        self.saved, (rows, columns) = x.double().flatten(2), x.shape[2:]
        h, w = ((x.shape[2 + a] - 1) * self.stride[a] + self.reach(a) + self.extra[a] for a in (0, 1))
        self.places, self.size = self.index(h, w, rows, columns), (rows, columns)
        y = self.scattered(self.matrix().t() @ self.saved, self.places, len(x), self.weight.shape[1], h, w)
        return self.biased(self.unpadded(y)).to(x.dtype)

    def backward(self, grad):
        patches = self.patches(self.padded(grad), self.places)
        self.learn((self.saved @ patches.mT).sum(0), grad)
        return (self.matrix() @ patches).view(len(grad), -1, *self.size).to(grad.dtype)


class ReLU(Layer):
    def forward(self, x):
        self.where = (x > 0).double()
        return (x.double() * self.where).to(x.dtype)

    def backward(self, grad):
        return (grad.double() * self.where).to(grad.dtype)


class Sigmoid(Layer):
    def forward(self, x):
        self.y = 1 / (1 + (-x.double().clamp(-700, 700)).exp())
        return self.y.to(x.dtype)

    def backward(self, grad):
        return (grad.double() * self.y * (1 - self.y)).to(grad.dtype)


class MSE(Layer):
    def forward(self, x, target):
        self.difference = x.double() - target.double()
        return float((self.difference**2).mean())

    def backward(self):
        return (2 * self.difference / self.difference.numel()).float()


class Sequential(Layer):
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad

    def param(self):
        return [one for layer in self.layers for one in layer.param()]


class SGD:
    def __init__(self, params, lr=0.1, momentum=0.0):
        self.params, self.lr, self.momentum = params, lr, momentum
        self.velocities = [g.double() * 0 for _, g in params]

    def zero_grad(self):
        for _, g in self.params:
            g.zero_()

    def step(self):
        for (p, g), v in zip(self.params, self.velocities):
            v *= self.momentum
            v += g
            p -= (self.lr * v).to(p.dtype)
