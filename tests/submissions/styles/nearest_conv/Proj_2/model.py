from os.path import dirname, join

import torch

from .others.basics import MSE, SGD, ReLU, Sequential, Sigmoid
from .others.convolution import Conv2d, Upsampling

torch.set_grad_enabled(False)

BESTMODEL = join(dirname(__file__), 'bestmodel.pth')


class Model:
    """
    16 x 16 x 16 after the first convolution, 24 x 8 x 8 in the middle.
    """

    def __init__(self):
        self.network = Sequential(
            Conv2d(3, 16, kernel=2, stride=2), ReLU(),
            Conv2d(16, 24, kernel=2, stride=2), ReLU(),
            Upsampling(24, 16, kernel=3), ReLU(),
            Upsampling(16, 3, kernel=3), Sigmoid())
        self.loss = MSE()
        self.optimizer = SGD(self.network.param(), lr=0.3)

    def load_pretrained_model(self):
        state = torch.load(BESTMODEL, map_location='cpu')
        for i, (p, _) in enumerate(self.network.param()):
            p.copy_(state[str(i)])

    def save(self, file=BESTMODEL):
        torch.save({str(i): p for i, (p, _) in enumerate(self.network.param())}, file)

    def train(self, train_input, train_target, num_epochs):
        for epoch in range(num_epochs):
            order = torch.empty(train_input.size(0)).uniform_().argsort()
            for k in range(0, order.numel(), 5):
                chosen = order[k:k + 5]
                y = self.network.forward(self.normalize(train_input[chosen]))
                loss = self.loss.forward(y, self.normalize(train_target[chosen]))
                self.optimizer.zero_grad()
                self.network.backward(self.loss.backward())
                self.optimizer.step()
                if k % 5000 == 0:
                    print(f'epoch {epoch}, {k} pictures: loss {float(loss):.4f}')

    def predict(self, test_input):
        denoised = [self.network.forward(self.normalize(x)) for x in test_input.split(20)]
        return torch.cat(denoised, 0) * 255

    def normalize(self, pictures):
        return pictures.float() / 255
