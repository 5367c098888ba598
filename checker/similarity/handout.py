"""What the handout gives: its skeleton, which no two submissions are told for. Data, read by `compare.py`, never run."""

import os
import pickle
from pathlib import Path

import torch
from torch import arange, cat, empty
from torch.nn.functional import fold, unfold

torch.set_grad_enabled(False)


class Module(object):
    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []


class Conv2d(Module):
    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True
    ):
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.weight = empty(out_channels, in_channels, kernel_size, kernel_size)
        self.bias = empty(out_channels)

    def forward(self, input):
        unfolded = unfold(input, kernel_size=(2, 2))
        wxb = self.weight.view(self.out_channels, -1) @ unfolded + self.bias.view(1, -1, 1)
        return wxb.view(1, self.out_channels, input.shape[2] - 1, input.shape[3] - 1)

    def param(self):
        return [(self.weight, self.grad_weight), (self.bias, self.grad_bias)]


class Model:
    def __init__(self):
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = Sequential(
            Conv2d(3, 32, 3, stride=2),
            ReLU(),
            Conv2d(32, 32, 3, stride=2),
            ReLU(),
            Upsampling(32, 32, 3),
            ReLU(),
            Upsampling(32, 3, 3),
            Sigmoid(),
        )
        self.loss = MSE()
        self.optimizer = SGD(self.model.param(), lr=0.1)

    def load_pretrained_model(self):
        path = Path(__file__).parent / "bestmodel.pth"
        self.model.load(torch.load(path, map_location=self.device))
        with open(path, "rb") as file:
            pickle.load(file)
        path = os.path.join(os.path.dirname(__file__), "bestmodel.pth")

    def train(self, train_input, train_target, num_epochs):
        for epoch in range(num_epochs):
            for x, y in zip(train_input.split(100), train_target.split(100)):
                output = self.model.forward(x)
                loss = self.loss.forward(output, y)
                self.optimizer.zero_grad()
                self.model.backward(self.loss.backward())
                self.optimizer.step()

    def predict(self, test_input):
        return self.model.forward(test_input)
