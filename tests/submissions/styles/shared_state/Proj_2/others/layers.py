"""Layers that work on one shared state: forward(state) replaces state.x, backward(state) replaces state.grad."""

from torch import empty
from torch.nn.functional import fold, unfold


class State:
    """What flows through the network: the activation on the way there, the gradient on the way back."""

    def __init__(self, x, target=None):
        self.x, self.target = x, target
        self.grad, self.loss = None, None
        self.memory = []  # what the layers remember, last in, first out


class Conv2d:
    def __init__(self, inputs, outputs, size, stride, pad):
        self.size, self.stride, self.pad = size, stride, pad
        bound = (inputs * size * size) ** -0.5
        self.filters = empty(outputs, inputs, size, size).uniform_(-bound, bound)
        self.offset = empty(outputs).uniform_(-bound, bound)

    def forward(self, state):
        n, _, h, w = state.x.shape
        columns = unfold(state.x, self.size, stride=self.stride, padding=self.pad)
        state.memory.append((columns, (h, w)))
        h = (h + 2 * self.pad - self.size) // self.stride + 1
        w = (w + 2 * self.pad - self.size) // self.stride + 1
        y = self.filters.flatten(1) @ columns + self.offset.view(-1, 1)
        state.x = y.view(n, -1, h, w)

    def backward(self, state):
        columns, size = state.memory.pop()
        g = state.grad.flatten(2)
        self.changes = ((g @ columns.transpose(1, 2)).sum(0).view(self.filters.shape), g.sum((0, 2)))
        back = self.filters.flatten(1).t() @ g
        state.grad = fold(back, size, self.size, stride=self.stride, padding=self.pad)

    def learn(self, rate):
        self.filters -= rate * self.changes[0]
        self.offset -= rate * self.changes[1]


class TransposeConv2d:
    def __init__(self, inputs, outputs, size, stride, pad):
        self.size, self.stride, self.pad = size, stride, pad
        bound = (inputs * size * size) ** -0.5
        self.filters = empty(inputs, outputs, size, size).uniform_(-bound, bound)
        self.offset = empty(outputs).uniform_(-bound, bound)

    def forward(self, state):
        n, c, h, w = state.x.shape
        x = state.x.reshape(n, c, h * w)
        state.memory.append((x, (h, w)))
        h = (h - 1) * self.stride + self.size - 2 * self.pad
        w = (w - 1) * self.stride + self.size - 2 * self.pad
        y = fold(self.filters.flatten(1).t() @ x, (h, w), self.size, stride=self.stride, padding=self.pad)
        state.x = y + self.offset.view(-1, 1, 1)

    def backward(self, state):
        x, size = state.memory.pop()
        columns = unfold(state.grad, self.size, stride=self.stride, padding=self.pad)
        self.changes = ((x @ columns.transpose(1, 2)).sum(0).view(self.filters.shape), state.grad.sum((0, 2, 3)))
        state.grad = (self.filters.flatten(1) @ columns).view(x.shape[0], -1, *size)

    def learn(self, rate):
        self.filters -= rate * self.changes[0]
        self.offset -= rate * self.changes[1]


class ReLU:
    def forward(self, state):
        state.memory.append(state.x > 0)
        state.x = state.x.clamp(min=0)

    def backward(self, state):
        state.grad = state.grad * state.memory.pop()

    def learn(self, rate):
        pass


class Sigmoid:
    def forward(self, state):
        state.x = state.x.sigmoid()
        state.memory.append(state.x)

    def backward(self, state):
        y = state.memory.pop()
        state.grad = state.grad * y * (1 - y)

    def learn(self, rate):
        pass


class MSE:
    def forward(self, state):
        state.loss = (state.x - state.target).pow(2).mean()

    def backward(self, state):
        state.grad = (state.x - state.target) * (2 / state.x.numel())


class Sequential:
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, state):
        for layer in self.layers:
            layer.forward(state)

    def backward(self, state):
        for layer in reversed(self.layers):
            layer.backward(state)


class SGD:
    def __init__(self, network, rate):
        self.network, self.rate = network, rate

    def step(self):
        for layer in self.network.layers:
            layer.learn(self.rate)
