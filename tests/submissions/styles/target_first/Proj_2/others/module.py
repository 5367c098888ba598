class Module(object):
  def forward(self, x):
    raise NotImplementedError

  def backward(self, dy):
    raise NotImplementedError

  def param(self):
    return []

  def zeroGrad(self):
    for (p, g) in self.param():
      g.zero_()


class Sequential(Module):
  """ modules: list of the modules in the order of the forward pass """

  def __init__(self, modules):
    self.modules = modules

  def forward(self, x):
    for module in self.modules:
      x = module.forward(x)
    return x

  def backward(self, dy):
    for module in self.modules[::-1]:
      dy = module.backward(dy)
    return dy

  def param(self):
    params = []
    for module in self.modules:
      params.extend(module.param())
    return params
