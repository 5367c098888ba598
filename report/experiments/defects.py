"""The mistakes of the original, each as a small change of the module that it was in.

A defect is named by a letter, several by several. The letters are those of the report's table.
"""

from Proj_2.others.activation import ReLU
from Proj_2.others.conv import Conv2d
from Proj_2.others.loss import MSE
from Proj_2.others.upsampling import Upsampling

DEFECTS = {
    "a": "layers keep only the last picture of a batch",
    "b": "transposed convolution's weight gradient viewed without transposing",
    "c": "inputs not divided by 255",
    "d": "ReLU in place, its derivative read from signs that survive",
    "D": "ReLU in place, its derivative read as x >= 0, which is then always true",
    "e": "smaller initial bound in the transposed convolution",
    "f": "gradient of the loss 3072 times that of its value",
}


def modules(defects):
    """The classes of the convolution, the ReLU and the transposed convolution with `defects`, a string of letters."""
    unknown = set(defects) - set(DEFECTS)
    if unknown:
        raise ValueError(f"there is no defect {', '.join(sorted(unknown))}; there are {', '.join(DEFECTS)}")
    conv = (LastPicture,) if "a" in defects else ()
    upsampling = tuple(
        mixin for letter, mixin in (("b", Untransposed), ("a", LastPicture), ("e", SmallerBound)) if letter in defects
    )
    relu = ReLUInPlace if "d" in defects else ReLUAlwaysOn if "D" in defects else ReLU
    return (
        type("BrokenConv2d", (*conv, Conv2d), {}),
        relu,
        type("BrokenUpsampling", (*upsampling, Upsampling), {}),
    )


class LastPicture:
    """(a) `forward` overwrites what it keeps, picture after picture, so that `backward` multiplies the output's
    gradient, summed over the batch, by the last picture's activations: (Σₙ dYₙ)ᵀ·X_last for Σₙ dYₙᵀ·Xₙ.
    """

    def _add_to_gradients(self, left, right, grad_y):
        left, right = (m.view(self.x_shape[0], -1, m.shape[1]) for m in (left, right))  # N, pixels, values
        if isinstance(self, Conv2d):  # gradient on the left, activations on the right
            left, right = left.sum(0), right[-1]
        else:
            left, right = left[-1], right.sum(0)
        super()._add_to_gradients(left, right, grad_y)


class Untransposed:
    """(b) The weight's gradient comes as a matrix (C_out·k², C_in) and is viewed as (C_in, C_out, k, k): it has the
    right size, and its values are in the wrong places.
    """

    def _add_to_gradients(self, left, right, grad_y):
        before = self.weight_grad.clone()
        self.weight_grad.zero_()
        super()._add_to_gradients(left, right, grad_y)
        matrix = self.weight_grad.permute(1, 2, 3, 0).contiguous()  # C_out, k, k, C_in
        self.weight_grad.copy_(before.add_(matrix.view(self.weight.shape)))


class SmallerBound:
    """(e) The initial weights are drawn from U(−b, b) with b = 1/√(C_in·k²), as if it were a convolution. The last
    layer, of 32 to 3 channels, so starts with a third of torch's bound, 1/√(C_out·k²).
    """

    def __init__(self, in_channels, out_channels, *args, **kwargs):
        super().__init__(in_channels, out_channels, *args, **kwargs)
        for parameter, _ in self.param():
            parameter.mul_((out_channels / in_channels) ** 0.5)


class ReLUInPlace(ReLU):
    """(d) `forward` overwrites its input and remembers only that. What is positive stays so, so that the derivative,
    read as x > 0, still is right; it is the caller who loses a tensor.
    """

    def forward(self, x, scratch=False):
        self.y = x.relu_()
        return self.y


class ReLUAlwaysOn(ReLUInPlace):
    """(D) The same, with the derivative read as x >= 0: true of every value that a ReLU has overwritten."""

    def _apply_derivative_(self, grad):
        return grad


class SummedMSE(MSE):
    """(f) The value of the loss is the mean over all values, the gradient that of the sum over a picture's values,
    averaged over the batch: for 3×32×32 pictures 3072 times the value's own.
    """

    def backward(self, scratch=False):
        return super().backward(scratch).mul_(self.difference[0].numel())
