from torch import empty
from .tools import im2col, col2im, to_matrix, from_matrix, insert_zeros, xavier


class Module(object):
    def forward(self, x):
        raise NotImplementedError

    def backward(self, dy):
        raise NotImplementedError

    def param(self):
        return []


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        k2 = kernel_size * kernel_size
        self.weight = xavier((out_channels, in_channels, kernel_size, kernel_size), in_channels * k2, out_channels * k2)
        self.bias = empty(out_channels).zero_()
        self.weight_grad = self.weight * 0
        self.bias_grad = self.bias * 0

    def forward(self, x):
        self.x_shape = x.shape
        n, _, h, w = x.shape
        ho = (h + 2 * self.padding - self.kernel_size) // self.stride + 1
        wo = (w + 2 * self.padding - self.kernel_size) // self.stride + 1
        self.X = im2col(x, self.kernel_size, self.stride, self.padding)
        Y = self.weight.reshape(self.out_channels, -1) @ self.X + self.bias.reshape(-1, 1)
        return from_matrix(Y, n, ho, wo)

    def backward(self, dy):
        n, _, h, w = self.x_shape
        dY = to_matrix(dy)
        self.weight_grad += (dY @ self.X.t()).reshape(self.weight.shape)
        self.bias_grad += dY.sum(1)
        dX = self.weight.reshape(self.out_channels, -1).t() @ dY
        return col2im(dX, n, (h, w), self.kernel_size, self.stride, self.padding)

    def param(self):
        return [(self.weight, self.weight_grad), (self.bias, self.bias_grad)]


class TransposeConv2d(Module):
    """
    Transposed convolution: zeros are inserted between the input pixels and a
    normal convolution (stride 1, padding k-1-p) with the rotated kernel follows.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        k2 = kernel_size * kernel_size
        self.weight = xavier((in_channels, out_channels, kernel_size, kernel_size), in_channels * k2 / stride, out_channels * k2)
        self.bias = empty(out_channels).zero_()
        self.weight_grad = self.weight * 0
        self.bias_grad = self.bias * 0

    def _rotated(self):
        w = self.weight.flip(2).flip(3)
        return w.transpose(0, 1).reshape(self.out_channels, -1)

    def forward(self, x):
        n, _, h, w = x.shape
        k, p = self.kernel_size, self.padding
        z = insert_zeros(x, self.stride)
        self.z_shape = z.shape
        self.Z = im2col(z, k, 1, k - 1 - p)
        Y = self._rotated() @ self.Z + self.bias.reshape(-1, 1)
        ho = (h - 1) * self.stride - 2 * p + k
        wo = (w - 1) * self.stride - 2 * p + k
        return from_matrix(Y, n, ho, wo)

    def backward(self, dy):
        n, _, h, w = self.z_shape
        k, p, s = self.kernel_size, self.padding, self.stride
        dY = to_matrix(dy)
        dW = (dY @ self.Z.t()).reshape(self.out_channels, self.in_channels, k, k)
        self.weight_grad += dW.transpose(0, 1)
        self.bias_grad += dY.sum(1)
        dz = col2im(self._rotated().t() @ dY, n, (h, w), k, 1, k - 1 - p)
        return dz[:, :, ::s, ::s]

    def param(self):
        return [(self.weight, self.weight_grad), (self.bias, self.bias_grad)]


class ReLU(Module):
    def forward(self, x):
        self.x = x
        return x.max(x.new_zeros(1))

    def backward(self, dy):
        return dy * (self.x > 0)


class Sigmoid(Module):
    def forward(self, x):
        self.y = x.sigmoid()
        return self.y

    def backward(self, dy):
        return dy * self.y * (1 - self.y)


class Sequential(Module):
    def __init__(self, *modules):
        self.modules = modules

    def forward(self, x):
        for m in self.modules:
            x = m.forward(x)
        return x

    def backward(self, dy):
        for m in reversed(self.modules):
            dy = m.backward(dy)
        return dy

    def param(self):
        return [p for m in self.modules for p in m.param()]


class MSE(Module):
    def forward(self, x, target):
        self.x = x
        self.target = target
        return (x - target).square().mean().item()

    def backward(self):
        n = self.x.shape[0] * self.x.shape[1] * self.x.shape[2] * self.x.shape[3]
        return 2 * (self.x - self.target) / n


class SGD():
    def __init__(self, params, lr=1e-2, momentum=0):
        self.params = params
        self.lr = lr
        self.momentum = momentum
        self.buffers = None

    def step(self):
        if self.buffers is None:
            self.buffers = [g.clone() for (_, g) in self.params]
        else:
            for b, (_, g) in zip(self.buffers, self.params):
                b *= self.momentum
                b += g
        for b, (w, _) in zip(self.buffers, self.params):
            w -= self.lr * b

    def zero_grad(self):
        for (_, g) in self.params:
            g *= 0
