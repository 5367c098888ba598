"""The graded modules: each forward saves what its backward reads, each backward adds to the gradients."""

from torch import empty
from torch.nn.functional import fold, unfold


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


class Module:
    def forward(self, *inputs):
        raise NotImplementedError

    def backward(self, *grad_outputs):
        raise NotImplementedError

    def param(self):
        return []

    def zero_grad(self):
        for _, grad in self.param():
            grad.zero_()

    def __call__(self, *inputs):
        return self.forward(*inputs)


class ReLU(Module):
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, grad_y):
        return grad_y * self.mask


class Sigmoid(Module):
    def forward(self, x):
        self.y = x.sigmoid()
        return self.y.clone()

    def backward(self, grad_y):
        return grad_y * self.y * (1 - self.y)


class MSE(Module):
    """The mean over all elements of the squared difference."""

    def forward(self, x, target):
        self.difference = x - target
        return (self.difference**2).mean()

    def backward(self):
        return 2 * self.difference / self.difference.numel()


class Sequential(Module):
    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad_y):
        for layer in reversed(self.layers):
            grad_y = layer.backward(grad_y)
        return grad_y

    def param(self):
        return [pair for layer in self.layers for pair in layer.param()]


class Convolution(Module):
    """What both convolutions share: weight and bias, their gradients, and the geometry of the windows."""

    def __init__(self, weight_shape, fan_in, out_channels, stride, padding, dilation, bias):
        bound = fan_in**-0.5
        self.weight = empty(weight_shape).uniform_(-bound, bound)
        self.weight_grad = empty(weight_shape).zero_()
        self.bias = empty(out_channels).uniform_(-bound, bound) if bias else None
        self.bias_grad = empty(out_channels).zero_() if bias else None
        self.windows = {
            "kernel_size": weight_shape[2:],
            "stride": pair(stride),
            "padding": pair(padding),
            "dilation": pair(dilation),
        }

    def add_bias(self, y):
        return y if self.bias is None else y + self.bias.view(1, -1, 1, 1)

    def add_bias_grad(self, grad_y):
        if self.bias is not None:
            self.bias_grad += grad_y.sum((0, 2, 3))

    def param(self):
        pairs = [(self.weight, self.weight_grad)]
        return pairs if self.bias is None else [*pairs, (self.bias, self.bias_grad)]


class Conv2d(Convolution):
    """y = W · unfold(x) + b, with W as C_out × C_in·kh·kw."""

    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True
    ):
        if groups != 1:
            raise NotImplementedError(f"Conv2d takes groups=1 only, not {groups}")
        shape = (out_channels, in_channels, *pair(kernel_size))
        fan_in = in_channels * shape[2] * shape[3]
        super().__init__(shape, fan_in, out_channels, stride, padding, dilation, bias)

    def output_size(self, size, axis):
        w = {name: values[axis] for name, values in self.windows.items()}
        return (size + 2 * w["padding"] - w["dilation"] * (w["kernel_size"] - 1) - 1) // w["stride"] + 1

    def forward(self, x):
        self.x_shape = x.shape
        self.columns = unfold(x, **self.windows)  # N, C_in*kh*kw, Ho*Wo
        y = self.weight.flatten(1) @ self.columns  # N, C_out, Ho*Wo
        size = self.output_size(x.shape[2], 0), self.output_size(x.shape[3], 1)
        return self.add_bias(y.view(x.shape[0], -1, *size))

    def backward(self, grad_y):
        grad = grad_y.flatten(2)  # N, C_out, Ho*Wo
        self.weight_grad += (grad @ self.columns.transpose(1, 2)).sum(0).view(self.weight.shape)
        self.add_bias_grad(grad_y)
        return fold(self.weight.flatten(1).t() @ grad, self.x_shape[2:], **self.windows)


class TransposeConv2d(Convolution):
    """y = fold(Wᵀ · x) + b, with W as C_in × C_out·kh·kw: the backward of Conv2d run forward."""

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        output_padding=0,
        groups=1,
        bias=True,
        dilation=1,
    ):
        if groups != 1:
            raise NotImplementedError(f"TransposeConv2d takes groups=1 only, not {groups}")
        shape = (in_channels, out_channels, *pair(kernel_size))
        fan_in = out_channels * shape[2] * shape[3]
        super().__init__(shape, fan_in, out_channels, stride, padding, dilation, bias)
        self.output_padding = pair(output_padding)

    def output_size(self, size, axis):
        w = {name: values[axis] for name, values in self.windows.items()}
        covered = w["dilation"] * (w["kernel_size"] - 1) + 1
        return (size - 1) * w["stride"] - 2 * w["padding"] + covered + self.output_padding[axis]

    def forward(self, x):
        self.x_size = x.shape[2:]
        self.x = x.flatten(2)  # N, C_in, H*W
        size = self.output_size(x.shape[2], 0), self.output_size(x.shape[3], 1)
        return self.add_bias(fold(self.weight.flatten(1).t() @ self.x, size, **self.windows))

    def backward(self, grad_y):
        columns = unfold(grad_y, **self.windows)  # N, C_out*kh*kw, H*W
        self.weight_grad += (self.x @ columns.transpose(1, 2)).sum(0).view(self.weight.shape)
        self.add_bias_grad(grad_y)
        return (self.weight.flatten(1) @ columns).view(*self.x.shape[:2], *self.x_size)


class NearestUpsampling(Module):
    def __init__(self, scale_factor):
        self.scale = pair(scale_factor)

    def forward(self, x):
        self.x_shape = x.shape
        return x.repeat_interleave(self.scale[0], 2).repeat_interleave(self.scale[1], 3)

    def backward(self, grad_y):
        n, c, h, w = self.x_shape
        return grad_y.reshape(n, c, h, self.scale[0], w, self.scale[1]).sum((3, 5))


class SGD:
    """torch's SGD over the pairs that `param()` lists."""

    def __init__(self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False):
        self.params = list(params)
        self.lr, self.momentum, self.dampening = lr, momentum, dampening
        self.weight_decay, self.nesterov = weight_decay, nesterov
        self.velocities = [None for _ in self.params]

    def zero_grad(self):
        for _, grad in self.params:
            grad.zero_()

    def step(self):
        for i, (weight, grad) in enumerate(self.params):
            step = grad + self.weight_decay * weight
            if self.momentum:
                velocity = self.velocities[i]
                kept = 0 if velocity is None else self.momentum * velocity
                velocity = step.clone() if velocity is None else kept + (1 - self.dampening) * step
                self.velocities[i] = velocity
                step = step + self.momentum * velocity if self.nesterov else velocity
            weight -= self.lr * step
