"""The loss."""

from .buffers import Buffers
from .module import Module


class MSE(Module):
    """The mean of the squared differences, over all values of all pictures."""

    def __init__(self):
        self.difference = None
        self.buffers = Buffers()

    def forward(self, prediction, target):
        """The loss, a tensor without dimensions. Both arguments have the same shape, whichever it is."""
        if prediction.shape != target.shape:
            raise ValueError(
                f"MSE got a prediction of shape {tuple(prediction.shape)} and a target of shape "
                f"{tuple(target.shape)}; the two must be equal"
            )
        self.difference = self.buffers.copy_of("difference", prediction.detach()).sub_(target.detach())
        return self.difference.norm().square() / self.difference.numel()

    def backward(self, scratch=False):
        """The gradient of the loss with respect to the prediction, 2·(prediction − target) / number of values."""
        if self.difference is None:
            raise RuntimeError("MSE.backward was called before forward")
        scale = 2 / self.difference.numel()
        if scratch:
            return self.buffers.copy_of("grad", self.difference).mul_(scale)
        return self.difference * scale
