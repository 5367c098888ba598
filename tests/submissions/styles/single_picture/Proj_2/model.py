from os.path import dirname, join
import torch
from .nn import Conv2d, NearestUpsampling, ReLU, Sigmoid, Sequential, MSE, SGD

torch.set_grad_enabled(False)


class Model:
    def __init__(self):
        self.net = Sequential(Conv2d(3, 12, 3, 2, 1), ReLU(), Conv2d(12, 24, 3, 2, 1), ReLU(), NearestUpsampling(2),
                              Conv2d(24, 12, 3, 1, 1), ReLU(), NearestUpsampling(2), Conv2d(12, 3, 3, 1, 1), Sigmoid())
        self.mse, self.sgd = MSE(), SGD(self.net, 0.1)

    def load_pretrained_model(self):
        for (p, _), saved in zip(self.net.param(), torch.load(join(dirname(__file__), "bestmodel.pth"))):
            p.copy_(saved)

    def train(self, train_input, train_target, num_epochs):
        for _ in range(num_epochs):
            for i, (x, y) in enumerate(zip(train_input, train_target)):
                self.mse.forward(self.net.forward(x.float() / 255), y.float() / 255)
                self.net.backward(self.mse.backward())
                if i % 8 == 7:
                    self.sgd.step()

    def predict(self, test_input):
        return torch.cat([255 * self.net.forward(x.float() / 255)[None] for x in test_input])
