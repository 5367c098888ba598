from pathlib import Path
import random
from torch import load, save, set_grad_enabled
from .framework import Conv2d, NearestUpsampling, ReLU, Sigmoid, Sequential, MSE, SGD, Constant

set_grad_enabled(False)


class Model():
    file = Path(__file__).with_name("bestmodel.pth")

    def __init__(self):
        self.net = None
        self.settings = {"width": 16, "batch": 16, "rate": 0.8}

    def build(self):
        w = self.settings["width"]
        self.net = Sequential([
            Conv2d(3, w, 3, stride=2, pad=1), ReLU(),
            Conv2d(w, w, 3, stride=2, pad=1), ReLU(),
            NearestUpsampling(2), Conv2d(w, w, 3, pad=1), ReLU(),
            NearestUpsampling(2), Conv2d(w, 3, 3, pad=1), Sigmoid()])

    def load_pretrained_model(self):
        self.build()
        for layer, saved in zip(self.net.layers, load(self.file, map_location="cpu")):
            layer.params.update(saved)

    def save(self):
        save([layer.params for layer in self.net.layers], self.file)

    def train(self, train_input, train_target, num_epochs):
        if self.net is None:
            self.build()
        loss = MSE("mean", self.net)
        optimizer = SGD(self.net, Constant(), learning_rate=self.settings["rate"])
        rows = list(range(train_input.size(0)))
        size = self.settings["batch"]
        for _ in range(num_epochs):
            random.shuffle(rows)
            for start in range(0, len(rows), size):
                batch = rows[start:start + size]
                self.net.zero()
                loss(self.net(train_input[batch].float().div(255)), train_target[batch].float().div(255))
                loss.backward()
                optimizer.step()

    def predict(self, test_input):
        if self.net is None:
            self.build()
        return self.net(test_input.float().div(255)).mul(255)
