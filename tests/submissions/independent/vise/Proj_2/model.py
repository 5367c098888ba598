import os
import pickle
import torch
from .others.modules import *

torch.set_grad_enabled(False)


class Model():
    def __init__(self):
        self.dev = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        self.net = Sequential(Conv2d(3, 16, 3, 2, 1), ReLU(),
                              Conv2d(16, 32, 3, 2, 1), ReLU(),
                              TransposeConv2d(32, 16, 3, 2, 1, 1), ReLU(),
                              TransposeConv2d(16, 3, 3, 2, 1, 1), Sigmoid())
        for b in self.net.blocks:
            if isinstance(b, WeightedModule):
                b.weight, b.bias = b.weight.to(self.dev), b.bias.to(self.dev)
                b.w_grad, b.b_grad = b.w_grad.to(self.dev), b.b_grad.to(self.dev)
        self.loss = MSE()
        self.opti = SGD(self.net.param(), lr=0.15, mu=0.9, wd=1e-6)
        self.batch = 16

    def load_pretrained_model(self):
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'bestmodel.pth'), 'rb') as f:
            ws = pickle.load(f)
        for p, w in zip(self.net.param(), ws):
            p[0].copy_(w)

    def save(self):
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'bestmodel.pth'), 'wb') as f:
            pickle.dump([p[0].cpu() for p in self.net.param()], f)

    def prepare(self, x):
        # centered around 0
        return x.to(self.dev).float() / 255 - 0.5

    def train(self, train_input, train_target, num_epochs=1):
        for epoch in range(num_epochs):
            mean = 0
            perm = torch.empty(train_input.shape[0]).uniform_().argsort()
            for idx in perm.split(self.batch):
                out = self.net.forward(self.prepare(train_input[idx]))
                target = train_target[idx].to(self.dev).float() / 255
                mean += self.loss.forward(out, target).item() * len(idx) / train_input.shape[0]
                self.net.backward(self.loss.backward())
                self.opti.step()
            print('epoch {} : {:.5f}'.format(epoch + 1, mean))

    def predict(self, test_input):
        H, W = test_input.shape[-2:]
        out = self.net.forward(self.prepare(test_input))
        return (out[..., :H, :W] * 255).clamp(0, 255)
