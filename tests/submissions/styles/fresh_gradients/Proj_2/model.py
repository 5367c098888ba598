from pathlib import Path

import torch

from .others.conv import Conv2d, TransposeConv2d
from .others.nn import MSE, ReLU, Sequential, Sigmoid
from .others.optim import SGD

torch.set_grad_enabled(False)


class Model:
    BATCH_SIZE = 4
    LEARNING_RATE = 2.0

    def __init__(self):
        self.net = Sequential(
            Conv2d(3, 12, kernel_size=2, stride=2),
            ReLU(),
            Conv2d(12, 24, kernel_size=2, stride=2),
            ReLU(),
            TransposeConv2d(24, 12, kernel_size=2, stride=2),
            ReLU(),
            TransposeConv2d(12, 3, kernel_size=4, stride=2, padding=1),
            Sigmoid(),
        )
        self.loss = MSE()
        self.optimizer = SGD(self.net, self.LEARNING_RATE)
        self.path = Path(__file__).parent / "bestmodel.pth"

    def _weights(self):
        return [weight for layer in self.net.param() for weight, _ in layer if weight is not None]

    def load_pretrained_model(self):
        for weight, saved in zip(self._weights(), torch.load(self.path, map_location="cpu")):
            weight.copy_(saved)

    def save(self):
        torch.save(self._weights(), self.path)

    def train(self, noisy_in, noisy_out, num_epochs):
        noisy_in, noisy_out = noisy_in.float() / 255, noisy_out.float() / 255
        n = noisy_in.shape[0]
        for epoch in range(1, num_epochs + 1):
            running = 0.0
            for start in range(0, n, self.BATCH_SIZE):
                x = noisy_in[start : start + self.BATCH_SIZE]
                y = noisy_out[start : start + self.BATCH_SIZE]
                self.optimizer.zero_grad()
                running += self.loss.forward(self.net.forward(x), y) * len(x)
                self.net.backward(self.loss.backward())
                self.optimizer.step()
            print(f"[{epoch}/{num_epochs}] loss = {running / n:.5f}")

    def predict(self, noisy):
        x = noisy.float() / 255
        return 255 * torch.cat([self.net.forward(batch) for batch in x.split(100)])
