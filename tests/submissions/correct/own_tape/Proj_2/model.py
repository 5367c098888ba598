"""A tape of one's own: forward writes down how each step is undone, and backward plays the tape once, in reverse."""

import pathlib

import torch
from torch import empty
from torch.nn import functional as F

torch.set_grad_enabled(False)


class Parameter:
    def __init__(self, value):
        self.value, self.grad = value, value.new_zeros(value.shape)


class Module(object):
    """`steps(x)` computes the output through `self.do`, which takes a value and the function of its gradient."""

    def __init__(self):
        self.tape, self.parameters = [], {}

    def __getattr__(self, name):  # weight and bias are looked up among the parameters
        if name in ("weight", "bias"):
            found = self.parameters.get(name)
            return None if found is None else found.value
        raise AttributeError(name)

    def __setattr__(self, name, value):
        if name in ("weight", "bias"):
            self.parameters[name].value = value
        else:
            object.__setattr__(self, name, value)

    def do(self, value, undo):
        self.tape.append(undo)
        return value

    def add_to(self, name, grad):
        self.parameters[name].grad.add_(grad.reshape(self.parameters[name].grad.shape))

    def forward(self, *x):
        self.tape.clear()
        return self.steps(*x)

    def backward(self, *grad):
        if not self.tape:
            raise RuntimeError("backward comes after a forward, and once")
        grad = grad[0] if grad else 1.0
        while self.tape:
            grad = self.tape.pop()(grad)
        return grad

    def param(self):
        return [[p.value, p.grad] for p in self.parameters.values()]


def pair(v):
    return v if isinstance(v, tuple) else (v, v)


class Convolution(Module):
    def build(self, shape, outputs, bias, **geometry):
        super().__init__()
        self.geometry = dict(geometry, kernel_size=shape[2:])
        self.parameters["weight"] = Parameter(empty(shape).normal_().div_((shape[1] * shape[2] * shape[3]) ** 0.5))
        if bias:
            self.parameters["bias"] = Parameter(empty(outputs).zero_())

    def unfolded(self, x):
        size = x.shape[2:]
        return self.do(F.unfold(x, **self.geometry), lambda grad: F.fold(grad, size, **self.geometry))

    def folded(self, columns, size):
        return self.do(F.fold(columns, size, **self.geometry), lambda grad: F.unfold(grad, **self.geometry))

    def times_weight(self, x, transposed):
        matrix = self.weight.reshape(self.weight.shape[0], -1)
        matrix = matrix.t() if transposed else matrix

        def undo(grad):
            product = (grad @ x.transpose(1, 2)).sum(0)
            self.add_to("weight", product.t() if transposed else product)
            return matrix.t() @ grad

        return self.do(matrix @ x, undo)

    def plus_bias(self, x):
        if self.bias is None:
            return x

        def undo(grad):
            self.add_to("bias", grad.sum(dim=[0, 2, 3]))
            return grad

        return self.do(x + self.bias[:, None, None], undo)

    def shaped(self, x, *shape):
        before = x.shape
        return self.do(x.reshape(shape), lambda grad: grad.reshape(before))


class Conv2d(Convolution):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        assert groups == 1
        shape = (out_channels, in_channels, *pair(kernel_size))
        self.build(shape, out_channels, bias, stride=pair(stride), padding=pair(padding), dilation=pair(dilation))

    def steps(self, x):
        y = self.times_weight(self.unfolded(x), transposed=False)
        g = self.geometry
        rows = (x.shape[2] + 2 * g["padding"][0] - g["dilation"][0] * (g["kernel_size"][0] - 1) - 1) // g["stride"][0] + 1
        return self.plus_bias(self.shaped(y, len(x), -1, rows, y.shape[2] // rows))


class TransposeConv2d(Convolution):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1,
                 bias=True, dilation=1):
        assert groups == 1
        shape = (in_channels, out_channels, *pair(kernel_size))
        self.build(shape, out_channels, bias, stride=pair(stride), padding=pair(padding), dilation=pair(dilation))
        self.output_padding = pair(output_padding)

    def steps(self, x):
        g = self.geometry
        size = [
            (x.shape[2 + i] - 1) * g["stride"][i] - 2 * g["padding"][i]
            + g["dilation"][i] * (g["kernel_size"][i] - 1) + self.output_padding[i] + 1
            for i in (0, 1)
        ]
        columns = self.times_weight(self.shaped(x, *x.shape[:2], -1), transposed=True)
        return self.plus_bias(self.folded(columns, size))


class NearestUpsampling(Module):
    def __init__(self, scale_factor):
        super().__init__()
        self.factor = pair(scale_factor)

    def steps(self, x):
        (n, c, h, w), (a, b) = x.shape, self.factor
        y = x.repeat_interleave(a, dim=2).repeat_interleave(b, dim=3)
        return self.do(y, lambda grad: grad.reshape(n, c, h, a, w, b).sum(5).sum(3))


class ReLU(Module):
    def steps(self, x):
        return self.do(x.relu(), lambda grad: grad * (x > 0))


class Sigmoid(Module):
    def steps(self, x):
        y = x.sigmoid()
        return self.do(y.clone(), lambda grad: grad * (y - y * y))


class MSE(Module):
    def steps(self, x, target):
        error = x - target
        mean = self.do(error.pow(2).mean(), lambda grad: grad * 2 * error / error.numel())
        return mean


class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = layers

    def steps(self, x):
        for layer in self.layers:
            x = self.do(layer.forward(x), layer.backward)
        return x

    def param(self):
        return [pair for layer in self.layers for pair in layer.param()]


class SGD:
    def __init__(self, params, lr, momentum=0):
        self.params, self.lr, self.momentum = params, lr, momentum
        self.state = [grad.clone().zero_() for _, grad in params]

    def zero_grad(self):
        for _, grad in self.params:
            grad.zero_()

    def step(self):
        for (value, grad), state in zip(self.params, self.state):
            state.copy_(self.momentum * state + grad)
            value -= self.lr * state


HERE = pathlib.Path(__file__).parent


class Model(Sequential):
    def __init__(self):
        super().__init__(
            Conv2d(3, 16, 3, stride=2, padding=1), ReLU(),
            Conv2d(16, 32, 2, stride=2), ReLU(),
            TransposeConv2d(32, 16, 2, stride=2), ReLU(),
            TransposeConv2d(16, 3, 2, stride=2), Sigmoid(),
        )

    def load_pretrained_model(self):
        with (HERE / "bestmodel.pth").open("rb") as file:
            for (value, _), saved in zip(self.param(), torch.load(file)):
                value.copy_(saved)

    def train(self, noisy_in, noisy_out, num_epochs):
        loss, optimiser = MSE(), SGD(self.param(), lr=2, momentum=0.9)
        for _ in range(num_epochs):
            for start in range(0, noisy_in.shape[0], 64):
                x, y = (t[start : start + 64].to(torch.float32).div(255) for t in (noisy_in, noisy_out))
                loss.forward(self.forward(x), y)
                optimiser.zero_grad()
                self.backward(loss.backward())
                optimiser.step()

    def predict(self, noisy):
        h, w = noisy.shape[-2:]
        x = empty(noisy.shape[0], 3, (h + 3) // 4 * 4, (w + 3) // 4 * 4).zero_()
        x[:, :, :h, :w].copy_(noisy)
        return (self.forward(x / 255) * 255)[:, :, :h, :w]
