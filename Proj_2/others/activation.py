"""The two nonlinearities. Each saves its output, from which its derivative can be read."""

from .buffers import Buffers
from .module import Module

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


class ReLU(_Activation):
    """y = max(x, 0) for every value of a tensor of any shape."""

    def _apply_(self, x):
        return x.relu_()

    def _apply_derivative_(self, grad):
        parts = self.y.numel() // AT_ONCE + 1
        batch = min(1, self.y.dim())  # a tensor without dimensions is taken as one of a single value
        ys, grads = (x[None].chunk(parts, batch) for x in (self.y, grad))
        mask = self.buffers.take_like("mask", ys[0])
        for y, part in zip(ys, grads, strict=True):
            part.mul_(mask.narrow(batch, 0, y.shape[batch]).copy_(y).sign_())  # 1 where x was positive, else 0
        return grad


class Sigmoid(_Activation):
    """y = 1 / (1 + exp(-x)) for every value of a tensor of any shape."""

    def _apply_(self, x):
        return x.sigmoid_()

    def _apply_derivative_(self, grad):
        grad.mul_(self.y)  # y·(1 − y) is 0 for a saturated y: never the quotient of two overflows
        return grad.addcmul_(grad, self.y, value=-1)
