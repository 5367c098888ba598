"""Submissions' own classes of tensors: put a torch tensor into one, and take it out again."""

import contextlib
import re

import torch
from torch import Tensor

from .building import filling, parameters_of, required
from .leaves import children, leaves
from .methods import has

NAMES = re.compile(
    r"(my|own|our|auto(grad)?|custom|torch)?(tensor|tenseur|variable|var|node|noeud|knoten|value|array|grad(ient)?tensor"
    r"|tensorgrad)s?\d?"
)
CONTENTS = "data", "value", "tensor", "val", "values", "array", "x", "content", "t", "valeur", "donnees", "wert"
GRADIENTS = (
    "grad", "gradient", "_grad", "g", "dl", "delta", "d", "dx", "dl_dx", "grads", "gradiente",
    "adjoint", "adj", "bar", "cotangent", "sensitivity",
)  # fmt: skip
PROBE = torch.full((1, 1, 2, 2), 0.5)


def own_class(classes, call) -> type | None:
    """The class of tensors that a submission's modules take and return, if it has one of its own: by its name, else
    the one that an activation takes, and returns one of, where `call` calls it.
    """
    candidates = [(name, kind) for name, kind in classes.all.items() if classes.is_own(kind)]
    for name, kind in candidates:
        if NAMES.fullmatch(name.lower().replace("_", "")) and not hasattr(kind, "forward"):
            return kind
    candidates = [pair for pair in candidates if not has(pair[1], "forward") and len(required(pair[1])) < 3]
    activation = classes.of_role("ReLU") or classes.of_role("Sigmoid")
    for _, kind in candidates:
        with contextlib.suppress(Exception):
            if isinstance(call(activation[1](), wrap(kind, PROBE)), kind):
                return kind
    return None


def wrap(kind: type, tensor: Tensor):
    """`tensor` in the submission's own class, asking for a gradient where that can be asked for."""
    options = {}
    for parameter in (parameters_of(kind) or ())[1:]:
        if re.fullmatch(
            r".*(requires?|need|track|has|with|is).*grad.*|.*grad_?(required|needed).*", parameter.name.lower()
        ):
            options[parameter.name] = True
        elif parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            options[parameter.name] = filling(parameter)
    return kind(tensor, **options)


def unwrap(value):
    """The torch tensor in what a module returned: itself, the only item of a list, the content of an own class."""
    if isinstance(value, Tensor) or value is None:
        return value
    if isinstance(value, list | tuple) and len(value) == 1:
        return unwrap(value[0])
    for name in CONTENTS:
        with contextlib.suppress(Exception):
            if isinstance(content := getattr(value, name), Tensor):
                return content
    with contextlib.suppress(Exception):  # the first tensor in it that is no gradient
        own = ((name, item) for name, item in children(value) if isinstance(item, Tensor))
        return next((item for name, item in own if name not in GRADIENTS and "grad" not in name), value)
    return value


def number(value):
    """The tensor or number that a loss returned, or that lies in the object that it returned."""
    found = unwrap(value)
    if isinstance(found, Tensor | int | float) or found is None:
        return found
    single = [leaf for _, leaf in leaves(found) if leaf.numel() == 1]
    with contextlib.suppress(Exception):
        return single[0] if single else float(found.item() if hasattr(found, "item") else found)
    return found


def gradient_of(value, like: Tensor):
    """The gradient that a tensor, or an object around one, carries as an attribute; None if it carries none. Under
    another name than the usual ones it is the only other tensor of its size in the object.
    """
    for name in GRADIENTS:
        with contextlib.suppress(Exception):
            found = unwrap(getattr(value, name))
            if isinstance(found, Tensor) and found.numel() == like.numel():
                return found
    content = unwrap(value)
    if isinstance(value, Tensor | list | tuple | dict) or not isinstance(content, Tensor):
        return None
    others = [item for _, item in children(value) if isinstance(item, Tensor) and item.is_floating_point()]
    fitting = [item for item in others if item.shape == content.shape and item.data_ptr() != content.data_ptr()]
    return fitting[0] if len(fitting) == 1 and content.numel() == like.numel() else None
