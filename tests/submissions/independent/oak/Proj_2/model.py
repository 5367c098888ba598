from pathlib import Path
import torch
from .others.block import Conv2d, NearestUpsampling, ReLU, Sigmoid, Sequential
from .others.learning import MSE, SGD, mini_batches


class Model():
    def __init__(self):
        torch.set_grad_enabled(False)
        self.net = (Conv2d(3, 20, 3, 2, 1) + ReLU()
                    + Conv2d(20, 32, 3, 2, 1) + ReLU()
                    + NearestUpsampling(2) + Conv2d(32, 20, 3, 1, 1) + ReLU()
                    + NearestUpsampling(2) + Conv2d(20, 3, 3, 1, 1) + Sigmoid())
        self.mse = MSE()
        self.sgd = SGD(self.net.param(), lr=0.3, momentum=0.9)

    def pairs(self):
        return self.sgd.pairs

    def load_pretrained_model(self):
        weights = torch.load(Path(__file__).parent / 'bestmodel.pth', map_location='cpu')
        for (p, _), w in zip(self.pairs(), weights):
            p.copy_(w)

    def save_model(self):
        torch.save([p for p, _ in self.pairs()], Path(__file__).parent / 'bestmodel.pth')

    def train(self, train_input, train_target, num_epochs):
        x, y = train_input / 255, train_target / 255
        for epoch in range(num_epochs):
            epoch_loss = 0
            for xb, yb in mini_batches(x, y, 8):
                epoch_loss += self.mse.forward(self.net.forward(xb), yb).item() * len(xb)
                self.sgd.zero_grad()
                self.net.backward(self.mse.backward())
                self.sgd.step()
            print("Epoch {} : {:.5f}".format(epoch, epoch_loss / len(x)))

    def predict(self, test_input):
        return (self.net.forward(test_input / 255) * 255).clamp(0, 255)
