from pathlib import Path

import torch

from .others import Conv2d, ConvTranspose2d, MSELoss, Optimizer, Relu, Sequential, SGDOptimizer, Sigmoid

torch.set_grad_enabled(False)


class Model:
    def __init__(self) -> None:
        self.net = Sequential(
            Conv2d(3, 16, 3, stride=2, padding=1), Relu(),
            Conv2d(16, 32, 2, stride=2), Relu(),
            ConvTranspose2d(32, 16, 2, stride=2), Relu(),
            ConvTranspose2d(16, 3, 2, stride=2), Sigmoid(),
        )
        self.loss = MSELoss()
        self.optimizer = SGDOptimizer(self.net.parameters(), learning_rate=4.)

    def load_pretrained_model(self) -> None:
        with (Path(__file__).parent / "bestmodel.pth").open("rb") as file:
            values = torch.load(file, map_location="cpu")
        for parameter, value in zip(self.net.parameters(), values):
            parameter.value = value

    def save(self, path: str) -> None:
        torch.save([parameter.value for parameter in self.net.parameters()], path)

    def train(self, train_input: torch.Tensor, train_target: torch.Tensor, num_epochs: int) -> None:
        for epoch in range(1, num_epochs + 1):
            order = torch.empty(len(train_input)).random_().argsort()
            for indices in order.split(4):
                prediction = self.net(train_input[indices].div(255.))
                loss = self.loss(prediction, train_target[indices].div(255.))
                self.optimizer.zero_grad()
                self.net.backward(self.loss.backward())
                self.optimizer.update()
            print("Epoch %d: loss of the last batch %.5f" % (epoch, loss))

    def predict(self, test_input: torch.Tensor) -> torch.Tensor:
        denoised = [self.net(pictures.div(255.)).mul(255.) for pictures in test_input.split(32)]
        return torch.cat(denoised)
