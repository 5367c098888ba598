"""What is told of a network that is judged as a whole: the checks that it passes and fails."""

from dataclasses import dataclass, field

from torch import Tensor

from ..registry import Failed
from . import network
from .cases import Given
from .factors import loss_factor
from .moved import SAME

LOSS, STEP = "optimiser.mse_backward", "optimiser.sgd_step"
PREFIXES = {
    "Conv2d": "conv2d", "TransposeConv2d": "transposed", "NearestConv": "nearest_conv",
    "NearestUpsampling": "nearest", "ReLU": "relu", "Sigmoid": "sigmoid", "LeakyReLU": "leaky_relu",
}  # fmt: skip
PLAIN = "NearestUpsampling", "ReLU", "Sigmoid", "LeakyReLU"


def check_of(role: str, part: str) -> str:
    return f"modules.{PREFIXES[role]}_{'backward' if part == 'grad_input' and role in PLAIN else part}"


def checks_of(role: str) -> set[str]:
    """All checks of a module."""
    return {check_of(role, part) for part in ("forward", "grad_input", "grad_weight", "grad_bias")}


@dataclass
class Verdicts:
    """The checks that are passed or failed, by their names."""

    right: set[str] = field(default_factory=set)
    wrong: dict[str, Failed] = field(default_factory=dict)


@dataclass(frozen=True)
class Passed:
    """A layer on the way back, with the gradient of its output, and torch's gradients."""

    layer: network.Layer
    given: Given
    expected: dict[str, Tensor]


def same(a: float, b: float) -> bool:
    return abs(a / b - 1) < SAME


def of_scales(scales: list[float], factors: list[float], shape: tuple) -> Failed | bool:
    """Whether the gradient of the loss is the mean square's, of which these multiples were computed, and these of the
    gradients of the last weights; False if that is not known.
    """
    found = [scale for scale in scales if any(same(factor, scale) for factor in factors)]
    # Where the loss is one with the last activation, its own gradient is never computed.
    found = found or [one for one in factors if loss_factor(one, shape, SAME) is not None]
    if any(same(scale, 1.0) for scale in found or scales):
        return True
    return (scaled_loss(found[0], shape) if found else None) or False


def scaled_loss(scale: float, shape: tuple) -> Failed | None:
    """What is told of a gradient of the loss that is so many times the mean square's; None for an odd number."""
    if (name := loss_factor(scale, shape, SAME)) is None:
        return None
    return Failed(
        f"the gradient of the loss is {scale:.4g} times that of the mean square, in a step of train()",
        f"It is {name} times what it should be: is it the gradient of the mean over all elements?",
    )
