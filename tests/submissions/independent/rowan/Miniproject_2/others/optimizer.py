class SGD(object):
    """ The gradient descent update; works directly on the module that is trained. """

    def __init__(self, module, lr):
        self.module = module
        self.lr = lr

    def update(self):
        for w, dw in self.module.param():
            w.sub_(self.lr * dw)
        self.module.zero_grad()
