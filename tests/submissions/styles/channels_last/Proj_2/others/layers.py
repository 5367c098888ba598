"""Pictures are (n, rows, columns, channels), kernels (k, k, channels in, channels out), as in Keras."""

import torch
from torch import empty


class Convolution:
    def __init__(self, channels, k, jump=1):
        self.channels, self.k, self.jump, self.margin = channels, k, jump, k // 2

    def build(self, before):
        bound = (6 / (self.k**2 * (before + self.channels))) ** 0.5
        self.kernel = empty(self.k, self.k, before, self.channels).uniform_(-bound, bound)
        self.offset = empty(self.channels).fill_(0.01)
        self.weights, self.changes = [self.kernel, self.offset], []
        return self.channels

    def taps(self, framed, height, width):
        j = self.jump
        for a in range(self.k):
            for b in range(self.k):
                yield a, b, framed[:, a : a + j * height : j, b : b + j * width : j]

    def call(self, x):
        n, h, w, c = x.shape
        m = self.margin
        self.framed = x.new_zeros(n, h + 2 * m, w + 2 * m, c)
        self.framed[:, m : m + h, m : m + w] = x
        height, width = ((side + 2 * m - self.k) // self.jump + 1 for side in (h, w))
        y = self.offset.expand(n, height, width, self.channels).clone()
        for a, b, part in self.taps(self.framed, height, width):
            y += part @ self.kernel[a, b]
        return y

    def back(self, dy):
        height, width = dy.shape[1:3]
        m, d_kernel, d_framed = self.margin, torch.zeros_like(self.kernel), torch.zeros_like(self.framed)
        for a, b, part in self.taps(self.framed, height, width):
            d_kernel[a, b] = part.reshape(-1, part.shape[3]).t() @ dy.reshape(-1, self.channels)
        for a, b, part in self.taps(d_framed, height, width):
            part += dy @ self.kernel[a, b].t()
        self.changes = [d_kernel, dy.sum((0, 1, 2))]
        return d_framed[:, m : d_framed.shape[1] - m, m : d_framed.shape[2] - m]


class Enlarge:
    def __init__(self, times):
        self.times, self.weights, self.changes = times, [], []

    def build(self, before):
        return before

    def call(self, x):
        return x.repeat_interleave(self.times, 1).repeat_interleave(self.times, 2)

    def back(self, dy):
        n, h, w, c = dy.shape
        t = self.times
        return dy.reshape(n, h // t, t, w // t, t, c).sum((2, 4))


class Activation:
    def __init__(self, kind):
        self.kind, self.weights, self.changes = kind, [], []

    def build(self, before):
        return before

    def call(self, x):
        self.y = x.clamp(min=0) if self.kind == "relu" else 1 / (1 + (-x).exp())
        return self.y

    def back(self, dy):
        if self.kind == "relu":
            return dy * (self.y > 0)
        return dy * self.y * (1 - self.y)
