class Module(object):
    """Abstract base class."""

    def forward(self, x):
        raise NotImplementedError

    def backward(self, grad_output):
        raise NotImplementedError

    def param(self) -> list:
        return []
