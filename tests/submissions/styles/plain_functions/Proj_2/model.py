from pathlib import Path
import torch
from .others.layers import Conv2d, TransposeConv2d, Sequential
from .others.functional import relu, sigmoid, mse_loss, sgd_step, zero_grads


class Model:
    def __init__(self):
        torch.set_grad_enabled(False)
        self.net = Sequential(
            Conv2d(3, 16, 3, stride=2, padding=1), relu,
            Conv2d(16, 24, 3, stride=2, padding=1), relu,
            TransposeConv2d(24, 16, 4, stride=2, padding=1), relu,
            TransposeConv2d(16, 3, 4, stride=2, padding=1), sigmoid,
        )
        self.lr = 1.0

    def load_pretrained_model(self):
        saved = torch.load(Path(__file__).parent / "bestmodel.pth", map_location="cpu")
        for p, s in zip(self.net.params(), saved):
            p.copy_(s)

    def train(self, train_input, train_target, num_epochs=1):
        for epoch in range(num_epochs):
            total = 0.0
            for x, y in zip(train_input.split(16), train_target.split(16)):
                loss, dloss = mse_loss(self.net.forward(x.float() / 255), y.float() / 255)
                zero_grads(self.net.grads())
                self.net.backward(dloss)
                sgd_step(self.net.params(), self.net.grads(), self.lr)
                total += float(loss) * len(x)
            print(f"epoch {epoch}: {total / len(train_input):.5f}")

    def predict(self, test_input):
        return self.net.forward(test_input.float() / 255) * 255
