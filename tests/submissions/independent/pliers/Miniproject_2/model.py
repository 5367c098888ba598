import torch
from pathlib import Path
from .layers import Conv2d, TransposeConv2d, ReLU, Sigmoid
from .network import Sequential, MSE, SGD

torch.set_grad_enabled(False)


class Model():
    def __init__(self):
        self.device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        self.net = Sequential([
            Conv2d(3, 32, 2, stride=2),
            ReLU(),
            Conv2d(32, 32, 4, stride=2, pad=1),
            ReLU(),
            TransposeConv2d(32, 32, 4, stride=2, pad=1),
            ReLU(),
            TransposeConv2d(32, 3, 2, stride=2),
            Sigmoid(),
        ])
        self.net.to(self.device)
        self.loss = MSE()
        self.lr, self.decay = 1.0, 0.95
        self.batch = 16
        self.path = Path(__file__).parent / 'bestmodel.pth'

    def load_pretrained_model(self):
        self.net.load_state_dict(torch.load(self.path, map_location=self.device))

    def save(self):
        torch.save(self.net.state_dict(), self.path)

    def train(self, train_input, train_target, num_epochs=10, verbose=True):
        sgd = SGD(self.net, self.lr, self.decay)
        for epoch in range(num_epochs):
            total = 0
            pairs = zip(train_input.split(self.batch), train_target.split(self.batch))
            for k, (x, t) in enumerate(pairs):
                x = x.to(self.device).float() / 255
                t = t.to(self.device).float() / 255
                if k % 2 == 1:
                    # both are noisy versions of the same image so the roles can be swapped
                    x, t = t, x
                total += self.loss.forward(self.net.forward(x), t).item() * len(x)
                self.net.backward(self.loss.backward())
                sgd.step()
            sgd.end_of_epoch()
            if verbose:
                print('epoch %3d  train loss %.5f' % (epoch + 1, total / len(train_input)))

    def predict(self, test_input):
        x = test_input.to(self.device).float() / 255
        h, w = x.shape[2:]
        y = x.clone()
        h4, w4 = h // 4 * 4, w // 4 * 4
        y[:, :, :h4, :w4] = self.net.forward(x[:, :, :h4, :w4])
        return y.mul(255).clamp(0, 255)
