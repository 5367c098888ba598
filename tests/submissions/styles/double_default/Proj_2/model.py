# -----------------------------------------------------------
# Deep Learning, mini-project 2
# -----------------------------------------------------------
import pickle
from pathlib import Path

import torch
from torch import Tensor, cat

from .others.activations import ReLU, Sigmoid
from .others.conv2d import Conv2d
from .others.loss import MSE
from .others.sequential import Sequential
from .others.sgd import SGD
from .others.transpose_conv2d import TransposeConv2d

torch.set_grad_enabled(False)

PATH = Path(__file__).with_name("bestmodel.pth")


class Model:
    def __init__(self) -> None:
        self.network = Sequential(
            Conv2d(3, 12, 2, 2),
            ReLU(),
            Conv2d(12, 24, 2, 2),
            ReLU(),
            TransposeConv2d(24, 12, 2, 2),
            ReLU(),
            TransposeConv2d(12, 3, 4, 2, 1),
            Sigmoid(),
        )
        self.loss = MSE()
        self.optimizer = SGD(self.network.param(), 0.7, 0.9)
        self.mini_batch = 4

    def load_pretrained_model(self) -> None:
        with PATH.open("rb") as file:
            saved = pickle.load(file)
        for (weight, _), numbers in zip(self.network.param(), saved):
            weight.copy_(weight.new_tensor(numbers).view_as(weight))

    def save_model(self) -> None:
        # lists of numbers: they can be read with any version of torch
        numbers = [weight.flatten().tolist() for weight, _ in self.network.param()]
        with PATH.open("wb") as file:
            pickle.dump(numbers, file)

    def train(self, train_input: Tensor, train_target: Tensor, num_epochs: int) -> None:
        for e in range(num_epochs):
            total = 0
            for b in range(0, train_input.size(0), self.mini_batch):
                x = train_input[b : b + self.mini_batch].double() / 255
                t = train_target[b : b + self.mini_batch].double() / 255
                total += self.loss.forward(self.network.forward(x), t).item() * len(x)
                self.optimizer.zero_grad()
                self.network.backward(self.loss.backward())
                self.optimizer.step()
            print("Epoch", e + 1, "loss", total / train_input.size(0))

    def predict(self, test_input: Tensor) -> Tensor:
        outputs = [self.network.forward(images.double() / 255) for images in test_input.split(50)]
        return cat(outputs).mul(255)
