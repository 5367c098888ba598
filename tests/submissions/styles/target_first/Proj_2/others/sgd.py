class SGD(object):
  """ model: anything with param(), a module or the whole network """

  def __init__(self, model, lr):
    self.model = model
    self.lr = lr

  def step(self):
    for (p, g) in self.model.param():
      p -= self.lr * g
