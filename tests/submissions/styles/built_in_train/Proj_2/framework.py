"""Parameters and their gradients lie in dictionaries with the same keys; backward returns a dictionary, too."""
from torch import empty, arange
from torch.nn.functional import fold, unfold


class Layer:
    params, grads = {}, {}

    def __call__(self, x):
        return self.forward(x)

    def zero(self):
        for g in self.grads.values():
            g.fill_(0.0)

    def keep(self, found):
        for key, g in found.items():
            self.grads[key] += g


class Conv2d(Layer):
    def __init__(self, n_in, n_out, kernel=3, stride=1, pad=0):
        self.n_in, self.n_out, self.kernel, self.stride, self.pad = n_in, n_out, kernel, stride, pad
        s = (6 / (n_in * kernel ** 2)) ** 0.5
        self.params = {"W": empty(n_out, n_in * kernel ** 2).uniform_(-s, s), "b": empty(n_out, 1).zero_()}
        self.grads = {key: p.clone().zero_() for key, p in self.params.items()}

    def size_after(self, length):
        return 1 + (length + 2 * self.pad - self.kernel) // self.stride

    def patches(self, x):
        # C*k*k x N*L: all pictures side by side
        return unfold(x, self.kernel, 1, self.pad, self.stride).transpose(0, 1).flatten(1)

    def forward(self, x):
        self.size = x.size()
        self.P = self.patches(x)
        y = self.params["W"].mm(self.P) + self.params["b"]
        rows, cols = self.size_after(x.size(2)), self.size_after(x.size(3))
        return y.view(self.n_out, x.size(0), rows, cols).transpose(0, 1)

    def backward(self, dy):
        n = self.size[0]
        flat = dy.transpose(0, 1).flatten(1)
        dW = flat.mm(self.P.t())
        self.keep({"W": dW, "b": flat.sum(1, keepdim=True)})
        dP = self.params["W"].t().mm(flat).view(self.P.size(0), n, -1).transpose(0, 1)
        return fold(dP, self.size[2:], self.kernel, 1, self.pad, self.stride)


class NearestUpsampling(Layer):
    def __init__(self, scale_factor):
        self.scale_factor = scale_factor

    def pick(self, length, x):
        return arange(length * self.scale_factor, device=x.device).div(self.scale_factor, rounding_mode="floor")

    def forward(self, x):
        return x[:, :, self.pick(x.size(2), x)][:, :, :, self.pick(x.size(3), x)]

    def backward(self, dy):
        f = self.scale_factor
        n, c, h, w = dy.size()
        return dy.reshape(n, c, h // f, f, w // f, f).sum(dim=(3, 5))


class ReLU(Layer):
    def forward(self, x):
        self.on = (x > 0).to(x.dtype)
        return x * self.on

    def backward(self, dy):
        return dy * self.on


class Sigmoid(Layer):
    def forward(self, x):
        self.y = 1 / (1 + x.neg().exp())
        return self.y

    def backward(self, dy):
        return dy * (self.y - self.y * self.y)


class Sequential(Layer):
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def backward(self, dy):
        for i in range(len(self.layers), 0, -1):
            dy = self.layers[i - 1].backward(dy)
        return dy

    def zero(self):
        for layer in self.layers:
            layer.zero()


class MSE:
    def __init__(self, reduction, net):
        self.reduction, self.net = reduction, net

    def __call__(self, out, target):
        self.error = out - target
        self.count = out.numel() if self.reduction == "mean" else 1
        return (self.error ** 2).sum() / self.count

    def backward(self):
        return self.net.backward(self.error * 2 / self.count)


class Constant:
    """A schedule: the factor of the learning rate in step i."""

    def factor(self, i):
        return 1


class SGD:
    def __init__(self, net, schedule, learning_rate):
        self.net, self.schedule, self.learning_rate, self.i = net, schedule, learning_rate, 0

    def step(self):
        rate = self.learning_rate * self.schedule.factor(self.i)
        self.i += 1
        for layer in self.net.layers:
            for key in layer.params:
                layer.params[key] -= rate * layer.grads[key]
