from torch import empty
from torch.nn.functional import fold, unfold

from .module import Module


class TransposedConv2d(Module):
  """ Transposed convolution layer, for the upsampling. """

  def __init__(self, inChannels, outChannels, kernelSize, stride=1, padding=0):
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding
    # each output value comes from about (k / s)^2 input pixels
    a = (stride * stride / (inChannels * kernelSize * kernelSize)) ** 0.5
    self.weight = empty(inChannels, outChannels, kernelSize, kernelSize).uniform_(-a, a)
    self.bias = empty(outChannels).uniform_(-a, a)
    self.gradWeight = empty(inChannels, outChannels, kernelSize, kernelSize).zero_()
    self.gradBias = empty(outChannels).zero_()

  def forward(self, x):
    self.x = x
    newHeight = (x.size(2) - 1) * self.stride - 2 * self.padding + self.kernelSize
    newWidth = (x.size(3) - 1) * self.stride - 2 * self.padding + self.kernelSize
    kernels = self.weight.reshape(self.weight.size(0), -1)
    y = x.new_empty(x.size(0), self.weight.size(1), newHeight, newWidth)
    for n in range(x.size(0)):
      blocks = kernels.t().mm(x[n].reshape(x.size(1), -1))
      image = fold(blocks.unsqueeze(0), (newHeight, newWidth), self.kernelSize,
                   padding=self.padding, stride=self.stride)[0]
      y[n] = image + self.bias[:, None, None]
    return y

  def backward(self, dy):
    kernels = self.weight.reshape(self.weight.size(0), -1)
    dx = self.x.new_empty(self.x.size())
    dw = kernels.new_zeros(kernels.size())
    for n in range(dy.size(0)):
      blocks = unfold(dy[n].unsqueeze(0), self.kernelSize, padding=self.padding, stride=self.stride)[0]
      dw += self.x[n].reshape(self.x.size(1), -1).mm(blocks.t())
      dx[n] = kernels.mm(blocks).view(self.x[n].size())
    self.gradWeight += dw.view(self.weight.size())
    self.gradBias += dy.sum(3).sum(2).sum(0)
    return dx

  def param(self):
    return [(self.weight, self.gradWeight), (self.bias, self.gradBias)]
