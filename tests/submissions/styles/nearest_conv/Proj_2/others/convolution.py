"""Convolution and upsampling. The windows are views made by Tensor.unfold, nothing is looped over."""

from torch import empty

from .basics import Block


def surround(x, top, bottom, left, right):
    """Zeros around the pictures."""
    n, c, h, w = x.size()
    bigger = x.new_zeros((n, c, top + h + bottom, left + w + right))
    bigger[:, :, top:top + h, left:left + w] = x
    return bigger


def windows(x, kernel, stride):
    """(N, C, H, W) -> one row per window: (N * Hout * Wout, C * kernel * kernel), Hout, Wout"""
    view = x.unfold(2, kernel, stride).unfold(3, kernel, stride)
    n, c, h_out, w_out = view.size()[:4]
    return view.permute(0, 2, 3, 1, 4, 5).reshape(n * h_out * w_out, c * kernel * kernel), h_out, w_out


def as_rows(x):
    """(N, C, H, W) -> (N * H * W, C)"""
    return x.permute(0, 2, 3, 1).reshape(-1, x.size(1))


class Conv2d(Block):
    """
    padding: number of zeros on each side, or 'same' for an output as large as the input (for stride 1)
    """

    def __init__(self, in_channels, out_channels, kernel, stride=1, padding=0):
        self.kernel = kernel
        self.stride = stride
        if padding == 'same':
            before = (kernel - 1) // 2
            self.padding = (before, kernel - 1 - before) * 2
        else:
            self.padding = (padding,) * 4
        bound = (6 / (in_channels + out_channels) / kernel ** 2) ** 0.5  # Glorot & Bengio 2010
        self.weight = empty(out_channels, in_channels, kernel, kernel).uniform_(-bound, bound)
        self.bias = empty(out_channels).zero_()
        self.weight_derivative = empty(self.weight.size()).zero_()
        self.bias_derivative = empty(self.bias.size()).zero_()

    def forward(self, x):
        padded = surround(x, *self.padding)
        self.padded_size = padded.size()
        self.rows, h_out, w_out = windows(padded, self.kernel, self.stride)
        y = self.rows @ self.weight.view(self.weight.size(0), -1).t() + self.bias
        return y.view(x.size(0), h_out, w_out, -1).permute(0, 3, 1, 2)

    def backward(self, dy):
        delta = as_rows(dy)
        self.weight_derivative += (delta.t() @ self.rows).view(self.weight.size())
        self.bias_derivative += delta.sum(0)
        return self.input_derivative(dy)

    def input_derivative(self, dy):
        """Full convolution of dy, with stride - 1 zeros between its values, and the kernels turned by 180 degrees."""
        n, _, height, width = self.padded_size
        k, s = self.kernel, self.stride
        stretched = dy.new_zeros((n, dy.size(1), height + k - 1, width + k - 1))
        stretched[:, :, k - 1:k - 1 + s * dy.size(2):s, k - 1:k - 1 + s * dy.size(3):s] = dy
        turned = self.weight.flip((2, 3)).transpose(0, 1)
        dx = windows(stretched, k, 1)[0] @ turned.reshape(turned.size(0), -1).t()
        dx = dx.view(n, height, width, -1).permute(0, 3, 1, 2)
        top, bottom, left, right = self.padding
        return dx[:, :, top:height - bottom, left:width - right]

    def param(self):
        return [(self.weight, self.weight_derivative), (self.bias, self.bias_derivative)]


class Upsampling(Block):
    """
    Nearest neighbour: each pixel is repeated in both directions. Then a convolution, because this alone has nothing to
    learn.
    """

    def __init__(self, in_channels, out_channels, kernel, padding='same', scale_factor=2):
        self.scale = scale_factor
        self.conv = Conv2d(in_channels, out_channels, kernel, padding=padding)

    def forward(self, x):
        bigger = x.repeat_interleave(self.scale, dim=2).repeat_interleave(self.scale, dim=3)
        return self.conv.forward(bigger)

    def backward(self, dy):
        dx = self.conv.backward(dy)
        # a pixel is responsible for all of its copies
        copies = [dx[:, :, i::self.scale, j::self.scale] for i in range(self.scale) for j in range(self.scale)]
        return sum(copies)

    def param(self):
        return self.conv.param()
