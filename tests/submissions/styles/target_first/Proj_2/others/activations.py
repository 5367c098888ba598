from .module import Module


class ReLU(Module):
  def forward(self, x):
    self.x = x.clone()
    y = x.clone()
    y[y < 0] = 0
    return y

  def backward(self, dy):
    dx = dy.clone()
    dx[self.x <= 0] = 0
    return dx


class Sigmoid(Module):
  def forward(self, x):
    y = 1 / (1 + (-x).exp())
    self.y = y
    return y

  def backward(self, dy):
    dx = dy.mul(self.y)
    return dx.mul(1 - self.y)
