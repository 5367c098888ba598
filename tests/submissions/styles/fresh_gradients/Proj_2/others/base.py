class Module:
    """Everything that can be put into a Sequential."""

    def forward(self, *input):
        raise NotImplementedError

    def backward(self, *gradwrtoutput):
        raise NotImplementedError

    def zero_grad(self):
        pass

    def param(self):
        # nothing to learn
        return [(None, None)]
