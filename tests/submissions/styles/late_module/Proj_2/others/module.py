class Module(object):
    """
    Base class of all the blocks, as given in the project description.

    The gradients of the parameters do not exist before the first call of zero_grad(): this saves
    the memory when the network is only used for prediction.
    """

    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []

    def zero_grad(self):
        return None


class Sequential(Module):
    """Chain of modules, Sequential(Conv2d(...), ReLU(), ...)."""

    def __init__(self, *modules):
        self.modules = modules

    def forward(self, *input):
        out = input[0]
        for module in self.modules:
            out = module.forward(out)
        return out

    def backward(self, *gradwrtoutput):
        grad = gradwrtoutput[0]
        for module in reversed(self.modules):
            grad = module.backward(grad)
        return grad

    def param(self):
        parameters = []
        for module in self.modules:
            parameters += module.param()
        return parameters

    def zero_grad(self):
        for module in self.modules:
            module.zero_grad()
