import os
import math
import torch
from torch import empty, arange
from torch.nn.functional import fold, unfold

torch.set_grad_enabled(False)

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Module(object):
    lr = None

    def forward(self, x):
        raise NotImplementedError

    def backward(self, grad):
        raise NotImplementedError

    def param(self):
        return []

    def update(self, lr):
        # layers without parameters : nothing to do
        pass


class Conv2d(Module):
    def __init__(self, nb_in, nb_out, kernel_size, stride=1, padding=0):
        self.nb_in = nb_in
        self.nb_out = nb_out
        self.k = kernel_size
        self.stride = stride
        self.padding = padding
        # He initialisation
        self.weight = empty(nb_out, nb_in, self.k, self.k, device=device).normal_()
        self.weight *= math.sqrt(2. / (nb_in * self.k * self.k))
        self.bias = empty(nb_out, device=device).zero_()
        self.dweight = empty(nb_out, nb_in, self.k, self.k, device=device).zero_()
        self.dbias = empty(nb_out, device=device).zero_()

    def size(self, n):
        return int(math.floor((n + 2 * self.padding - self.k) / self.stride + 1))

    def forward(self, x):
        self.h, self.w = x.shape[-2:]
        self.unfolded = unfold(x, kernel_size=self.k, stride=self.stride, padding=self.padding)
        wxb = self.weight.view(self.nb_out, -1) @ self.unfolded + self.bias.view(-1, 1)
        return wxb.view(x.shape[0], self.nb_out, self.size(self.h), self.size(self.w))

    def backward(self, grad):
        # bias : dl/db = sum over the positions
        self.dbias += grad.sum((2, 3)).mean(0)
        # weights
        grad = grad.reshape(grad.shape[0], self.nb_out, -1)
        for g, u in zip(grad, self.unfolded):
            self.dweight += (g @ u.t()).view(self.dweight.shape)
        # input
        du = self.weight.view(self.nb_out, -1).t() @ grad
        return fold(du, output_size=(self.h, self.w), kernel_size=self.k,
                    stride=self.stride, padding=self.padding)

    def param(self):
        return [(self.weight, self.dweight), (self.bias, self.dbias)]

    def update(self, lr):
        self.weight -= lr * self.dweight
        self.bias -= lr * self.dbias
        # reset for the next batch
        self.dweight.zero_()
        self.dbias.zero_()


class NearestUpsampling(Module):
    def __init__(self, factor):
        self.factor = factor

    def forward(self, x):
        # index of the source pixel of every output pixel
        i = (arange(x.shape[2] * self.factor, device=x.device) // self.factor).long()
        j = (arange(x.shape[3] * self.factor, device=x.device) // self.factor).long()
        return x[:, :, i][:, :, :, j]

    def backward(self, grad):
        f = self.factor
        b, c, h, w = grad.shape
        u = unfold(grad.reshape(b * c, 1, h, w), kernel_size=f, stride=f)
        return u.sum(1).view(b, c, h // f, w // f)


class ReLU(Module):
    def forward(self, x):
        self.x = x
        return x.maximum(x.new_zeros(1))

    def backward(self, grad):
        return grad * self.x.gt(0)


class Sigmoid(Module):
    def forward(self, x):
        self.s = 1 / (1 + x.neg().exp())
        return self.s

    def backward(self, grad):
        return self.s * (1 - self.s) * grad


class Sequential(Module):
    """container, used for encoder and decoder"""

    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad

    def param(self):
        p = []
        for layer in self.layers:
            for q in layer.param():
                p.append(q)
        return p

    def update(self, lr):
        for layer in self.layers:
            layer.update(lr)


class MSE(Module):
    def forward(self, output, target):
        self.e = output - target
        return (self.e * self.e).mean().item()

    def backward(self):
        return self.e * (2.0 / self.e.numel())


class SGD:
    """the layers know how to update themselves, here we only keep the learning rate"""

    def __init__(self, net, lr):
        self.net = net
        self.lr = lr

    def step(self):
        self.net.update(self.lr)


class Network(Module):
    def __init__(self, ch=16):
        self.encoder = Sequential(Conv2d(3, ch, 5, stride=2, padding=2), ReLU(),
                                  Conv2d(ch, 2 * ch, 3, stride=2, padding=1), ReLU())
        self.up1 = NearestUpsampling(2)
        self.conv1 = Conv2d(2 * ch, ch, 3, padding=1)
        self.relu = ReLU()
        self.up2 = NearestUpsampling(2)
        self.conv2 = Conv2d(ch, 3, 3, padding=1)
        self.sigmoid = Sigmoid()

    def forward(self, x):
        z = self.encoder.forward(x)
        z = self.relu.forward(self.conv1.forward(self.up1.forward(z)))
        z = self.conv2.forward(self.up2.forward(z))
        return self.sigmoid.forward(z)

    def backward(self, grad):
        grad = self.sigmoid.backward(grad)
        grad = self.up2.backward(self.conv2.backward(grad))
        grad = self.relu.backward(grad)
        grad = self.up1.backward(self.conv1.backward(grad))
        return self.encoder.backward(grad)

    def param(self):
        return self.encoder.param() + self.conv1.param() + self.conv2.param()

    def update(self, lr):
        self.encoder.update(lr)
        self.conv1.update(lr)
        self.conv2.update(lr)


class Model():
    def __init__(self):
        self.network = Network()
        self.mse = MSE()
        self.optimizer = SGD(self.network, lr=1.5)
        self.mini_batch_size = 25

    def load_pretrained_model(self):
        path = os.path.join(os.path.dirname(__file__), 'bestmodel.pth')
        params = torch.load(path, map_location=device)
        for (p, _), q in zip(self.network.param(), params):
            p[:] = q

    def train(self, train_input, train_target, num_epochs):
        train_input = train_input.to(device).float() / 255
        train_target = train_target.to(device).float() / 255
        for e in range(num_epochs):
            s = 0
            for x, t in zip(train_input.split(self.mini_batch_size), train_target.split(self.mini_batch_size)):
                s += self.mse.forward(self.network.forward(x), t) * len(x)
                self.network.backward(self.mse.backward())
                self.optimizer.step()
            print("Epoch", e + 1, "/", num_epochs, ": mse =", s / len(train_input))
        #torch.save([p for p, _ in self.network.param()], 'bestmodel.pth')

    def predict(self, test_input):
        b, c, h, w = test_input.shape
        out = self.network.forward(test_input.to(device).float() / 255)
        out = out[:, :, :h, :w]
        return (out * 255).clamp(0, 255)
