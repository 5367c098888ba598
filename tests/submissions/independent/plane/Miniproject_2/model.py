import torch
from pathlib import Path
from .others.blocks import Conv2d, TransposeConv2d, ReLU, Sigmoid, Sequential, MSE, SGD

torch.set_grad_enabled(False)


class Model():
    def __init__(self):
        self.device = torch.device('cuda') if torch.cuda.is_available() else torch.device('cpu')
        self.model = Sequential(Conv2d(3, 16, 4, stride=2, padding=1),
                                ReLU(),
                                Conv2d(16, 32, 4, stride=2, padding=1),
                                ReLU(),
                                TransposeConv2d(32, 16, 4, stride=2, padding=1),
                                ReLU(),
                                TransposeConv2d(16, 3, 4, stride=2, padding=1),
                                Sigmoid())
        for m in self.model.list:
            if len(m.param()):
                m.cuda(self.device)
        self.criterion = MSE()
        self.optimizer = SGD(self.model.param(), lr=0.08)
        self.batch_size = 16

    def load_pretrained_model(self):
        p = Path(__file__).parent / 'bestmodel.pth'
        saved = torch.load(p, map_location=self.device)
        for (w, _), s in zip(self.model.param(), saved):
            w.copy_(s)

    def save(self):
        torch.save([w for w, _ in self.model.param()], Path(__file__).parent / 'bestmodel.pth')

    def train(self, train_input, train_target, num_epochs=1):
        for epoch in range(num_epochs):
            epoch_loss = 0.0
            self.optimizer.zero_grad()
            for b in range(0, train_input.shape[0], self.batch_size):
                x = train_input[b:b + self.batch_size].to(self.device).float() / 255
                t = train_target[b:b + self.batch_size].to(self.device).float() / 255
                output = self.model.forward(x)
                loss = self.criterion.forward(output, t)
                epoch_loss += loss.item()
                self.model.backward(self.criterion.backward())
                self.optimizer.step()
            print('Epoch', epoch, 'Loss:', epoch_loss)

    def predict(self, test_input):
        x = test_input.to(self.device).float() / 255
        h, w = x.shape[2:]
        ph, pw = (-h) % 4, (-w) % 4
        if ph + pw > 0:
            # repeat the last line / column until it is a multiple of 4
            if ph:
                x = torch.cat([x] + [x[:, :, -1:]] * ph, 2)
            if pw:
                x = torch.cat([x] + [x[:, :, :, -1:]] * pw, 3)
        y = self.model.forward(x)[:, :, :h, :w]
        return (y * 255).clamp(0, 255)
