from torch import arange, empty

from .module import Module


def patch_indices(height, width, kernel_size, stride):
    """LongTensor (kernel_size ** 2, number of patches): the pixels of all patches in a flattened image."""
    rows = arange(0, height - kernel_size + 1, stride)
    columns = arange(0, width - kernel_size + 1, stride)
    corners = (rows[:, None] * width + columns).reshape(1, -1)
    k = arange(kernel_size)
    inside = (k[:, None] * width + k).reshape(-1, 1)
    return inside + corners


def gather(image, indices):
    """(N, C, H, W) -> (N, C * k * k, number of patches)"""
    n, c = image.shape[:2]
    patches = image.flatten(2)[:, :, indices.to(image.device)]
    return patches.reshape(n, c * indices.shape[0], -1)


def scatter(patches, indices, channels, height, width):
    """Inverse direction: pixels which are in several patches get the sum."""
    image = patches.new_zeros(len(patches), channels, height * width)
    image.index_add_(2, indices.flatten().to(image.device), patches.reshape(len(patches), channels, -1))
    return image.view(-1, channels, height, width)


def pad(x, p):
    padded = x.new_zeros(x.shape[0], x.shape[1], x.shape[2] + 2 * p, x.shape[3] + 2 * p)
    padded[:, :, p:p + x.shape[2], p:p + x.shape[3]] = x
    return padded


def crop(x, p):
    return x[:, :, p:x.shape[2] - p, p:x.shape[3] - p]


class _Convolution(Module):
    """Parameters and gradients of both layers; each element of param() is a list [value, gradient]."""

    def __init__(self, shape, out_channels, fan_in, stride, padding, bias):
        super(_Convolution, self).__init__()
        self.kernel_size, self.stride, self.padding = shape[2], stride, padding
        bound = (3. / fan_in) ** .5
        self.weight = empty(shape).uniform_(-bound, bound)
        self.grad_weight = empty(shape).zero_()
        self.bias = empty(out_channels).zero_() if bias else None
        self.grad_bias = empty(out_channels).zero_() if bias else None

    def param(self):
        parameters = [[self.weight, self.grad_weight]]
        if self.bias is not None:
            parameters.append([self.bias, self.grad_bias])
        return parameters


class Conv2d(_Convolution):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        fan_in = in_channels * kernel_size ** 2
        super(Conv2d, self).__init__(
            (out_channels, in_channels, kernel_size, kernel_size), out_channels, fan_in, stride, padding, bias)

    def forward(self, *input):
        x = pad(input[0], self.padding)
        indices = patch_indices(x.shape[2], x.shape[3], self.kernel_size, self.stride)
        patches = gather(x, indices)
        self.save(x.shape, indices, patches)
        y = self.weight.flatten(1).matmul(patches)
        if self.bias is not None:
            y = y + self.bias[:, None]
        return y.view(len(x), -1, (x.shape[2] - self.kernel_size) // self.stride + 1,
                      (x.shape[3] - self.kernel_size) // self.stride + 1)

    def backward(self, *gradwrtoutput):
        (n, c, h, w), indices, patches = self.restore()
        grad = gradwrtoutput[0].flatten(2)
        self.grad_weight += grad.matmul(patches.transpose(1, 2)).sum(0).view(self.weight.shape)
        if self.bias is not None:
            self.grad_bias += grad.sum(2).sum(0)
        grad_patches = self.weight.flatten(1).t().matmul(grad)
        return crop(scatter(grad_patches, indices, c, h, w), self.padding),


class TransposeConv2d(_Convolution):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        fan_in = in_channels * kernel_size ** 2 / stride ** 2
        super(TransposeConv2d, self).__init__(
            (in_channels, out_channels, kernel_size, kernel_size), out_channels, fan_in, stride, padding, bias)

    def forward(self, *input):
        x, = input
        h = (x.shape[2] - 1) * self.stride + self.kernel_size
        w = (x.shape[3] - 1) * self.stride + self.kernel_size
        indices = patch_indices(h, w, self.kernel_size, self.stride)
        self.save(x.clone(), indices)
        patches = self.weight.flatten(1).t().matmul(x.flatten(2))
        y = crop(scatter(patches, indices, self.weight.shape[1], h, w), self.padding)
        return y if self.bias is None else y + self.bias[:, None, None]

    def backward(self, *gradwrtoutput):
        x, indices = self.restore()
        patches = gather(pad(gradwrtoutput[0], self.padding), indices)
        self.grad_weight += x.flatten(2).matmul(patches.transpose(1, 2)).sum(0).view(self.weight.shape)
        if self.bias is not None:
            self.grad_bias += gradwrtoutput[0].flatten(2).sum(2).sum(0)
        return self.weight.flatten(1).matmul(patches).view(x.shape),
