from torch import empty
from torch.nn.functional import fold, unfold


def tup(a):
    if type(a) is int:
        return (a, a)
    return tuple(a)


class Module():
    def forward(self, input):
        raise NotImplementedError
    def backward(self, gradwrtoutput):
        raise NotImplementedError
    def parameters(self):
        return []
    def gradients(self):
        return []
    def clear(self):
        pass


class Conv2d(Module):
    """
    The gradients of all the calls of backward since the last clear() are kept in a list and
    summed when the optimizer asks for them.
    """
    def __init__(self, in_channels, out_channels, kernel_size, stride=(1, 1), padding=(0, 0), use_bias=True):
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = tup(kernel_size)
        self.stride = tup(stride)
        self.padding = tup(padding)
        self.use_bias = use_bias
        n = in_channels * self.kernel_size[0] * self.kernel_size[1]
        self.weight = empty(out_channels, in_channels, self.kernel_size[0], self.kernel_size[1]).normal_(0, (1 / n) ** 0.5)
        self.bias = empty(out_channels).zero_()
        self.clear()

    def clear(self):
        self.weight_grads = []
        self.bias_grads = []

    def forward(self, input):
        self.input = input
        (kh, kw), (sh, sw), (ph, pw) = self.kernel_size, self.stride, self.padding
        ho = (input.shape[2] + 2 * ph - kh) // sh + 1
        wo = (input.shape[3] + 2 * pw - kw) // sw + 1
        cols = unfold(input, self.kernel_size, stride=self.stride, padding=self.padding)
        out = (self.weight.view(self.out_channels, -1) @ cols).view(-1, self.out_channels, ho, wo)
        if self.use_bias:
            out += self.bias.view(1, self.out_channels, 1, 1)
        return out

    def grad_input(self, g, size):
        g = g.reshape(g.shape[0], self.out_channels, -1)
        cols = self.weight.view(self.out_channels, -1).t() @ g
        return fold(cols, size, self.kernel_size, stride=self.stride, padding=self.padding)

    def grad_weight(self, g, x):
        cols = unfold(x, self.kernel_size, stride=self.stride, padding=self.padding)
        total = empty(self.weight.shape, device=g.device).zero_().view(self.out_channels, -1)
        # one picture after the other, the batched product takes too much memory
        for b in range(g.shape[0]):
            total += g[b].reshape(self.out_channels, -1) @ cols[b].t()
        return total.view(self.weight.shape)

    def backward(self, gradwrtoutput):
        self.weight_grads.append(self.grad_weight(gradwrtoutput, self.input))
        if self.use_bias:
            self.bias_grads.append(gradwrtoutput.sum(dim=[0, 2, 3]))
        return self.grad_input(gradwrtoutput, self.input.shape[2:])

    def parameters(self):
        return [self.weight, self.bias] if self.use_bias else [self.weight]

    def gradients(self):
        grads = [sum(self.weight_grads)]
        if self.use_bias:
            grads.append(sum(self.bias_grads))
        return grads

    def to(self, device):
        self.weight = self.weight.to(device)
        self.bias = self.bias.to(device)


class TransposeConv2d(Module):
    """ Runs a convolution in the other direction: its forward is the backward of self.conv """
    def __init__(self, in_channels, out_channels, kernel_size, stride=(1, 1), padding=(0, 0), use_bias=True):
        # goes from out_channels to in_channels, thus its weight is in_channels x out_channels x k x k as in torch
        self.conv = Conv2d(out_channels, in_channels, kernel_size, stride, padding, use_bias=False)
        self.out_channels = out_channels
        self.use_bias = use_bias
        self.bias = empty(out_channels).zero_()
        self.clear()

    def clear(self):
        self.conv.clear()
        self.bias_grads = []

    @property
    def weight(self):
        return self.conv.weight

    @weight.setter
    def weight(self, w):
        self.conv.weight = w

    def forward(self, input):
        self.input = input
        c = self.conv
        size = [(input.shape[2 + i] - 1) * c.stride[i] - 2 * c.padding[i] + c.kernel_size[i] for i in (0, 1)]
        out = c.grad_input(input, size)
        if self.use_bias:
            out += self.bias.view(1, self.out_channels, 1, 1)
        return out

    def backward(self, gradwrtoutput):
        # the roles of input and output gradient are exchanged
        self.conv.weight_grads.append(self.conv.grad_weight(self.input, gradwrtoutput))
        if self.use_bias:
            self.bias_grads.append(gradwrtoutput.sum(dim=[0, 2, 3]))
        return self.conv.forward(gradwrtoutput)

    def parameters(self):
        return [self.weight, self.bias] if self.use_bias else [self.weight]

    def gradients(self):
        grads = self.conv.gradients()
        if self.use_bias:
            grads.append(sum(self.bias_grads))
        return grads

    def to(self, device):
        self.conv.to(device)
        self.bias = self.bias.to(device)


class ReLU(Module):
    def forward(self, input):
        self.output = input.clamp(0)
        return self.output

    def backward(self, gradwrtoutput):
        return gradwrtoutput * self.output.sign()


class Sigmoid(Module):
    def forward(self, input):
        self.output = input.sigmoid()
        return self.output

    def backward(self, gradwrtoutput):
        return self.output * (1 - self.output) * gradwrtoutput


class Sequential(Module):
    def __init__(self, *modules):
        self.modules = modules

    def forward(self, input):
        for module in self.modules:
            input = module.forward(input)
        return input

    def backward(self, gradwrtoutput):
        for i in range(len(self.modules) - 1, -1, -1):
            gradwrtoutput = self.modules[i].backward(gradwrtoutput)
        return gradwrtoutput

    def parameters(self):
        return [m.parameters() for m in self.modules]

    def gradients(self):
        return [m.gradients() for m in self.modules]

    def clear(self):
        for m in self.modules:
            m.clear()

    def to(self, device):
        for m in self.modules:
            if hasattr(m, 'to'):
                m.to(device)


class MSE(Module):
    def forward(self, input, target):
        self.input = input
        self.target = target
        return (input - target).pow(2).sum() / input.numel()

    def backward(self):
        return 2 * (self.input - self.target) / self.input.numel()


class SGD():
    def __init__(self, model, learning_rate, decay=0.0):
        self.model = model
        self.learning_rate = learning_rate
        self.decay = decay
        self.epoch = 0

    def update(self):
        lr = self.learning_rate / (1 + self.decay * self.epoch)
        for params, grads in zip(self.model.parameters(), self.model.gradients()):
            for p, g in zip(params, grads):
                p.sub_(lr * g)
        self.model.clear()
