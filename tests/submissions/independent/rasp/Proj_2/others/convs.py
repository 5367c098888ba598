import math
from torch.nn.functional import fold, unfold
from .base import Layer


class Conv2d(Layer):
    def __init__(self, cin, cout, kernel_size, stride=1, padding=0):
        super().__init__()
        self.cin = cin
        self.cout = cout
        self.ks = (kernel_size, kernel_size)
        self.stride = stride
        self.padding = padding
        gain = math.sqrt(6.0 / (cin * kernel_size ** 2 + cout * kernel_size ** 2))
        self.new_param('w', (cout, cin, kernel_size, kernel_size), gain)
        self.new_param('b', (cout,), 0)

    def forward(self, x):
        B, _, H, W = x.shape
        self.hw = (H, W)
        oh = (H + 2 * self.padding - self.ks[0]) // self.stride + 1
        ow = (W + 2 * self.padding - self.ks[1]) // self.stride + 1
        self.xu = unfold(x, self.ks, stride=self.stride, padding=self.padding)
        wr = self.params['w'].view(self.cout, -1)
        y = wr.matmul(self.xu).view(B, self.cout, oh, ow)
        return y + self.params['b'].view(1, self.cout, 1, 1)

    def backward(self, dout):
        B = dout.shape[0]
        d = dout.reshape(B, self.cout, -1)
        # (B, cout, L) x (B, L, cin k k)
        dw = d.matmul(self.xu.transpose(1, 2)).sum(0)
        self.grads['w'] += dw.view(self.params['w'].shape)
        self.grads['b'] += d.sum(-1).sum(0)
        dxu = self.params['w'].view(self.cout, -1).t().matmul(d)
        return fold(dxu, self.hw, self.ks, stride=self.stride, padding=self.padding)


class TransposeConv2d(Layer):
    """The forward of this one is the backward of a Conv2d and vice versa"""

    def __init__(self, cin, cout, kernel_size, stride=1, padding=0):
        super().__init__()
        self.cin = cin
        self.cout = cout
        self.ks = (kernel_size, kernel_size)
        self.stride = stride
        self.padding = padding
        gain = math.sqrt(6.0 / (cin * kernel_size ** 2 + cout * kernel_size ** 2)) * stride
        self.new_param('w', (cin, cout, kernel_size, kernel_size), gain)
        self.new_param('b', (cout,), 0)

    def forward(self, x):
        B, _, H, W = x.shape
        self.x_shape = x.shape
        self.xr = x.reshape(B, self.cin, H * W)
        oh = (H - 1) * self.stride + self.ks[0] - 2 * self.padding
        ow = (W - 1) * self.stride + self.ks[1] - 2 * self.padding
        wr = self.params['w'].view(self.cin, -1)
        y = fold(wr.t().matmul(self.xr), (oh, ow), self.ks, stride=self.stride, padding=self.padding)
        return y + self.params['b'].view(1, self.cout, 1, 1)

    def backward(self, dout):
        du = unfold(dout, self.ks, stride=self.stride, padding=self.padding)
        # (B, cout k k, L) x (B, L, cin)
        dw = du.matmul(self.xr.transpose(1, 2)).sum(0)
        self.grads['w'] += dw.view(self.params['w'].shape)
        self.grads['b'] += dout.sum(-1).sum(-1).sum(0)
        dx = self.params['w'].view(self.cin, -1).matmul(du)
        return dx.view(self.x_shape)
