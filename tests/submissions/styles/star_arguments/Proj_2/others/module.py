class Module(object):
    """
    Base class, as given in the handout. What backward needs is kept on a stack: forward puts a context on
    top, backward takes it off. So a module may be used several times, and then go backward in reversed order.
    """

    def __init__(self):
        self.contexts = []

    def save(self, *context):
        self.contexts.append(context)

    def restore(self):
        return self.contexts.pop()

    def clear(self):
        """Forgets the contexts of forward passes that are not followed by a backward pass."""
        self.contexts.clear()

    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def param(self):
        return []


class Sequential(Module):
    """Chain of modules, in the order in which the input goes through them."""

    def __init__(self, *modules):
        super(Sequential, self).__init__()
        self.modules = modules

    def forward(self, *input):
        output = input
        for module in self.modules:
            output = (module.forward(*output),)
        return output[0]

    def backward(self, *gradwrtoutput):
        grads = gradwrtoutput
        for module in reversed(self.modules):
            grads = module.backward(*grads)
        return grads

    def clear(self):
        for module in self.modules:
            module.clear()

    def param(self):
        return [p for module in self.modules for p in module.param()]
