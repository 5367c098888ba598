# exported from our notebook part2.ipynb
from torch import empty
from torch.nn.functional import fold, unfold

# In [3]:


class Module(object):
    training = True

    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []

    def train_mode(self, on):
        self.training = on

    def __call__(self, *a):
        return self.forward(*a)


# In [4]:


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        assert groups == 1
        if isinstance(kernel_size, int):
            kernel_size = kernel_size, kernel_size
        self.Cin, self.Cout, self.ks = in_channels, out_channels, kernel_size
        self.args = {'kernel_size': kernel_size, 'stride': stride, 'padding': padding, 'dilation': dilation}
        std = (2 / (in_channels * kernel_size[0] * kernel_size[1])) ** 0.5
        self.weight = empty(out_channels, in_channels, *kernel_size).normal_(std=std)
        self.bias = empty(out_channels).zero_() if bias else None
        self.grads = [empty(self.weight.shape).zero_(), empty(out_channels).zero_()]

    def to(self, device):
        self.weight = self.weight.to(device)
        if self.bias is not None:
            self.bias = self.bias.to(device)
        self.grads = [g.to(device) for g in self.grads]

    def out_shape(self, H, W):
        res = []
        for i, n in enumerate((H, W)):
            s, p, d = [v if isinstance(v, int) else v[i] for v in
                       (self.args['stride'], self.args['padding'], self.args['dilation'])]
            res.append((n + 2 * p - d * (self.ks[i] - 1) - 1) // s + 1)
        return res

    def forward(self, x):
        self.x = x
        U = unfold(x, **self.args)
        W = self.weight.reshape(self.Cout, -1)
        Y = W @ U
        if self.bias is not None:
            Y = Y + self.bias.reshape(1, self.Cout, 1)
        return Y.reshape(x.shape[0], self.Cout, *self.out_shape(x.shape[2], x.shape[3]))

    def backward(self, dY):
        dY = dY.reshape(dY.shape[0], self.Cout, -1)
        U = unfold(self.x, **self.args)
        W = self.weight.reshape(self.Cout, -1)
        for n in range(dY.shape[0]):
            # sample by sample, less memory
            self.grads[0] += (dY[n] @ U[n].t()).reshape(self.weight.shape)
        if self.bias is not None:
            self.grads[1] += dY.sum(2).sum(0)
        return fold(W.t() @ dY, self.x.shape[2:], **self.args)

    def param(self):
        if self.bias is None:
            return [(self.weight, self.grads[0])]
        return [(self.weight, self.grads[0]), (self.bias, self.grads[1])]


# In [7]:


class NearestUpsampling(Module):
    def __init__(self, scale_factor=2):
        self.scale_factor = scale_factor

    def forward(self, x):
        r = self.scale_factor
        y = x.new_empty(x.shape[0], x.shape[1], x.shape[2] * r, x.shape[3] * r)
        for i in range(r):
            for j in range(r):
                y[:, :, i::r, j::r] = x
        return y

    def backward(self, dY):
        r = self.scale_factor
        return sum(dY[:, :, i::r, j::r] for i in range(r) for j in range(r))


class MaxPool2d(Module):
    """non overlapping windows only (stride = kernel_size)"""

    def __init__(self, kernel_size):
        self.k = kernel_size

    def forward(self, x):
        N, C, H, W = x.shape
        k = self.k
        self.shape = x.shape
        h, w = H // k, W // k
        blocks = x[:, :, :h * k, :w * k].reshape(N, C, h, k, w, k).transpose(3, 4).reshape(N, C, h, w, k * k)
        y, self.arg = blocks.max(dim=-1)
        return y

    def backward(self, dY):
        N, C, H, W = self.shape
        k = self.k
        h, w = H // k, W // k
        b = dY.new_zeros(N, C, h, w, k * k)
        b.scatter_(-1, self.arg.unsqueeze(-1), dY.unsqueeze(-1))
        dX = dY.new_zeros(N, C, H, W)
        dX[:, :, :h * k, :w * k] = b.reshape(N, C, h, w, k, k).transpose(3, 4).reshape(N, C, h * k, w * k)
        return dX


# In [8]:


class ReLU(Module):
    def forward(self, x):
        self.neg = x <= 0
        y = x.clone()
        y[self.neg] = 0
        return y

    def backward(self, dY):
        dX = dY.clone()
        dX[self.neg] = 0
        return dX


class Sigmoid(Module):
    def forward(self, x):
        self.e = (-x.abs()).exp()
        pos = 1 / (1 + self.e)
        return pos.where(x >= 0, 1 - pos)

    def backward(self, dY):
        # s(1-s) is even
        return dY * self.e / (1 + self.e) ** 2


class Dropout(Module):
    def __init__(self, p):
        self.p = p

    def forward(self, x):
        if self.training:
            self.keep = (x.new_empty(x.shape).uniform_() >= self.p) / (1 - self.p)
            return x * self.keep
        self.keep = 1
        return x

    def backward(self, dY):
        return dY * self.keep


# In [10]:


class Sequential(Module):
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for l in self.layers:
            x = l(x)
        return x

    def backward(self, dY):
        for l in self.layers[::-1]:
            dY = l.backward(dY)
        return dY

    def param(self):
        return [pg for l in self.layers for pg in l.param()]

    def train_mode(self, on):
        for l in self.layers:
            l.train_mode(on)


class MSE(Module):
    def forward(self, y, t):
        self.d = y - t
        v = self.d.reshape(-1)
        return v @ v / v.numel()

    def backward(self):
        return 2 / self.d.numel() * self.d


# In [11]:


class SGD(object):
    def __init__(self, params, lr, momentum=0, nesterov=False):
        self.params, self.lr, self.momentum, self.nesterov = params, lr, momentum, nesterov
        self.bufs = [g.clone().zero_() for _, g in params]

    def zero_grad(self):
        for _, g in self.params:
            g.zero_()

    def step(self):
        for (p, g), b in zip(self.params, self.bufs):
            b.mul_(self.momentum).add_(g)
            if self.nesterov:
                p.sub_(g + self.momentum * b, alpha=self.lr)
            else:
                p.sub_(b, alpha=self.lr)
