"""The nonlinearities. Each saves its output, from which its derivative can be read."""

from .buffers import Buffers, workspace
from .module import Module
from .patches import channel_last

AT_ONCE = 2**19  # values: what is made of them is read again from the cache, and takes little memory


class _Activation(Module):
    """Apply a function to every value, and its derivative, a function of the output, on the way back."""

    in_place = True

    def __init__(self):
        self.y = None  # the last output, never in a caller's hands
        self.buffers = Buffers()

    def forward(self, x, scratch=False):
        y = self._apply_(x if scratch else x.detach().clone())
        self.y = y if scratch else self.buffers.copy_of("y", y)
        return y

    def backward(self, grad_y, scratch=False):
        if self.y is None:
            raise RuntimeError(f"{type(self).__name__}.backward was called before forward")
        if grad_y.shape != self.y.shape:
            raise ValueError(
                f"{type(self).__name__}.backward got a gradient of shape {tuple(grad_y.shape)}, "
                f"but the output has shape {tuple(self.y.shape)}"
            )
        return self._apply_derivative_(grad_y if scratch else grad_y.detach().clone())

    @staticmethod
    def _in_parts(*tensors):
        """Tensors of one shape a part at a time, small enough to stay in the cache, after memory for a part."""
        views = [channel_last(x) if x.dim() == 4 else x[None] for x in tensors]
        shape = views[0].shape
        along = next((i for i, size in enumerate(shape) if size > 1), 0)
        parts = (view.chunk(views[0].numel() // AT_ONCE + 1, along) for view in views)
        for part in zip(*parts, strict=True):
            yield workspace.take("part", tuple(part[0].shape), part[0]), *part


class _Rectifier(_Activation):
    """The derivative of both rectifiers is a function of the output's sign."""

    def _apply_derivative_(self, grad):
        for mask, y, part in self._in_parts(self.y, grad):
            part.mul_(self._slope_(mask.copy_(y).gt_(0)))
        return grad


class ReLU(_Rectifier):
    """y = max(x, 0) for every value of a tensor of any shape."""

    def _apply_(self, x):
        return x.relu_()

    def _slope_(self, positive):
        return positive


class LeakyReLU(_Rectifier):
    """y = max(x, a·x), a being `negative_slope`, from 0 to 1, for every value of a tensor of any shape."""

    def __init__(self, negative_slope=0.01):
        if not 0 <= negative_slope <= 1:
            raise ValueError(f"negative_slope must be a number from 0 to 1, not {negative_slope!r}")
        super().__init__()
        self.negative_slope = negative_slope

    def _apply_(self, x):
        for scaled, part in self._in_parts(x):
            part.clamp_(min=scaled.copy_(part).mul_(self.negative_slope))
        return x

    def _slope_(self, positive):
        return positive.clamp_(min=self.negative_slope)


class Sigmoid(_Activation):
    """y = 1 / (1 + exp(-x)) for every value of a tensor of any shape."""

    def _apply_(self, x):
        return x.sigmoid_()

    def _apply_derivative_(self, grad):
        grad.mul_(self.y)  # y·(1 − y) is 0 for a saturated y: never the quotient of two overflows
        return grad.addcmul_(grad, self.y, value=-1)
