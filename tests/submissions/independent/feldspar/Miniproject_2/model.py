import torch
from torch import empty, cat
import os
import time
from .nanograd import Parameter, Layer, Conv2d, TransposeConv2d, ReLU, Sigmoid, Sequential, MSE, SGD

torch.set_grad_enabled(False)

PATH = os.path.join(os.path.dirname(os.path.realpath(__file__)), "bestmodel.pth")


class Model:
    def __init__(self):
        self.dev = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
        act = ReLU()
        self.net = Sequential(Conv2d(3, 32, 4, stride=2, padding=1), act,
                              Conv2d(32, 32, 4, stride=2, padding=1), act,
                              TransposeConv2d(32, 32, 4, stride=2, padding=1), act,
                              TransposeConv2d(32, 3, 4, stride=2, padding=1), Sigmoid())
        for p in self.net.parameters():
            p.to(self.dev)
        self.mse = MSE()

    def load_pretrained_model(self):
        for p, w in zip(self.net.parameters(), torch.load(PATH, map_location=self.dev)):
            p.data = w

    def save(self):
        torch.save([p.data for p in self.net.parameters()], PATH)

    def prepare(self, x):
        x = x.to(self.dev)
        return x.float() / 255

    def one_step(self, x, t, sgd):
        sgd.zero_grad()
        self.net.forget()
        loss = self.mse(self.net(x), t)
        self.net.backward(self.mse.backward())
        sgd.step()
        return loss.item()

    def train(self, noisy_in, noisy_out, num_epochs, lr=1.5, bs=16):
        sgd = SGD(self.net.parameters(), lr, momentum=0.8)
        start = time.time()
        for e in range(num_epochs):
            sgd.lr = lr * (1 - 0.9 * e / num_epochs)       # linear decay
            perm = empty(len(noisy_in)).uniform_().sort()[1]
            losses = []
            for i in perm.split(bs):
                losses.append(self.one_step(self.prepare(noisy_in[i]), self.prepare(noisy_out[i]), sgd))
                # noise2noise is symmetric: the other way round too
                losses.append(self.one_step(self.prepare(noisy_out[i]), self.prepare(noisy_in[i]), sgd))
            print("epoch", e, "loss", sum(losses) / len(losses), "time", time.time() - start)

    def predict(self, noisy):
        H, W = noisy.shape[2:]
        x = self.prepare(noisy)
        x = cat((x, x[:, :, -1:].repeat(1, 1, -H % 4, 1)), 2)
        x = cat((x, x[:, :, :, -1:].repeat(1, 1, 1, -W % 4)), 3)
        out = []
        for part in x.split(32):
            out.append(255 * self.net(part)[:, :, :H, :W])
            self.net.forget()
        return cat(out)
