"""Connections past other modules: what a U-Net and a residual network have besides straight lines of modules."""

from .buffers import Buffers
from .container import Sequential
from .patches import channel_first


class _Around(Sequential):
    """Modules in order, and a connection around them. Keys of the state are those of the Sequential, so that
    a subclass of `torch.nn.Sequential` with the same sum or concatenation loads them.
    """

    in_place = False  # what goes around the modules is still needed after them

    def __init__(self, *modules):
        super().__init__(*modules)
        self.buffers = Buffers()

    def through(self, x):
        """What the modules alone make of `x`, which stays as it is. The result lives until the next call."""
        return super().forward(self._kept("x", x.detach()), scratch=True)

    def _back_through(self, grad):
        """The gradient with respect to the input of the modules alone. `grad` stays, the result lives as above."""
        return super().backward(self._kept("grad", grad), scratch=True)

    def _kept(self, name, x):
        """`x`, or a copy of it where the modules would work in its memory."""
        return self.buffers.copy_of(name, x) if Sequential(*self.modules).in_place else x

    def _result(self, name, x, channels, scratch):
        """Memory N×H×W×`channels` for a result for the pictures `x`, as a view N×channels×H×W."""
        n, _, h, w = x.shape
        shape = (n, h, w, channels)
        return channel_first(self.buffers.take(name, shape, x) if scratch else x.new_empty(shape))


class SkipConnection(_Around):
    """y = [f(x), x] along the channels, f being `modules` in order: the skip connection of the U-Net
    (O. Ronneberger et al., arXiv 1505.04597).

    Input N×C×H×W; f has to keep N, H and W, and with D channels of its result the output is N×(D + C)×H×W.
    """

    def __init__(self, *modules):
        super().__init__(*modules)
        self.channels = self.y_shape = None  # of f's result; of the output

    def forward(self, x, scratch=False):
        x = x.detach()
        inner = self.through(x)
        if inner.shape[2:] != x.shape[2:]:
            raise ValueError(
                f"SkipConnection got an input of shape {tuple(x.shape)}, of which its modules made one of shape "
                f"{tuple(inner.shape)}; the two need the same height and width: give it pictures whose height and "
                "width can be divided by the strides in it"
            )
        self.channels = inner.shape[1]
        y = self._result("y", x, self.channels + x.shape[1], scratch)
        self.y_shape = y.shape
        y[:, : self.channels].copy_(inner)
        y[:, self.channels :].copy_(x)
        return y

    def backward(self, grad_y, scratch=False):
        inner, around = self._split(grad_y)
        grad_x = self._back_through(inner)
        return grad_x.add_(around) if scratch else grad_x.add(around)

    def accumulate(self, grad_y):
        super().accumulate(self._split(grad_y)[0])

    def _split(self, grad_y):
        """The two parts of the gradient: with respect to f's result, and to the input that goes around."""
        _check_gradient(self, grad_y, self.y_shape)
        grad_y = grad_y.detach()
        return grad_y[:, : self.channels], grad_y[:, self.channels :]


class Residual(_Around):
    """y = f(x) + x, f being `modules` in order: they learn what to change in `x` (K. He et al., arXiv 1512.03385;
    the noise of a picture: K. Zhang et al., arXiv 1608.03981). f has to keep the shape N×C×H×W of its input.
    """

    def __init__(self, *modules):
        super().__init__(*modules)
        self.y_shape = None

    def forward(self, x, scratch=False):
        x = x.detach()
        inner = self.through(x)
        if inner.shape != x.shape:
            raise ValueError(
                f"Residual got an input of shape {tuple(x.shape)}, of which its modules made one of shape "
                f"{tuple(inner.shape)}; a sum needs the same shape: give it pictures whose height and width can be "
                "divided by the strides in it"
            )
        self.y_shape = x.shape
        return self._result("y", x, x.shape[1], scratch).copy_(inner).add_(x)

    def backward(self, grad_y, scratch=False):
        _check_gradient(self, grad_y, self.y_shape)
        grad_y = grad_y.detach()
        inner = self._back_through(grad_y)
        return self._result("grad_x", grad_y, grad_y.shape[1], scratch).copy_(inner).add_(grad_y)

    def accumulate(self, grad_y):
        _check_gradient(self, grad_y, self.y_shape)
        super().accumulate(grad_y)


def _check_gradient(module, grad_y, shape):
    if shape is None:
        raise RuntimeError(f"{type(module).__name__}.backward was called before forward")
    if grad_y.shape != shape:
        raise ValueError(
            f"{type(module).__name__}.backward got a gradient of shape {tuple(grad_y.shape)}, "
            f"but the output has shape {tuple(shape)}"
        )
