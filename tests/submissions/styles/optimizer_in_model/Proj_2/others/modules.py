"""
Building blocks of our network.

Every block has
    forward(x)    the output of the block
    backward(dy)  the gradient with respect to the input of the block. The gradients of the parameters are
                  summed up until someone sets them back to zero.
    params()      [w, dw, b, db] for blocks with parameters, [] for the others
"""
from torch import empty
from torch.nn.functional import fold, unfold


class Module:
    def forward(self, x):
        raise NotImplementedError

    def backward(self, dy):
        raise NotImplementedError

    def params(self):
        return []

    def __call__(self, *args):
        return self.forward(*args)


class Conv2d(Module):
    """2D convolution. kernel_size, stride and padding are one number or a tuple (vertical, horizontal)."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.kernel_size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        self.stride = (stride, stride) if isinstance(stride, int) else stride
        self.padding = (padding, padding) if isinstance(padding, int) else padding

        kh, kw = self.kernel_size
        # He initialisation, as the convolutions are followed by ReLUs
        std = (2 / (in_channels * kh * kw)) ** 0.5
        self.w = empty(out_channels, in_channels, kh, kw).normal_(0, std)
        self.b = empty(out_channels).fill_(0)
        self.dw = empty(self.w.shape).fill_(0)
        self.db = empty(self.b.shape).fill_(0)

    def forward(self, x):
        n, _, h, w = x.shape
        self.input_size = (h, w)
        h_out = (h + 2 * self.padding[0] - self.kernel_size[0]) // self.stride[0] + 1
        w_out = (w + 2 * self.padding[1] - self.kernel_size[1]) // self.stride[1] + 1

        # (N, L, C_in*kh*kw): one row per position of the kernel
        self.patches = unfold(x, self.kernel_size, padding=self.padding, stride=self.stride).transpose(1, 2)
        out = self.patches @ self.w.view(self.w.shape[0], -1).t() + self.b
        return out.transpose(1, 2).reshape(n, -1, h_out, w_out)

    def backward(self, dy):
        dy = dy.reshape(dy.shape[0], dy.shape[1], -1)  # (N, C_out, L)
        dw = (dy @ self.patches).sum(0)
        self.dw += dw.view(self.w.shape)
        self.db += dy.sum(dim=(0, 2))

        dpatches = dy.transpose(1, 2) @ self.w.view(self.w.shape[0], -1)
        return fold(
            dpatches.transpose(1, 2),
            self.input_size,
            self.kernel_size,
            padding=self.padding,
            stride=self.stride,
        )

    def params(self):
        return [self.w, self.dw, self.b, self.db]


class NearestUpsampling(Module):
    """Every pixel becomes a square of scale_factor x scale_factor equal pixels."""

    def __init__(self, scale_factor):
        self.scale_factor = scale_factor

    def forward(self, x):
        s = self.scale_factor
        return x.repeat_interleave(s, dim=2).repeat_interleave(s, dim=3)

    def backward(self, dy):
        # a pixel gets the gradients of all its copies
        s = self.scale_factor
        n, c, h, w = dy.shape
        return dy.reshape(n, c, h // s, s, w // s, s).sum(dim=(3, 5))


class ReLU(Module):
    def forward(self, x):
        self.positive = (x > 0).to(x.dtype)
        return x * self.positive

    def backward(self, dy):
        return dy * self.positive


class Sigmoid(Module):
    def forward(self, x):
        self.s = x.sigmoid()
        return self.s

    def backward(self, dy):
        return dy * self.s * (1 - self.s)


class Sequential(Module):
    def __init__(self, *modules):
        self.modules = modules

    def forward(self, x):
        for module in self.modules:
            x = module.forward(x)
        return x

    def backward(self, dy):
        for module in self.modules[::-1]:
            dy = module.backward(dy)
        return dy

    def params(self):
        all_params = []
        for module in self.modules:
            all_params += module.params()
        return all_params


class LossMSE(Module):
    """Mean of the squared errors over the batch, the channels and the pixels."""

    def forward(self, prediction, target):
        self.prediction = prediction
        self.target = target
        return ((prediction - target) ** 2).mean()

    def backward(self):
        return 2 * (self.prediction - self.target) / self.prediction.numel()
