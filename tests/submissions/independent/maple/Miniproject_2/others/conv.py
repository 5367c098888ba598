import torch
from torch import empty
from torch.nn.functional import fold, unfold


def conv2d(x, w, stride=1, padding=0):
    """
    x : (N, Cin, H, W)
    w : (Cout, Cin, k, k)
    """
    N, _, H, W = x.size()
    k = w.size(2)
    out_h = int((H + 2 * padding - k) / stride) + 1
    out_w = int((W + 2 * padding - k) / stride) + 1
    unf = unfold(x, kernel_size=(k, k), padding=padding, stride=stride)
    res = unf.transpose(1, 2).matmul(w.reshape(w.size(0), -1).t()).transpose(1, 2)
    return res.reshape(N, w.size(0), out_h, out_w)


def dilate(g, stride, extra_h, extra_w):
    """ spread the gradient on the stride grid, extra rows/columns at the end """
    N, C, H, W = g.size()
    d = g.new_zeros(N, C, (H - 1) * stride + 1 + extra_h, (W - 1) * stride + 1 + extra_w)
    d[:, :, 0:(H - 1) * stride + 1:stride, 0:(W - 1) * stride + 1:stride] = g
    return d


class Conv2d():

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, need_input_grad=True):
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        # the first layer of a network does not have to send a gradient further
        self.need_input_grad = need_input_grad
        b = 1 / (in_channels * kernel_size ** 2) ** 0.5
        self.weight = empty(out_channels, in_channels, kernel_size, kernel_size).uniform_(-b, b)
        self.bias = empty(out_channels).uniform_(-b, b)
        self.grad_w = torch.empty(self.weight.size()).zero_()
        self.grad_b = torch.empty(self.bias.size()).zero_()

    def forward(self, x):
        self.x = x
        return conv2d(x, self.weight, self.stride, self.padding) + self.bias.view(1, self.out_channels, 1, 1)

    def backward(self, gradwrtoutput):
        k = self.kernel_size
        N = gradwrtoutput.size(0)
        # dL/db
        self.grad_b += gradwrtoutput.sum(dim=[0, 2, 3])
        # dL/dw
        unf = unfold(self.x, kernel_size=(k, k), padding=self.padding, stride=self.stride)
        dw = gradwrtoutput.reshape(N, self.out_channels, -1).matmul(unf.transpose(1, 2))
        self.grad_w += dw.sum(dim=0).view(self.grad_w.size())
        if not self.need_input_grad:
            return None
        # dL/dx : full convolution of the dilated gradient with the kernel turned by 180 degrees
        H, W = self.x.size(2), self.x.size(3)
        extra_h = (H + 2 * self.padding - k) % self.stride
        extra_w = (W + 2 * self.padding - k) % self.stride
        d = dilate(gradwrtoutput, self.stride, extra_h, extra_w)
        rot = self.weight.flip([2, 3])
        return conv2d(d, rot, 1, k - 1 - self.padding)

    def param(self):
        return [[self.weight, self.grad_w], [self.bias, self.grad_b]]


class TransposeConv2d():

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        b = 1 / (out_channels * kernel_size ** 2) ** 0.5
        self.weight = empty(in_channels, out_channels, kernel_size, kernel_size).uniform_(-b, b)
        self.bias = empty(out_channels).uniform_(-b, b)
        self.grad_w = torch.empty(self.weight.size()).zero_()
        self.grad_b = torch.empty(self.bias.size()).zero_()

    def forward(self, x):
        self.x = x
        N, C, H, W = x.size()
        k = self.kernel_size
        out_h = (H - 1) * self.stride - 2 * self.padding + k
        out_w = (W - 1) * self.stride - 2 * self.padding + k
        m = self.weight.reshape(C, -1).t().matmul(x.reshape(N, C, H * W))
        y = fold(m, (out_h, out_w), kernel_size=(k, k), padding=self.padding, stride=self.stride)
        return y + self.bias.view(1, self.out_channels, 1, 1)

    def backward(self, gradwrtoutput):
        N, C, H, W = self.x.size()
        k = self.kernel_size
        self.grad_b += gradwrtoutput.sum(dim=[0, 2, 3])
        unf = unfold(gradwrtoutput, kernel_size=(k, k), padding=self.padding, stride=self.stride)
        dw = self.x.reshape(N, C, H * W).matmul(unf.transpose(1, 2))
        self.grad_w += dw.sum(dim=0).view(self.grad_w.size())
        return conv2d(gradwrtoutput, self.weight, self.stride, self.padding)

    def param(self):
        return [[self.weight, self.grad_w], [self.bias, self.grad_b]]
