from torch import empty


class Layer:
    """All the layers.

    self.params : dict name -> tensor
    self.grads  : dict name -> tensor (same keys)
    """

    def __init__(self):
        self.params = {}
        self.grads = {}

    def new_param(self, name, shape, gain):
        """gain : half width of the uniform law (0 -> zeros)"""
        if gain == 0:
            self.params[name] = empty(shape).zero_()
        else:
            self.params[name] = empty(shape).uniform_(-gain, gain)
        self.grads[name] = empty(shape).zero_()

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        raise NotImplementedError

    def backward(self, dout):
        raise NotImplementedError

    def param(self):
        return [(self.params[k], self.grads[k]) for k in self.params]

    def to(self, device):
        for k in self.params:
            self.params[k] = self.params[k].to(device)
            self.grads[k] = self.grads[k].to(device)
        return self

    @property
    def weight(self):
        return self.params['w']

    @property
    def bias(self):
        return self.params['b']
