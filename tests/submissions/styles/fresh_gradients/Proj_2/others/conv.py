"""Convolution and transposed convolution, one matrix product for each of the k x k positions of the kernel."""

from torch import empty

from .base import Module


class _Kernel(Module):
    """Common to both layers: parameters, their gradients and the loop over the kernel."""

    def __init__(self, shape, out_channels, fan_in, stride, padding):
        self.kernel_size = shape[2]
        self.stride = stride
        self.padding = padding
        self.weight = empty(shape).normal_(mean=0.0, std=(2.0 / fan_in) ** 0.5)
        self.bias = empty(1, out_channels, 1, 1).zero_()
        self.zero_grad()

    def zero_grad(self):
        self.dw = self.weight.new_zeros(self.weight.shape)
        self.db = self.bias.new_zeros(self.bias.shape)

    def param(self):
        return [(self.weight, self.dw), (self.bias, self.db)]

    def positions(self, height, width):
        """Yield (i, j, rows, cols): the pixels that meet kernel element (i, j) in height x width placements."""
        s = self.stride
        for i in range(self.kernel_size):
            for j in range(self.kernel_size):
                yield i, j, slice(i, i + s * height, s), slice(j, j + s * width, s)

    def pad(self, x):
        n, c, h, w = x.shape
        p = self.padding
        padded = x.new_zeros((n, c, h + 2 * p, w + 2 * p))
        padded[:, :, p : p + h, p : p + w] = x
        return padded

    def unpad(self, x, height, width):
        p = self.padding
        return x[:, :, p : p + height, p : p + width].contiguous()


class Conv2d(_Kernel):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__(
            (out_channels, in_channels, kernel_size, kernel_size),
            out_channels,
            in_channels * kernel_size**2,
            stride,
            padding,
        )

    def forward(self, x):
        assert x.dim() == 4, "expected a batch of images"
        self.in_shape = x.shape
        self.x = self.pad(x)
        h = (self.x.shape[2] - self.kernel_size) // self.stride + 1
        w = (self.x.shape[3] - self.kernel_size) // self.stride + 1
        y = x.new_zeros((len(x), len(self.weight), h * w))
        for i, j, rows, cols in self.positions(h, w):
            y = y + self.weight[:, :, i, j] @ self.x[:, :, rows, cols].flatten(2)
        return y.view(len(x), -1, h, w) + self.bias

    def backward(self, dy):
        n, c, h, w = dy.shape
        dw = self.weight.new_zeros(self.weight.shape)
        dx = self.x.new_zeros(self.x.shape)
        dy_flat = dy.flatten(2)
        for i, j, rows, cols in self.positions(h, w):
            patch = self.x[:, :, rows, cols].flatten(2)
            dw[:, :, i, j] = (dy_flat @ patch.transpose(1, 2)).sum(0)
            dx[:, :, rows, cols] += (self.weight[:, :, i, j].t() @ dy_flat).view(n, -1, h, w)
        self.dw = self.dw + dw
        self.db = self.db + dy.sum((0, 2, 3), keepdim=True)
        return self.unpad(dx, *self.in_shape[2:])


class TransposeConv2d(_Kernel):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__(
            (in_channels, out_channels, kernel_size, kernel_size),
            out_channels,
            in_channels * kernel_size**2 / stride**2,
            stride,
            padding,
        )

    def forward(self, x):
        assert x.dim() == 4, "expected a batch of images"
        n, _, h, w = x.shape
        self.x = x
        full_h = (h - 1) * self.stride + self.kernel_size
        full_w = (w - 1) * self.stride + self.kernel_size
        y = x.new_zeros((n, self.weight.shape[1], full_h, full_w))
        for i, j, rows, cols in self.positions(h, w):
            y[:, :, rows, cols] += (self.weight[:, :, i, j].t() @ x.flatten(2)).view(n, -1, h, w)
        return self.unpad(y, full_h - 2 * self.padding, full_w - 2 * self.padding) + self.bias

    def backward(self, dy):
        n, _, h, w = self.x.shape
        dw = self.weight.new_zeros(self.weight.shape)
        dx = self.x.new_zeros((n, len(self.weight), h * w))
        padded = self.pad(dy)
        for i, j, rows, cols in self.positions(h, w):
            patch = padded[:, :, rows, cols].flatten(2)
            dw[:, :, i, j] = (self.x.flatten(2) @ patch.transpose(1, 2)).sum(0)
            dx = dx + self.weight[:, :, i, j] @ patch
        self.dw = self.dw + dw
        self.db = self.db + dy.sum((0, 2, 3), keepdim=True)
        return dx.view(n, -1, h, w)
