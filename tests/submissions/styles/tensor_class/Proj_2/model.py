import pickle
import random
from pathlib import Path

import torch
from torch import cat

from .others.autograd import Tensor
from .others.nn import MSE, SGD, Conv2d, ReLU, Sequential, Sigmoid, TransposeConv2d

torch.set_grad_enabled(False)


class Model:
    def __init__(self) -> None:
        self.net = Sequential(
            Conv2d(3, 12, 3, stride=2, padding=1),
            ReLU(),
            Conv2d(12, 24, 3, stride=2, padding=1),
            ReLU(),
            TransposeConv2d(24, 12, 4, stride=2, padding=1),
            ReLU(),
            TransposeConv2d(12, 3, 4, stride=2, padding=1),
            Sigmoid(),
        )
        self.optimizer = SGD(self.net.param(), lr=0.6, momentum=0.9)
        self.criterion = MSE()
        self.weights_file = Path(__file__).parent / "bestmodel.pth"

    def load_pretrained_model(self) -> None:
        with open(self.weights_file, "rb") as f:
            for p, values in zip(self.net.param(), pickle.load(f)):
                p.data = values

    def save(self, path=None) -> None:
        with open(path or self.weights_file, "wb") as f:
            pickle.dump([p.data for p in self.net.param()], f)

    def train(self, train_input, train_target, num_epochs, batch_size=5) -> None:
        indices = list(range(len(train_input)))
        for epoch in range(num_epochs):
            random.shuffle(indices)
            for start in range(0, len(indices), batch_size):
                batch = indices[start : start + batch_size]
                noisy, target = Tensor(train_input[batch] / 255.0), Tensor(train_target[batch] / 255.0)
                loss = self.criterion(self.net(noisy), target)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
            print(f"Epoch {epoch + 1}/{num_epochs}, last loss: {loss.data.item():.4f}")

    def predict(self, test_input) -> torch.Tensor:
        outputs = [self.net(Tensor(batch / 255.0)).data for batch in test_input.split(64)]
        return cat(outputs).mul(255).clamp(0, 255)
