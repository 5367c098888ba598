"""The two ways to a larger picture: the transposed convolution and the repetition of pixels."""

from .buffers import workspace
from .convolution import Convolution, Window, pair
from .module import Module
from .patches import channel_first, channel_last, gather, scatter


class TransposeConv2d(Convolution):
    """The adjoint of a convolution, as `torch.nn.ConvTranspose2d`: every pixel adds a patch to the output.

    Input N×C_in×H×W, output N×C_out×H_out×W_out with H_out = (H − 1)·s − 2p + d·(k − 1) + 1 + output_padding.
    With X the pixels as a matrix, (N·H·W) × C_in, W the weight as a matrix, C_in × (k_h·k_w·C_out), and dP the
    patches of the output's gradient, (N·H·W) × (k_h·k_w·C_out):

        forward   Y = X·W, scattered to the output, + b
        backward  dW += Xᵀ·dP      db += sum of dY over the pixels      dX = dP·Wᵀ
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        output_padding=0,
        groups=1,
        bias=True,
        dilation=1,
    ):
        window = Window(
            pair(kernel_size, "kernel_size"),
            pair(stride, "stride"),
            pair(padding, "padding", 0),
            pair(dilation, "dilation"),
        )
        self.output_padding = pair(output_padding, "output_padding", 0)
        for extra, s, d in zip(self.output_padding, window.stride, window.dilation, strict=True):
            if extra >= max(s, d):
                raise ValueError(
                    f"output_padding must be smaller than the stride or the dilation, not {output_padding!r} with "
                    f"stride={stride!r} and dilation={dilation!r}"
                )
        super().__init__(in_channels, out_channels, window, groups, bias, transposed=True)
        self.x = self.x_shape = self.y_shape = None

    def output_size(self, h, w):
        """The height and width of the output for an input of height `h` and width `w`."""
        return tuple(
            (length - 1) * s - 2 * p + d * (k - 1) + 1 + extra
            for length, k, s, p, d, extra in zip((h, w), *self.window, self.output_padding, strict=True)
        )

    def forward(self, x, scratch=False):
        x = self._checked(x, self.in_channels)
        n, _, h, w = x.shape
        size = self.output_size(h, w)
        if min(size) < 1:
            raise ValueError(f"{type(self).__name__} has no output for an input of {h}×{w} pixels")
        self.x_shape, self.y_shape = tuple(x.shape), (n, self.out_channels, *size)
        self.x = channel_last(x).reshape(-1, self.in_channels)
        weight = self._matrix(x.dtype)
        patches = workspace.take("patches", (self.x.shape[0], weight.shape[1]), x)
        patches.addmm_(self.x, weight, beta=0)
        y = self._result("y", (n, *size, self.out_channels), x, scratch)
        scatter(patches, self.window, (h, w), y)
        return channel_first(self._add_bias(y))

    def backward(self, grad_y, scratch=False):
        grad_y = self._checked_gradient(grad_y, self.y_shape)
        n, c, h, w = self.x_shape
        grad_y = channel_last(grad_y)
        grad_patches = gather(grad_y, self.window, (h, w), self.buffers, workspace)
        self._add_to_gradients(self.x, grad_patches, grad_y.reshape(-1, self.out_channels))
        grad_x = grad_patches.new_empty(n * h * w, c)
        grad_x.addmm_(grad_patches, self._matrix(grad_patches.dtype).t(), beta=0)
        return channel_first(grad_x.view(n, h, w, c))


Upsampling = TransposeConv2d  # the name that the source paper gives it


class NearestUpsampling(Module):
    """Repeat every pixel `scale_factor` times in each direction, as `torch.nn.UpsamplingNearest2d` does.

    Input N×C×H×W, output N×C×(H·f_h)×(W·f_w); the gradient of a pixel is the sum over its repetitions.
    """

    def __init__(self, scale_factor):
        self.scale_factor = pair(scale_factor, "scale_factor")
        self.y_shape = None

    def forward(self, x, scratch=False):
        if x.dim() != 4:
            raise ValueError(f"NearestUpsampling got an input of shape {tuple(x.shape)}; expected N×C×H×W")
        n, c, h, w = x.shape
        fh, fw = self.scale_factor
        self.y_shape = (n, c, h * fh, w * fw)
        y = x.new_empty(n, h, fh, w, fw, c).copy_(channel_last(x.detach()).reshape(n, h, 1, w, 1, c))
        return channel_first(y.view(n, h * fh, w * fw, c))

    def backward(self, grad_y, scratch=False):
        if self.y_shape is None:
            raise RuntimeError("NearestUpsampling.backward was called before forward")
        if grad_y.shape != self.y_shape:
            raise ValueError(
                f"NearestUpsampling.backward got a gradient of shape {tuple(grad_y.shape)}, "
                f"but the output has shape {self.y_shape}"
            )
        n, c, h, w = self.y_shape
        fh, fw = self.scale_factor
        return channel_first(channel_last(grad_y.detach()).reshape(n, h // fh, fh, w // fw, fw, c).sum((2, 4)))
