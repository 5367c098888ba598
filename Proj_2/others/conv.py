"""The convolution."""

from .convolution import Convolution, Window, pair
from .patches import channel_first, channel_last, gather, scatter


class Conv2d(Convolution):
    """Cross-correlate a picture with `out_channels` kernels, as `torch.nn.Conv2d` does.

    Input N×C_in×H×W, output N×C_out×H_out×W_out with H_out = ⌊(H + 2p − d·(k − 1) − 1) / s⌋ + 1. With X the
    matrix of patches, (N·H_out·W_out) × (k_h·k_w·C_in), and W the weight as a matrix, C_out × (k_h·k_w·C_in):

        forward   Y = X·Wᵀ + b
        backward  dW += dYᵀ·X      db += sum of the rows of dY      dX = dY·W, scattered back to the picture
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        window = Window(
            pair(kernel_size, "kernel_size"),
            pair(stride, "stride"),
            pair(padding, "padding", 0),
            pair(dilation, "dilation"),
        )
        super().__init__(in_channels, out_channels, window, groups, bias, transposed=False)
        self.patches = self.x_shape = self.y_shape = None

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
        self.patches = gather(channel_last(x), self.window, size, self.buffers)
        y = self._result("y", (self.patches.shape[0], self.out_channels), x, scratch)
        y.addmm_(self.patches, self._matrix(x.dtype).t(), beta=0)
        return channel_first(self._add_bias(y.view(x.shape[0], *size, self.out_channels)))

    def accumulate(self, grad_y):
        grad_y = self._checked_gradient(grad_y, self.y_shape)
        grad_rows = channel_last(grad_y).reshape(-1, self.out_channels)
        self._add_to_gradients(grad_rows, self.patches, grad_rows)
        return grad_rows

    def backward(self, grad_y, scratch=False):
        grad_rows = self.accumulate(grad_y)
        grad_patches = self.buffers.take("grad_patches", self.patches.shape, self.patches)
        grad_patches.addmm_(grad_rows, self._matrix(grad_rows.dtype), beta=0)
        n, c, h, w = self.x_shape
        grad_x = self._result("grad_x", (n, h, w, c), grad_rows, scratch)
        return channel_first(scatter(grad_patches, self.window, self.y_shape[2:], grad_x, self.buffers))
