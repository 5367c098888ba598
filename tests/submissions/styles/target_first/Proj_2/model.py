import os
import random

import torch

from .others.activations import ReLU, Sigmoid
from .others.conv2d import Conv2d
from .others.module import Module, Sequential
from .others.mse import MSE
from .others.sgd import SGD
from .others.transposedconv2d import TransposedConv2d

torch.set_grad_enabled(False)


class Network(Module):
  """ 3 x H x W -> 12 x H/2 x W/2 -> 24 x H/4 x W/4 and back """

  def __init__(self):
    self.encoder = Sequential([Conv2d(3, 12, 2, stride=2), ReLU(), Conv2d(12, 24, 2, stride=2), ReLU()])
    self.decoder = Sequential([TransposedConv2d(24, 12, 2, stride=2), ReLU(),
                               TransposedConv2d(12, 3, 2, stride=2), Sigmoid()])

  def forward(self, x):
    return self.decoder.forward(self.encoder.forward(x))

  def backward(self, dy):
    return self.encoder.backward(self.decoder.backward(dy))

  def param(self):
    return self.encoder.param() + self.decoder.param()


class Model():
  def __init__(self):
    self.network = Network()
    self.mse = MSE()
    self.optimizer = SGD(self.network, lr=5)
    self.batchSize = 4
    self.fileName = os.path.join(os.path.dirname(__file__), "bestmodel.pth")

  def load_pretrained_model(self):
    best = torch.load(self.fileName)
    for (p, g), values in zip(self.network.param(), best):
      p[:] = values

  def saveModel(self):
    torch.save(tuple(p for (p, g) in self.network.param()), self.fileName)

  def train(self, train_input, train_target, num_epochs):
    nImages = train_input.size(0)
    indices = list(range(nImages))
    for epoch in range(num_epochs):
      random.shuffle(indices)
      sumLoss = 0
      for i in range(0, nImages, self.batchSize):
        batch = indices[i:i + self.batchSize]
        noisy, target = train_input[batch].float() / 255, train_target[batch].float() / 255
        sumLoss += self.mse.forward(target, self.network.forward(noisy)) * len(batch)
        self.network.zeroGrad()
        self.network.backward(self.mse.backward())
        self.optimizer.step()
      print("Epoch", epoch, "loss", sumLoss / nImages)

  def predict(self, test_input):
    # image by image anyway (see Conv2d), so no batches here
    return self.network.forward(test_input.float() / 255) * 255
