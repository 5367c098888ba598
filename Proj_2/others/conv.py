"""The convolution."""

from . import winograd
from .buffers import workspace
from .convolution import Convolution, Window, pair
from .patches import channel_first, channel_last, gather, scatter


class Conv2d(Convolution):
    """Cross-correlate a picture with `out_channels` kernels, as `torch.nn.Conv2d` does.

    Input N×C_in×H×W, output N×C_out×H_out×W_out with H_out = ⌊(H + 2p − d·(k − 1) − 1) / s⌋ + 1. With X the
    matrix of patches, (N·H_out·W_out) × (k_h·k_w·C_in), and W the weight as a matrix, C_out × (k_h·k_w·C_in):

        forward   Y = X·Wᵀ + b
        backward  dW += dYᵀ·X      db += sum of the rows of dY      dX = dY·W, scattered back to the picture

    A 3×3 kernel that moves by single pixels has fewer products than that, and needs no X: see winograd.py.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        window = Window(
            pair(kernel_size, "kernel_size"),
            pair(stride, "stride"),
            pair(padding, "padding", 0),
            pair(dilation, "dilation"),
        )
        super().__init__(in_channels, out_channels, window, groups, bias, transposed=False)
        self.x = self.x_shape = self.y_shape = None  # x: the matrix X, or the picture where that isn't made
        self.filtered = winograd.serves(self.window, in_channels, out_channels)

    def output_size(self, h, w):
        """The height and width of the output for an input of height `h` and width `w`."""
        return self.window.output_size(h, w)

    def forward(self, x, scratch=False):
        x = self._checked(x, self.in_channels)
        size = self.output_size(*x.shape[2:])
        if min(size) < 1:
            raise ValueError(
                f"Conv2d got an input of {x.shape[2]}×{x.shape[3]} pixels, smaller than its kernel: "
                f"kernel_size={self.kernel_size}, padding={self.padding}, dilation={self.dilation}"
            )
        self.x_shape, self.y_shape = tuple(x.shape), (x.shape[0], self.out_channels, *size)
        y = self._result("y", (x.shape[0], *size, self.out_channels), x, scratch)
        x = channel_last(x)
        if self.filtered:
            self.x = x if scratch else self.buffers.copy_of("x", x)
            kernels = winograd.kernels(channel_last(self.weight.detach()), x)
            winograd.correlate(x, kernels, self.padding, y)
        else:
            self.x = gather(x, self.window, size, self.buffers, self.buffers)
            y.view(-1, self.out_channels).addmm_(self.x, self._matrix(x.dtype).t(), beta=0)
        return channel_first(self._add_bias(y))

    def accumulate(self, grad_y):
        grad_y = self._checked_gradient(grad_y, self.y_shape)
        grad_rows = channel_last(grad_y).reshape(-1, self.out_channels)
        if self.filtered:
            gradient = winograd.weight_gradient(self.x, channel_last(grad_y), self.padding)
            channel_last(self.weight_grad).add_(gradient.permute(2, 0, 1, 3))
            self._finish_gradients(grad_rows)
        else:
            self._add_to_gradients(grad_rows, self.x, grad_rows)
        return grad_rows

    def backward(self, grad_y, scratch=False):
        grad_rows = self.accumulate(grad_y)
        n, c, h, w = self.x_shape
        grad_x = grad_rows.new_empty(n, h, w, c)
        if self.filtered:
            kernels = winograd.kernels(channel_last(self.weight.detach()), grad_rows, turned=True)
            padding = tuple(2 - p for p in self.padding)
            winograd.correlate(channel_last(grad_y.detach()), kernels, padding, grad_x)
            return channel_first(grad_x)
        grad_patches = workspace.take("patches", tuple(self.x.shape), self.x)
        grad_patches.addmm_(grad_rows, self._matrix(grad_rows.dtype), beta=0)
        return channel_first(scatter(grad_patches, self.window, self.y_shape[2:], grad_x))
