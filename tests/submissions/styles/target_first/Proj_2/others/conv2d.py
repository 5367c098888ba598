from torch import empty
from torch.nn.functional import fold, unfold

from .module import Module


class Conv2d(Module):
  """ Convolution layer. The images of a batch are treated one after the other. """

  def __init__(self, inChannels, outChannels, kernelSize, stride=1, padding=0):
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding
    a = (1 / (inChannels * kernelSize * kernelSize)) ** 0.5
    self.weight = empty(outChannels, inChannels, kernelSize, kernelSize).uniform_(-a, a)
    self.bias = empty(outChannels).uniform_(-a, a)
    self.gradWeight = empty(outChannels, inChannels, kernelSize, kernelSize).zero_()
    self.gradBias = empty(outChannels).zero_()

  def forward(self, x):
    self.x = x
    newHeight = (x.size(2) + 2 * self.padding - self.kernelSize) // self.stride + 1
    newWidth = (x.size(3) + 2 * self.padding - self.kernelSize) // self.stride + 1
    kernels = self.weight.reshape(self.weight.size(0), -1)
    y = x.new_empty(x.size(0), self.weight.size(0), newHeight, newWidth)
    for n in range(x.size(0)):
      blocks = self.toBlocks(x[n])
      y[n] = (kernels.mm(blocks) + self.bias[:, None]).view(-1, newHeight, newWidth)
    return y

  def backward(self, dy):
    kernels = self.weight.reshape(self.weight.size(0), -1)
    dx = self.x.new_empty(self.x.size())
    dw = kernels.new_zeros(kernels.size())
    db = self.bias.new_zeros(self.bias.size())
    for n in range(dy.size(0)):
      blocks = self.toBlocks(self.x[n])
      dyn = dy[n].reshape(dy.size(1), -1)
      dw += dyn.mm(blocks.t())
      db += dyn.sum(1)
      dx[n] = fold(kernels.t().mm(dyn).unsqueeze(0), self.x.shape[2:], self.kernelSize,
                   padding=self.padding, stride=self.stride)[0]
    self.gradWeight += dw.view(self.weight.size())
    self.gradBias += db
    return dx

  def toBlocks(self, image):
    return unfold(image.unsqueeze(0), self.kernelSize, padding=self.padding, stride=self.stride)[0]

  def param(self):
    return [(self.weight, self.gradWeight), (self.bias, self.gradBias)]
