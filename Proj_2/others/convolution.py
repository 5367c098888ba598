"""What the convolution and the transposed convolution share: their arguments and their parameters."""

from collections import namedtuple

from torch import empty

from .buffers import Buffers, workspace
from .module import Module
from .patches import channel_first, channel_last

BLOCKS = 2  # of rows, whose products make up the gradient of a weight


class Window(namedtuple("Window", "kernel_size stride padding dilation")):
    """How a kernel visits a picture; each field is a pair (vertical, horizontal)."""

    __slots__ = ()

    def output_size(self, h, w):
        """The number of positions, (rows, columns), in a picture of height `h` and width `w`."""
        return tuple(
            (length + 2 * p - d * (k - 1) - 1) // s + 1 for length, k, s, p, d in zip((h, w), *self, strict=True)
        )


def pair(value, name, minimum=1):
    """`value` as a pair of whole numbers, (value, value) if it is a single one."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(values) != 2 or any(not isinstance(v, int) or v < minimum for v in values):
        raise ValueError(f"{name} must be a whole number of at least {minimum}, or two of them, not {value!r}")
    return values


class _Parameter:
    """A tensor attribute that has a gradient beside it, `NAME_grad`.

    Assigning copies the values into the tensor that is there, so that whoever holds it, an optimiser for one,
    sees them. Only a tensor of another type or on another device takes its place, with a gradient like it.
    """

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, module, owner=None):
        return self if module is None else module.__dict__[self.name]

    def __set__(self, module, value):
        own = module.__dict__.get(self.name)
        if own is None or value is None:
            if self.name in module.__dict__ and value is not own:
                raise ValueError(f"{self.name} can't be added or removed after {type(module).__name__} was made")
            module.__dict__[self.name] = value
            module.__dict__[f"{self.name}_grad"] = None if value is None else value.clone().zero_()
            return
        if value.shape != own.shape:
            raise ValueError(f"{self.name} must have shape {tuple(own.shape)}, not {tuple(value.shape)}")
        if value.dtype == own.dtype and value.device == own.device:
            own.copy_(value.detach())
        else:
            module.__dict__[self.name] = own.to(value.device, value.dtype).copy_(value.detach())
            module.__dict__[f"{self.name}_grad"] = module.__dict__[self.name].clone().zero_()


class Convolution(Module):
    """The parameters of both convolutions. A weight has torch's shape, rows × columns × k_h × k_w, and is kept
    channel-last as pictures are, so that it and its gradient can be read as matrices without a copy.
    """

    weight = _Parameter()
    bias = _Parameter()

    def __init__(self, in_channels, out_channels, window, groups, bias, transposed):
        if groups != 1:
            raise NotImplementedError(f"{type(self).__name__} supports groups=1 only, not groups={groups}")
        for name, value in (("in_channels", in_channels), ("out_channels", out_channels)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.transposed = transposed
        self.window = window
        self.kernel_size, self.stride, self.padding, self.dilation = window
        self.buffers = Buffers()
        rows, columns = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        # torch's initialisation: U(−b, b), b = 1/√(columns·k_h·k_w), which for Conv2d is the fan-in.
        bound = (columns * self.kernel_size[0] * self.kernel_size[1]) ** -0.5
        initial = empty(rows, columns, *self.kernel_size).uniform_(-bound, bound)
        self.weight = channel_first(channel_last(initial).contiguous())
        self.bias = empty(out_channels).uniform_(-bound, bound) if bias else None

    def named_param(self):
        named = {"weight": (self.weight, self.weight_grad)}
        if self.bias is not None:
            named["bias"] = (self.bias, self.bias_grad)
        return named

    def fan_in(self):
        """How many products make up a value of the output, its borders aside."""
        (kh, kw), (sh, sw) = self.kernel_size, self.stride
        return self.in_channels * kh * kw // (sh * sw if self.transposed else 1)

    def _matrix(self, dtype):
        """The weight as a matrix, rows × (k_h·k_w·columns), in the type that the products are made in."""
        return channel_last(self.weight).reshape(self.weight.shape[0], -1).to(dtype)

    def _add_bias(self, y):
        """`y`, N×H×W×C, with the bias added in place: to whole rows of pixels, since a sum over three channels at
        a time is five times as slow.
        """
        if self.bias is not None:
            w, c = y.shape[2:]
            # Of one type: promotion would cost a float32 copy of y.
            y.view(-1, w * c).add_(self.bias.to(y.dtype).repeat(w))
        return y

    def _add_to_gradients(self, left, right, grad_y):
        """Add leftᵀ·right to the weight's gradient and the sum of `grad_y`, pixels × channels, to the bias's."""
        gradient = channel_last(self.weight_grad)
        if left.shape[1] <= right.shape[1]:
            product = self._transposed_product(left, right)
        else:
            product = self._transposed_product(right, left).t()
        gradient.add_(product.reshape(gradient.shape))
        self._finish_gradients(grad_y)

    def _finish_gradients(self, grad_y):
        """Add to the bias's gradient, the last of the two."""
        if self.bias is not None:
            self.bias_grad.add_(grad_y.sum(0))
        if self.on_gradients:
            self.on_gradients(self)

    def _transposed_product(self, left, right):
        """leftᵀ·right of two tall matrices, in shared memory: the sum of the products of two blocks of their rows.

        Two cores have a block each then, where one product of so small a result leaves them to wait for
        each other. With the narrower matrix on the left the product is faster by up to a half.
        """
        exact = left.dtype == self.weight.dtype  # a sum of bfloat16 products would round them once more
        blocks = BLOCKS if exact and left.shape[0] % BLOCKS == 0 else 1
        shape = (blocks, left.shape[1], right.shape[1])
        products = workspace.take("products", shape, left)
        left, right = left.view(blocks, -1, shape[1]), right.view(blocks, -1, shape[2])
        products.baddbmm_(left.transpose(1, 2), right, beta=0)
        return products.sum(0) if blocks > 1 else products[0]

    def _checked(self, x, channels):
        """`x` without a memory of how it came about, which nothing here has a use for."""
        if x.dim() != 4 or x.shape[1] != channels:
            raise ValueError(
                f"{type(self).__name__} got an input of shape {tuple(x.shape)}; expected N×{channels}×H×W"
            )
        if not x.is_floating_point():
            raise ValueError(f"{type(self).__name__} got an input of type {x.dtype}; expected floating point")
        return x.detach()

    def _checked_gradient(self, grad_y, shape):
        if shape is None:
            raise RuntimeError(f"{type(self).__name__}.backward was called before forward")
        if grad_y.shape != shape:
            raise ValueError(
                f"{type(self).__name__}.backward got a gradient of shape {tuple(grad_y.shape)}, "
                f"but the output has shape {tuple(shape)}"
            )
        return grad_y.detach()

    def _result(self, name, shape, like, scratch):
        """Memory for a result: kept if the caller may not hold on to it, fresh if it may."""
        return self.buffers.take(name, shape, like) if scratch else like.new_empty(shape)
