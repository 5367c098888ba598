from pathlib import Path

import torch

from .others.layers import MSE, Conv2d, ReLU, Sequential, Sigmoid, TransposeConv2d

torch.set_grad_enabled(False)


class Model:
    def __init__(self):
        self.net = Sequential(
            Conv2d(3, 16, 3, stride=2, padding=1),
            ReLU(),
            Conv2d(16, 24, 3, stride=2, padding=1),
            ReLU(),
            TransposeConv2d(24, 16, 4, stride=2, padding=1),
            ReLU(),
            TransposeConv2d(16, 3, 4, stride=2, padding=1),
            Sigmoid(),
        )
        self.loss = MSE()

    def load_pretrained_model(self):
        learned = [layer for layer in self.net.layers if hasattr(layer, "kernel")]
        for layer, (kernel, shift) in zip(learned, torch.load(Path(__file__).with_name("bestmodel.pth"))):
            layer.kernel.copy_(kernel)
            layer.shift.copy_(shift)

    def train(self, train_input, train_target, num_epochs):
        pairs = train_input.float() / 255, train_target.float() / 255
        for _ in range(num_epochs):
            for x, target in zip(*(half.split(16) for half in pairs)):
                self.loss.forward(self.net(x), target)
                self.net.backward(self.loss.backward())

    def predict(self, test_input):
        h, w = test_input.shape[2:]
        return torch.cat([self.net(x.float() / 255)[:, :, :h, :w] * 255 for x in test_input.split(100)])
