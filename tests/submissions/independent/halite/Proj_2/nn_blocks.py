# Building blocks of our small deep learning library
from torch import empty


class Module(object):
    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []

    def __call__(self, x):
        return self.forward(x)


def pad(x, ph, pw):
    """zero padding on the four sides"""
    if ph == 0 and pw == 0:
        return x
    n, c, h, w = x.shape
    out = x.new_zeros(n, c, h + 2 * ph, w + 2 * pw)
    out[:, :, ph:ph + h, pw:pw + w] = x
    return out


def windows(x, kh, kw, sh=1, sw=1):
    """(n, c, h, w) -> (n, ho, wo, c*kh*kw), x must be already padded"""
    win = x.unfold(2, kh, sh).unfold(3, kw, sw)          # n c ho wo kh kw
    n, c, ho, wo = win.shape[:4]
    return win.permute(0, 2, 3, 1, 4, 5).reshape(n, ho, wo, c * kh * kw)


def correlate(x, weight, sh=1, sw=1):
    o, c, kh, kw = weight.shape
    out = windows(x, kh, kw, sh, sw) @ weight.reshape(o, -1).t()
    return out.permute(0, 3, 1, 2)


def dilate(x, sh, sw):
    """puts s-1 zeros between the pixels"""
    if sh == 1 and sw == 1:
        return x
    n, c, h, w = x.shape
    out = x.new_zeros(n, c, (h - 1) * sh + 1, (w - 1) * sw + 1)
    out[:, :, ::sh, ::sw] = x
    return out


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        if isinstance(kernel_size, int):
            kernel_size = (kernel_size, kernel_size)
        if isinstance(stride, int):
            stride = (stride, stride)
        if isinstance(padding, int):
            padding = (padding, padding)
        self.kh, self.kw = kernel_size
        self.sh, self.sw = stride
        self.ph, self.pw = padding
        self.has_bias = bias
        # xavier
        fan_in, fan_out = in_channels * self.kh * self.kw, out_channels * self.kh * self.kw
        b = (6 / (fan_in + fan_out)) ** 0.5
        self.weight = empty(out_channels, in_channels, self.kh, self.kw).uniform_(-b, b)
        self.bias = empty(out_channels).zero_()
        self.gradweight = empty(self.weight.shape).zero_()
        self.gradbias = empty(out_channels).zero_()

    def forward(self, x):
        self.xp = pad(x, self.ph, self.pw)
        out = correlate(self.xp, self.weight, self.sh, self.sw)
        if self.has_bias:
            out = out + self.bias.view(1, -1, 1, 1)
        return out

    def backward(self, grad):
        n, o, ho, wo = grad.shape
        # weights
        win = windows(self.xp, self.kh, self.kw, self.sh, self.sw)
        g2 = grad.permute(1, 0, 2, 3).reshape(o, -1)
        self.gradweight += (g2 @ win.reshape(g2.shape[1], -1)).view(self.weight.shape)
        if self.has_bias:
            self.gradbias += g2.sum(1)
        # input: full convolution of the dilated gradient with the kernel
        gd = pad(dilate(grad, self.sh, self.sw), self.kh - 1, self.kw - 1)
        gx = correlate(gd, self.weight.transpose(0, 1))
        # the last rows/columns may not have been seen by the kernel (stride)
        full = self.xp.new_zeros(self.xp.shape)
        full[:, :, :gx.shape[2], :gx.shape[3]] = gx
        h, w = self.xp.shape[2] - 2 * self.ph, self.xp.shape[3] - 2 * self.pw
        return full[:, :, self.ph:self.ph + h, self.pw:self.pw + w]

    def param(self):
        p = [(self.weight, self.gradweight)]
        if self.has_bias:
            p.append((self.bias, self.gradbias))
        return p


class NearestUpsampling(Module):
    def __init__(self, scale_factor=2):
        self.f = scale_factor

    def forward(self, x):
        return x.repeat_interleave(self.f, dim=2).repeat_interleave(self.f, dim=3)

    def backward(self, grad):
        g = 0
        for i in range(self.f):
            for j in range(self.f):
                g = g + grad[:, :, i::self.f, j::self.f]
        return g


class ReLU(Module):
    def forward(self, x):
        self.x = x
        return x * (x > 0)

    def backward(self, grad):
        return grad * (self.x > 0)


class Sigmoid(Module):
    def forward(self, x):
        self.out = 1 / (1 + (-x).exp())
        return self.out

    def backward(self, grad):
        return grad * self.out * (1 - self.out)


class MSE(Module):
    def __call__(self, x, y):
        return self.forward(x, y)

    def forward(self, x, y):
        self.x, self.y = x, y
        return ((x - y) ** 2).sum() / x.numel()

    def backward(self):
        return 2 * (self.x - self.y) / self.x.numel()


class Sequential(Module):
    def __init__(self, *blocks):
        self.blocks = blocks

    def forward(self, x):
        for b in self.blocks:
            x = b(x)
        return x

    def backward(self, grad):
        for b in reversed(self.blocks):
            grad = b.backward(grad)
        return grad

    def param(self):
        return [q for b in self.blocks for q in b.param()]


class SGD(object):
    def __init__(self, params, lr, momentum=0.0):
        self.params, self.lr, self.momentum = params, lr, momentum
        self.mem = [p.new_zeros(p.shape) for p, _ in params]

    def zero_grad(self):
        for _, g in self.params:
            g *= 0

    def step(self):
        for k in range(len(self.params)):
            p, g = self.params[k]
            self.mem[k] = self.momentum * self.mem[k] - self.lr * g
            p += self.mem[k]
