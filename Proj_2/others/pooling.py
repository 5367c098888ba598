"""The largest value of every window."""

from .buffers import Buffers
from .convolution import Window, pair
from .module import Module
from .patches import channel_first, channel_last


class MaxPool2d(Module):
    """Keep the largest value under each position of a kernel, as `torch.nn.MaxPool2d` does.

    Input N×C×H×W, output N×C×H_out×W_out with H_out = ⌊(H + 2p − d·(k − 1) − 1) / s⌋ + 1; the stride is the
    kernel's size unless given, and the padding never is the largest. A window's gradient goes to the value that
    was kept, the first in the order of rows where several are equal.
    """

    def __init__(self, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False):
        if return_indices or ceil_mode:
            raise NotImplementedError("MaxPool2d supports return_indices=False and ceil_mode=False only")
        self.window = Window(
            pair(kernel_size, "kernel_size"),
            pair(kernel_size if stride is None else stride, "stride"),
            pair(padding, "padding", 0),
            pair(dilation, "dilation"),
        )
        self.kernel_size, self.stride, self.padding, self.dilation = self.window
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise ValueError(f"padding must be at most half of kernel_size={kernel_size!r}, not {padding!r}")
        self.x_shape = self.y_shape = self.which = None
        self.buffers = Buffers()

    def output_size(self, h, w):
        """The height and width of the output for an input of height `h` and width `w`."""
        return self.window.output_size(h, w)

    def forward(self, x, scratch=False):
        x = x.detach()
        if x.dim() != 4 or not x.is_floating_point():
            raise ValueError(
                f"MaxPool2d got an input of type {x.dtype} and shape {tuple(x.shape)}; "
                "expected N×C×H×W of floating point"
            )
        n, c, h, w = x.shape
        size = self.output_size(h, w)
        if min(size) < 1:
            raise ValueError(
                f"MaxPool2d got an input of {h}×{w} pixels, smaller than its kernel: "
                f"kernel_size={self.kernel_size}, padding={self.padding}, dilation={self.dilation}"
            )
        self.x_shape, self.y_shape = tuple(x.shape), (n, c, *size)
        x, (ph, pw) = channel_last(x), self.padding
        if ph or pw:
            padded = self.buffers.take("padded", (n, h + 2 * ph, w + 2 * pw, c), x).fill_(float("-inf"))
            padded[:, ph : ph + h, pw : pw + w].copy_(x)
            x = padded
        first, *others = self._views(x, size)
        y = self.buffers.take("y", (n, *size, c), x) if scratch else x.new_empty(n, *size, c)
        y.copy_(first)
        self.which = self.buffers.take("which", (n, *size, c), x.new_empty(0).byte()).zero_()
        for number, view in enumerate(others, 1):
            self.which.masked_fill_(view > y, number)
            y.clamp_(min=view)
        return channel_first(y)

    def backward(self, grad_y, scratch=False):
        if self.y_shape is None:
            raise RuntimeError("MaxPool2d.backward was called before forward")
        if grad_y.shape != self.y_shape:
            raise ValueError(
                f"MaxPool2d.backward got a gradient of shape {tuple(grad_y.shape)}, "
                f"but the output has shape {self.y_shape}"
            )
        grad_y = channel_last(grad_y.detach())
        n, c, h, w = self.x_shape
        ph, pw = self.padding
        shape = (n, h + 2 * ph, w + 2 * pw, c)
        grad_x = (self.buffers.take("grad_x", shape, grad_y) if scratch else grad_y.new_empty(shape)).zero_()
        part = self.buffers.take("part", tuple(self.which.shape), grad_y)
        for number, view in enumerate(self._views(grad_x, self.y_shape[2:])):
            view.add_(part.copy_(grad_y).masked_fill_(self.which != number, 0))
        return channel_first(grad_x[:, ph : ph + h, pw : pw + w])

    def _views(self, x, size):
        """The pixels of `x`, N×H×W×C, under each position in the kernel in turn: views N×rows×columns×C."""
        (kh, kw), (sh, sw), _, (dh, dw) = self.window
        rows, columns = (s * (count - 1) + 1 for s, count in zip((sh, sw), size, strict=True))
        return [
            x[:, i : i + rows : sh, j : j + columns : sw]
            for i in range(0, dh * kh, dh)
            for j in range(0, dw * kw, dw)
        ]
