"""The model of the assignment, and the graded names."""

from pathlib import Path

import torch
from torch import cat, empty

from .others.modules import MSE, SGD, Conv2d, NearestUpsampling, ReLU, Sequential, Sigmoid, TransposeConv2d

torch.set_grad_enabled(False)

Upsampling = TransposeConv2d  # the source paper's name

__all__ = [
    "MSE",
    "SGD",
    "Conv2d",
    "Model",
    "NearestUpsampling",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "TransposeConv2d",
    "Upsampling",
]

WEIGHTS = Path(__file__).parent / "bestmodel.pth"
BATCH = 50


def pad_to_multiple(x, multiple):
    """Repeat the last row and column until height and width are multiples of `multiple`."""
    rows, columns = -x.shape[2] % multiple, -x.shape[3] % multiple
    x = cat([x, x[:, :, -1:].expand(-1, -1, rows, -1)], 2)
    return cat([x, x[:, :, :, -1:].expand(-1, -1, -1, columns)], 3)


class Model:
    def __init__(self):
        self.net = Sequential(
            Conv2d(3, 16, 3, stride=2, padding=1),
            ReLU(),
            Conv2d(16, 32, 2, stride=2),
            ReLU(),
            TransposeConv2d(32, 16, 2, stride=2),
            ReLU(),
            TransposeConv2d(16, 3, 2, stride=2),
            Sigmoid(),
        )
        self.loss = MSE()
        self.optimizer = SGD(self.net.param(), lr=2.0, momentum=0.9)

    def load_pretrained_model(self):
        saved = torch.load(WEIGHTS, map_location="cpu", weights_only=True)
        for (weight, _), value in zip(self.net.param(), saved, strict=True):
            weight.copy_(value)

    def save(self):
        torch.save([weight for weight, _ in self.net.param()], WEIGHTS)

    def train(self, noisy_in, noisy_out, num_epochs):
        for epoch in range(num_epochs):
            order = empty(len(noisy_in)).uniform_().argsort()
            total = 0.0
            for batch in order.split(BATCH):
                x, target = noisy_in[batch].float() / 255, noisy_out[batch].float() / 255
                total += self.loss.forward(self.net.forward(x), target).item() * len(batch)
                self.optimizer.zero_grad()
                self.net.backward(self.loss.backward())
                self.optimizer.step()
            print(f"epoch {epoch + 1}: mean squared error {total / len(noisy_in):.5f}")

    def predict(self, noisy):
        height, width = noisy.shape[2:]
        predicted = [
            self.net.forward(pad_to_multiple(batch.float() / 255, 4))[:, :, :height, :width]
            for batch in noisy.split(BATCH)
        ]
        return cat(predicted) * 255
