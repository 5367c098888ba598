import torch
import pathlib
import random
from .others.nn import Conv2d, TransposeConv2d, ReLU, Sigmoid, Sequential, MSE, SGD


class Model():
    def __init__(self) -> None:
        torch.set_grad_enabled(False)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.path = pathlib.Path(__file__).parent.absolute() / "bestmodel.pth"
        self.model = Sequential(Conv2d(3, 20, (3, 3), (2, 2), (1, 1)), ReLU(),
                                Conv2d(20, 40, (3, 3), (2, 2), (1, 1)), ReLU(),
                                TransposeConv2d(40, 20, (4, 4), (2, 2), (1, 1)), ReLU(),
                                TransposeConv2d(20, 3, (4, 4), (2, 2), (1, 1)), Sigmoid())
        self.model.to(self.device)
        self.loss = MSE()
        self.optimizer = SGD(self.model, learning_rate=1, decay=0.05)
        self.minibatch_size = 16

    def load_pretrained_model(self) -> None:
        loaded = torch.load(self.path, map_location=self.device)
        for params, saved in zip(self.model.parameters(), loaded):
            for p, s in zip(params, saved):
                p.copy_(s)

    def save_model(self):
        torch.save(self.model.parameters(), self.path)

    def train(self, train_input, train_target, num_epochs) -> None:
        train_input = train_input.float().to(self.device) / 255
        train_target = train_target.float().to(self.device) / 255
        n = train_input.size(0)
        for e in range(num_epochs):
            self.optimizer.epoch = e
            running = 0
            batches = list(range(0, n - self.minibatch_size + 1, self.minibatch_size))
            random.shuffle(batches)
            for b in batches:
                output = self.model.forward(train_input.narrow(0, b, self.minibatch_size))
                running += self.loss.forward(output, train_target.narrow(0, b, self.minibatch_size)).item()
                self.model.backward(self.loss.backward())
                self.optimizer.update()
            if e % 5 == 0 or e == num_epochs - 1:
                print("Epoch", e, "loss", running / max(1, len(batches)))

    def predict(self, test_input) -> torch.Tensor:
        output = self.model.forward(test_input.float().to(self.device) / 255)
        return (output * 255).round().clamp(0, 255)
