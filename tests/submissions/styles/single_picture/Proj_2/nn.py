"""One picture at a time, C x H x W. Gradients of a batch add up before the step."""
from torch import empty
from torch.nn.functional import fold, unfold


class Convolution:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.out_channels, self.options = out_channels, dict(kernel_size=kernel_size, stride=stride, padding=padding)
        fan = in_channels * kernel_size * kernel_size
        self.w = empty(out_channels, fan).normal_(0, (2 / fan) ** 0.5)
        self.b = empty(out_channels).zero_()
        self.reset()

    def reset(self):
        self.dw, self.db = 0 * self.w, 0 * self.b

    def forward(self, picture):
        o = self.options
        self.side = picture.shape[1:]
        self.columns = unfold(picture[None], **o)[0]
        h, w = [(n + 2 * o["padding"] - o["kernel_size"]) // o["stride"] + 1 for n in self.side]
        return (self.w.mm(self.columns) + self.b[:, None]).view(self.out_channels, h, w)

    def backward(self, gradient):
        gradient = gradient.reshape(self.out_channels, -1)
        self.dw += gradient.mm(self.columns.t())
        self.db += gradient.sum(1)
        return fold(self.w.t().mm(gradient)[None], self.side, **self.options)[0]

    def param(self):
        return [(self.w, self.dw), (self.b, self.db)]


class NearestUpsampling:
    def __init__(self, scale_factor):
        self.n = scale_factor

    def forward(self, picture):
        return picture.repeat_interleave(self.n, 1).repeat_interleave(self.n, 2)

    def backward(self, gradient):
        rows = sum(gradient[:, i::self.n] for i in range(self.n))
        return sum(rows[:, :, i::self.n] for i in range(self.n))

    def param(self):
        return []


class ReLU:
    def forward(self, picture):
        self.dead = picture <= 0
        return picture.masked_fill(self.dead, 0)

    def backward(self, gradient):
        return gradient.masked_fill(self.dead, 0)

    def param(self):
        return []


class Sigmoid:
    def forward(self, picture):
        self.probability = picture.sigmoid()
        return self.probability

    def backward(self, gradient):
        return gradient * self.probability.mul(1 - self.probability)

    def param(self):
        return []


class Sequential:
    def __init__(self, *members):
        self.members = members

    def forward(self, picture):
        for member in self.members:
            picture = member.forward(picture)
        return picture

    def backward(self, gradient):
        for member in self.members[::-1]:
            gradient = member.backward(gradient)
        return gradient

    def reset(self):
        [member.reset() for member in self.members if hasattr(member, "reset")]

    def param(self):
        return [pair for member in self.members for pair in member.param()]


class MSE:
    def forward(self, guess, truth):
        self.guess, self.truth = guess, truth
        return ((guess - truth) ** 2).mean()

    def backward(self):
        return (self.guess - self.truth).mul(2).div(self.guess.numel())


class SGD:
    def __init__(self, network, lr):
        self.network, self.lr = network, lr

    def step(self):
        for parameter, gradient in self.network.param():
            parameter.sub_(gradient * self.lr)
        self.network.reset()


Conv2d = Convolution
