class Module(object):
    """Base class, same as in the project description"""

    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def __call__(self, *input):
        return self.forward(*input)

    def param(self):
        return []

    def zero_grad(self):
        for p, g in self.param():
            g.zero_()
