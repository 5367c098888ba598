import pathlib

import torch

from .others.layers import MSE, SGD, Conv2d, ReLU, Sequential, Sigmoid, State, TransposeConv2d

torch.set_grad_enabled(False)


class Model:
    def __init__(self):
        self.network = Sequential(
            Conv2d(3, 16, 3, stride=2, pad=1),
            ReLU(),
            Conv2d(16, 24, 3, stride=2, pad=1),
            ReLU(),
            TransposeConv2d(24, 16, 4, stride=2, pad=1),
            ReLU(),
            TransposeConv2d(16, 3, 4, stride=2, pad=1),
            Sigmoid(),
        )
        self.criterion = MSE()
        self.optimizer = SGD(self.network, rate=1.0)
        self.batch_size = 8

    def load_pretrained_model(self):
        weights = torch.load(pathlib.Path(__file__).parent / "bestmodel.pth", map_location="cpu")
        convolutions = [layer for layer in self.network.layers if hasattr(layer, "filters")]
        for layer, (filters, offset) in zip(convolutions, weights):
            layer.filters.copy_(filters)
            layer.offset.copy_(offset)

    def train(self, train_input, train_target, num_epochs):
        x, target = train_input.float() / 255, train_target.float() / 255
        for _ in range(num_epochs):
            order = x.new_empty(len(x)).uniform_().argsort()
            for batch in order.split(self.batch_size):
                state = State(x[batch], target[batch])
                self.network.forward(state)
                self.criterion.forward(state)
                self.criterion.backward(state)
                self.network.backward(state)
                self.optimizer.step()

    def predict(self, test_input):
        h, w = test_input.shape[2:]
        results = []
        for batch in test_input.split(100):
            state = State(batch.float() / 255)
            self.network.forward(state)
            results.append(state.x[:, :, :h, :w] * 255)
        return torch.cat(results)
