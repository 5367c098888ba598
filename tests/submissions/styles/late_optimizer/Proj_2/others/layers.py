from torch import empty


class Module:

    trainable = False   # True: the optimizer gives it dweight and dbias, and updates weight and bias

    def __call__(self, x):
        return self.forward(x)

    def param(self):
        return []


class Sequential(Module):

    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        for l in self.layers:
            x = l.forward(x)
        return x

    def backward(self, dout):
        for l in self.layers[::-1]:
            dout = l.backward(dout)
        return dout

    def param(self):
        return [p for l in self.layers for p in l.param()]


class ReLU(Module):

    def forward(self, x):
        self.positive = (x > 0).type_as(x)
        return x * self.positive

    def backward(self, dout):
        return dout * self.positive


class Sigmoid(Module):

    def forward(self, x):
        self.s = 1 / (1 + (-x).exp())
        return self.s

    def backward(self, dout):
        dx = dout * self.s
        return dx * (1 - self.s)


def out_size(n, kernel_size, stride, padding):
    return (n + 2 * padding - kernel_size) // stride + 1


def pad(x, padding):
    n, c, h, w = x.shape
    padded = x.new_zeros(n, c, h + 2 * padding, w + 2 * padding)
    crop(padded, padding)[:] = x
    return padded


def crop(x, padding):
    return x[:, :, padding:x.shape[2] - padding, padding:x.shape[3] - padding]


def taps(image, kernel_size, stride, height, width):
    # For every place (i, j) of the kernel: the pixels of the image which are multiplied with it. These are views, so
    # that one can also write into them.
    for i in range(kernel_size):
        for j in range(kernel_size):
            yield i, j, image[:, :, i:i + stride * (height - 1) + 1:stride, j:j + stride * (width - 1) + 1:stride]


def mix(matrix, images):
    # (A x B) times (N x B x H x W) -> N x A x H x W
    n, b, h, w = images.shape
    return (matrix @ images.reshape(n, b, h * w)).reshape(n, -1, h, w)


def correlate(a, b):
    # sum over pictures and pixels of a b^T: (N x A x H x W), (N x B x H x W) -> A x B
    a = a.transpose(0, 1).reshape(a.shape[1], -1)
    b = b.transpose(0, 1).reshape(b.shape[1], -1)
    return a @ b.t()


class Conv2d(Module):

    trainable = True

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        self.k, self.s, self.p = kernel_size, stride, padding
        std = (2 / (in_channels * kernel_size ** 2)) ** 0.5     # He et al.
        self.weight = empty(out_channels, in_channels, kernel_size, kernel_size).normal_(0, std)
        self.bias = empty(out_channels).zero_() if bias else None
        self.dweight, self.dbias = None, None

    def forward(self, x):
        self.x = pad(x, self.p)
        h = out_size(x.shape[2], self.k, self.s, self.p)
        w = out_size(x.shape[3], self.k, self.s, self.p)
        y = 0
        for i, j, part in taps(self.x, self.k, self.s, h, w):
            y = y + mix(self.weight[:, :, i, j], part)
        return y if self.bias is None else y + self.bias[:, None, None]

    def backward(self, dout):
        h, w = dout.shape[2:]
        for i, j, part in taps(self.x, self.k, self.s, h, w):
            self.dweight[:, :, i, j] += correlate(dout, part)
        if self.bias is not None:
            self.dbias += dout.sum((0, 2, 3))
        dx = self.x.new_zeros(self.x.shape)
        for i, j, part in taps(dx, self.k, self.s, h, w):
            part += mix(self.weight[:, :, i, j].t(), dout)
        return crop(dx, self.p)

    def param(self):
        return [[self.weight, self.dweight]] + ([] if self.bias is None else [[self.bias, self.dbias]])


class Upsampling(Module):
    # transposed convolution: forward and backward of Conv2d change places

    trainable = True

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        self.k, self.s, self.p = kernel_size, stride, padding
        std = (2 * stride ** 2 / (in_channels * kernel_size ** 2)) ** 0.5
        self.weight = empty(in_channels, out_channels, kernel_size, kernel_size).normal_(0, std)
        self.bias = empty(out_channels).zero_() if bias else None
        self.dweight, self.dbias = None, None

    def forward(self, x):
        self.x = x
        n, _, h, w = x.shape
        y = x.new_zeros(n, self.weight.shape[1], (h - 1) * self.s + self.k, (w - 1) * self.s + self.k)
        for i, j, part in taps(y, self.k, self.s, h, w):
            part += mix(self.weight[:, :, i, j].t(), x)
        y = crop(y, self.p)
        return y if self.bias is None else y + self.bias[:, None, None]

    def backward(self, dout):
        h, w = self.x.shape[2:]
        dx = 0
        for i, j, part in taps(pad(dout, self.p), self.k, self.s, h, w):
            dx = dx + mix(self.weight[:, :, i, j], part)
            self.dweight[:, :, i, j] += correlate(self.x, part)
        if self.bias is not None:
            self.dbias += dout.sum((0, 2, 3))
        return dx

    def param(self):
        return [[self.weight, self.dweight]] + ([] if self.bias is None else [[self.bias, self.dbias]])
