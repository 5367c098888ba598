"""A step that takes one weight along another's gradient too: where an optimiser keeps what belongs to each parameter,
such as its velocity, by what two of them have in common, such as their shape.
"""

from torch import Tensor

from ..registry import Failed
from .moved import proportion
from .walk import Walk

CLOSE = 0.01


def of_another(walk: Walk) -> Failed | None:
    """What is told of the first such weight; None if there is none."""
    gradients = walk.gradients()
    for layer in walk.layers:
        for name, kept in layer.kept.items():
            one = walk.moved[id(layer)][f"grad_{name}"]
            if one is None or one.along is None:
                continue
            own = kept.parameter.name
            rest = -one.change / walk.rate - gradients[own]
            if is_there(rest, gradients[own]) and any(
                proportion(rest, other, CLOSE) and is_there(other, gradients[own])
                for key, other in gradients.items()
                if key != own and other.shape == rest.shape
            ):
                return Failed(
                    f"in a step of train() the {name} of {layer.case} goes along the gradient of another parameter "
                    "of the same shape too",
                    "Is a velocity kept for each parameter, and not for each shape?",
                )
    return None


def is_there(value: Tensor, beside: Tensor) -> bool:
    return float(value.abs().max()) > CLOSE * float(beside.abs().max())
