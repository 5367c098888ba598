from torch import empty, arange


class Module(object):
    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []


class Conv2d(Module):
    """
    Convolution with index tables: rows/cols tell for each (kernel position, output position)
    which pixel of the padded image is used.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1):
        self.ci, self.co = in_channels, out_channels
        self.k = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        bound = 1 / (in_channels * kernel_size ** 2) ** 0.5
        self.weight = empty(out_channels, in_channels, kernel_size, kernel_size).uniform_(-bound, bound)
        self.bias = empty(out_channels).uniform_(-bound, bound)
        self.gw = empty(self.weight.shape).zero_()
        self.gb = empty(self.bias.shape).zero_()
        self.tables = {}

    def to(self, device):
        for name in ['weight', 'bias', 'gw', 'gb']:
            setattr(self, name, getattr(self, name).to(device))

    def index(self, H, W, device):
        # the table only depends on the size of the image
        key = (H, W, device)
        if key not in self.tables:
            Hp, Wp = H + 2 * self.padding, W + 2 * self.padding
            span = self.dilation * (self.k - 1) + 1
            Ho, Wo = (Hp - span) // self.stride + 1, (Wp - span) // self.stride + 1
            kk = arange(self.k, device=device) * self.dilation
            r = kk.view(-1, 1) + arange(Ho, device=device).view(1, -1) * self.stride
            c = kk.view(-1, 1) + arange(Wo, device=device).view(1, -1) * self.stride
            # flat index, shape k,k,Ho,Wo
            flat = r.view(self.k, 1, Ho, 1) * Wp + c.view(1, self.k, 1, Wo)
            self.tables[key] = (flat.reshape(-1), Ho, Wo, Hp, Wp)
        return self.tables[key]

    def forward(self, x):
        N, C, H, W = x.shape
        idx, Ho, Wo, Hp, Wp = self.index(H, W, x.device)
        xp = x.new_zeros(N, C, Hp, Wp)
        xp[:, :, self.padding:self.padding + H, self.padding:self.padding + W].copy_(x)
        # N, C*k*k, Ho*Wo
        self.patches = xp.view(N, C, -1).index_select(2, idx).view(N, C * self.k ** 2, Ho * Wo)
        self.size = (N, C, H, W)
        out = self.weight.view(self.co, -1).matmul(self.patches)
        return (out + self.bias.view(-1, 1)).view(N, self.co, Ho, Wo)

    def backward(self, grad):
        N, C, H, W = self.size
        idx, Ho, Wo, Hp, Wp = self.index(H, W, grad.device)
        grad = grad.reshape(N, self.co, Ho * Wo)
        self.gw += grad.matmul(self.patches.transpose(1, 2)).sum(0).view(self.gw.shape)
        self.gb += grad.sum((0, 2))
        gp = self.weight.view(self.co, -1).t().matmul(grad)
        gxp = grad.new_zeros(N, C, Hp * Wp)
        gxp.index_add_(2, idx, gp.view(N, C, -1))
        gxp = gxp.view(N, C, Hp, Wp)
        return gxp[:, :, self.padding:Hp - self.padding, self.padding:Wp - self.padding]

    def param(self):
        return [(self.weight, self.gw), (self.bias, self.gb)]


class NearestUpsampling(Module):
    def __init__(self, scale_factor):
        self.s = scale_factor

    def forward(self, x):
        ih = arange(x.shape[2] * self.s, device=x.device) // self.s
        iw = arange(x.shape[3] * self.s, device=x.device) // self.s
        return x[:, :, ih][:, :, :, iw]

    def backward(self, grad):
        N, C, H, W = grad.shape
        return grad.reshape(N, C, H // self.s, self.s, W // self.s, self.s).sum(5).sum(3)


class Upsample(Module):
    """ nearest + convolution, replaces the transposed convolution """

    def __init__(self, in_channels, out_channels, kernel_size, scale_factor=2):
        self.up = NearestUpsampling(scale_factor)
        self.conv = Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)

    def forward(self, x):
        return self.conv.forward(self.up.forward(x))

    def backward(self, grad):
        return self.up.backward(self.conv.backward(grad))

    def param(self):
        return self.conv.param()

    def to(self, device):
        self.conv.to(device)


class ReLU(Module):
    def forward(self, x):
        self.on = x > 0
        return x.where(self.on, x.new_zeros(1))

    def backward(self, grad):
        return grad.where(self.on, grad.new_zeros(1))


class Sigmoid(Module):
    def forward(self, x):
        # tanh is stable for large |x|
        self.o = 0.5 * ((0.5 * x).tanh() + 1)
        return self.o

    def backward(self, grad):
        return grad * self.o * (1 - self.o)


class Sequential(Module):
    def __init__(self, *mods):
        self.mods = mods

    def forward(self, x):
        for m in self.mods:
            x = m.forward(x)
        return x

    def backward(self, grad):
        for m in reversed(self.mods):
            grad = m.backward(grad)
        return grad

    def param(self):
        p = []
        for m in self.mods:
            p = p + m.param()
        return p

    def to(self, device):
        for m in self.mods:
            if hasattr(m, 'to'):
                m.to(device)


class MSE(Module):
    def forward(self, x, t):
        self.x, self.t = x, t
        return (x - t).square().mean()

    def backward(self):
        return (self.x - self.t) * 2 / self.x.numel()
