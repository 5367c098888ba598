import torch
from pathlib import Path
from .others.core import Module, SGD, MSE
from .others.layers import Conv2d, NearestUpsampling, ReLU, Sigmoid, Sequential

torch.set_grad_enabled(False)


class Denoiser(Module):
    def __init__(self):
        super().__init__()
        self.down = self.child(Sequential(
            Conv2d(3, 16, 3, stride=2, padding=1), ReLU(),
            Conv2d(16, 24, 3, stride=2, padding=1), ReLU()))
        self.up = self.child(Sequential(
            NearestUpsampling(2), Conv2d(24, 16, 5, padding=2), ReLU(),
            NearestUpsampling(2), Conv2d(16, 3, 3, padding=1)))
        self.out = self.child(Sigmoid())

    def forward(self, x):
        return self.out(self.up(self.down(x)))

    def backward(self, dy):
        return self.down.backward(self.up.backward(self.out.backward(dy)))


class Model():
    def __init__(self) -> None:
        self.device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        self.net = Denoiser()
        self.net.to(self.device)
        self.mse = MSE()
        self.sgd = SGD(self.net.all_params(), lr=0.2, momentum=0.9)
        self.batch_size = 16
        self.chunk = 8      # a batch goes through the net in chunks (memory of my laptop)

    def load_pretrained_model(self) -> None:
        data = torch.load(Path(__file__).parent / 'bestmodel.pth', map_location=self.device)
        for p, d in zip(self.net.all_params(), data):
            p.data.copy_(d)

    def save(self):
        torch.save([p.data for p in self.net.all_params()], Path(__file__).parent / 'bestmodel.pth')

    def step(self, x, t):
        self.sgd.zero_grad()
        loss = 0
        for xc, tc in zip(x.split(self.chunk), t.split(self.chunk)):
            part = len(xc) / len(x)
            loss += part * self.mse.forward(self.net(xc), tc).item()
            self.net.backward(part * self.mse.backward())
        self.sgd.step()
        return loss

    def train(self, train_input, train_target, num_epochs) -> None:
        n = train_input.shape[0]
        for e in range(num_epochs):
            loss, k = 0, 0
            for i in range(0, n, self.batch_size):
                x = train_input[i:i + self.batch_size].to(self.device).float() / 255
                t = train_target[i:i + self.batch_size].to(self.device).float() / 255
                loss += self.step(x, t)
                k += 1
            print('epoch', e, loss / k)

    def predict(self, test_input) -> torch.Tensor:
        outs = []
        for x in test_input.split(100):
            y = self.net(x.to(self.device).float() / 255)
            outs.append(y[:, :, :x.shape[2], :x.shape[3]] * 255)
        return torch.cat(outs)
