"""The losses. What a network learns from noisy targets is the clean picture if that minimises the expected loss: the
mean of what a pixel may be minimises the squared error, the median the absolute one, and the mode what counts how
many values differ (J. Lehtinen et al., Noise2Noise, arXiv 1803.04189, sections 2 and 3).
"""

from .buffers import Buffers
from .module import Module


class _Loss(Module):
    """A mean over all values of all pictures of a function of the difference between prediction and target."""

    def __init__(self):
        self.difference = None
        self.buffers = Buffers()

    def forward(self, prediction, target):
        """The loss, a tensor without dimensions. Both arguments have the same shape, whichever it is."""
        if prediction.shape != target.shape:
            raise ValueError(
                f"{type(self).__name__} got a prediction of shape {tuple(prediction.shape)} and a target of shape "
                f"{tuple(target.shape)}; the two must be equal"
            )
        self.difference = self.buffers.copy_of("difference", prediction.detach()).sub_(target.detach())
        return self._mean()

    def backward(self, scratch=False):
        """The gradient of the loss with respect to the prediction."""
        if self.difference is None:
            raise RuntimeError(f"{type(self).__name__}.backward was called before forward")
        grad = self.buffers.copy_of("grad", self.difference) if scratch else self.difference.clone()
        return self._slope_(grad).div_(grad.numel())

    def _mean(self):
        raise NotImplementedError

    def _slope_(self, difference):
        """The function's derivative, in place of the difference."""
        raise NotImplementedError


class MSE(_Loss):
    """The mean of the squared differences; its gradient is 2·(prediction − target) / number of values."""

    def _mean(self):
        return self.difference.norm().square() / self.difference.numel()

    def _slope_(self, difference):
        return difference.mul_(2)


class L1(_Loss):
    """The mean of the absolute differences, as `torch.nn.L1Loss`."""

    def _mean(self):
        return self.difference.norm(1) / self.difference.numel()

    def _slope_(self, difference):
        return difference.sign_()


class L0(_Loss):
    """The mean of (|difference| + ε)^γ. With γ lowered from 2 to 0 in the course of the training it goes from the
    squared error to the number of values that differ (arXiv 1803.04189, section 3.4).
    """

    def __init__(self, gamma=2.0, eps=1e-8):
        super().__init__()
        self.gamma, self.eps = gamma, eps

    def _mean(self):
        return self._distance().pow_(self.gamma).mean()

    def _slope_(self, difference):
        distance = self._distance()
        return difference.sign_().mul_(distance.pow_(self.gamma - 1)).mul_(self.gamma)

    def _distance(self):
        return self.buffers.copy_of("distance", self.difference).abs_().add_(self.eps)


LOSSES = {"l2": MSE, "l1": L1, "l0": L0}
