import math
from torch import empty
from torch.nn.functional import fold, unfold

# Convention: param() lists the parameters only. The gradient of self.w is self.dw and the gradient of self.b is self.db

class Module(object) :
    def forward(self, *input) :
        raise NotImplementedError

    def backward(self, *gradwrtoutput) :
        raise NotImplementedError

    def param(self) :
        return [(None, None)]

    def zero_grad(self) :
        pass


class Conv(Module) :
    ''' The two convolutions have the same parameters and gradients '''
    def __init__(self, size, n_bias, std, kernel_size, stride, padding) :
        self.k, self.s, self.p = kernel_size, stride, padding
        self.w = empty(size).normal_(0, std)
        self.b = empty(n_bias).zero_()
        self.dw = empty(size).zero_()
        self.db = empty(n_bias).zero_()

    def im2col(self, image) :
        return unfold(image[None], self.k, stride = self.s, padding = self.p)[0]

    def col2im(self, cols, H, W) :
        return fold(cols[None], (H, W), self.k, stride = self.s, padding = self.p)[0]

    def param(self) :
        return [self.w, self.b]

    def zero_grad(self) :
        self.dw.zero_()
        self.db.zero_()


class Conv2d(Conv) :
    def __init__(self, in_channels, out_channels, kernel_size, stride = 1, padding = 0) :
        std = 1 / math.sqrt(in_channels * kernel_size * kernel_size)
        size = (out_channels, in_channels, kernel_size, kernel_size)
        super().__init__(size, out_channels, std, kernel_size, stride, padding)

    def forward(self, x) :
        N, _, H, W = x.shape
        self.H, self.W = H, W
        w = self.w.reshape(len(self.w), -1)
        Hout = (H + 2 * self.p - self.k) // self.s + 1
        Wout = (W + 2 * self.p - self.k) // self.s + 1
        y = x.new_empty(N, len(self.w), Hout, Wout)
        self.cols = []
        for n in range(N) :
            self.cols.append(self.im2col(x[n]))
            y[n] = (w @ self.cols[n] + self.b[:, None]).reshape(y[n].shape)
        return y

    def backward(self, dy) :
        N, C = len(dy), self.w.shape[1]
        w = self.w.reshape(len(self.w), -1)
        dx = dy.new_empty(N, C, self.H, self.W)
        dw = w.new_zeros(w.shape)
        for n in range(N) :
            d = dy[n].reshape(len(w), -1)
            dw += d @ self.cols[n].t()
            dx[n] = self.col2im(w.t() @ d, self.H, self.W)
        self.dw += dw.reshape(self.w.shape)
        self.db += dy.sum(3).sum(2).sum(0)
        return dx


class TransposeConv2d(Conv) :
    def __init__(self, in_channels, out_channels, kernel_size, stride = 1, padding = 0) :
        std = stride / math.sqrt(in_channels * kernel_size * kernel_size)
        size = (in_channels, out_channels, kernel_size, kernel_size)
        super().__init__(size, out_channels, std, kernel_size, stride, padding)

    def forward(self, x) :
        self.x = x
        N, C, H, W = x.shape
        Hout = (H - 1) * self.s + self.k - 2 * self.p
        Wout = (W - 1) * self.s + self.k - 2 * self.p
        w = self.w.reshape(C, -1)
        y = x.new_empty(N, self.w.shape[1], Hout, Wout)
        for n in range(N) :
            y[n] = self.col2im(w.t() @ x[n].reshape(C, -1), Hout, Wout) + self.b[:, None, None]
        return y

    def backward(self, dy) :
        N, C, H, W = self.x.shape
        w = self.w.reshape(C, -1)
        dx = self.x.new_empty(self.x.shape)
        dw = w.new_zeros(w.shape)
        for n in range(N) :
            d = self.im2col(dy[n])
            dw += self.x[n].reshape(C, -1) @ d.t()
            dx[n] = (w @ d).reshape(C, H, W)
        self.dw += dw.reshape(self.w.shape)
        self.db += dy.sum(3).sum(2).sum(0)
        return dx


class ReLU(Module) :
    def forward(self, x) :
        self.x = x
        y = x.clone()
        y[x < 0] = 0
        return y

    def backward(self, dy) :
        dx = dy.clone()
        dx[self.x <= 0] = 0
        return dx


class Sigmoid(Module) :
    def forward(self, x) :
        self.x = x
        return x.sigmoid()

    def backward(self, dy) :
        s = self.x.sigmoid()
        return dy * s * (1 - s)


class Sequential(Module) :
    def __init__(self, *modules) :
        self.modules = list(modules)

    def forward(self, x) :
        for m in self.modules :
            x = m.forward(x)
        return x

    def backward(self, dy) :
        for m in reversed(self.modules) :
            dy = m.backward(dy)
        return dy

    def param(self) :
        p = []
        for m in self.modules :
            p += m.param()
        return p

    def zero_grad(self) :
        for m in self.modules :
            m.zero_grad()
