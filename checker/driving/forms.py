"""The weights of modules, and their gradients, in the forms in which a step may take them."""

import re

from torch import Tensor

from .building import required
from .leaves import drawn
from .methods import of_class

OTHER_LISTS = re.compile(
    r"((get|all|list|trainable|learnable)_?)*(param|group|variable|weight|poids|theta|lea(f|ves)|learnable)\w*"
)


def of_weights(driven) -> list:
    """One list, a list for each module, the dictionary that a module keeps them in."""
    return in_forms(driven, lambda part, name: part.tensor(name))


def of_gradients(driven) -> list:
    """The same of their gradients, in the same order; and each with its weight behind it."""
    found = in_forms(driven, lambda part, name: part.own_gradient(name, part.tensor(name)))
    return [*found, list(zip(found[0], of_weights(driven)[0], strict=False))]


def in_forms(driven, value) -> list:
    nested = []
    for part in driven.parts():
        found = [value(part, name) for name in part.shapes if part.tensor(name) is not None]
        nested.append([one for one in found if isinstance(one, Tensor)])
    flat = [one for inner in nested for one in inner]
    kept = [named for part in driven.parts() for named in dictionaries(part.raw) if holds(named, flat)]
    return [flat, nested, *(kept[:1] if len(kept) == 1 else [kept] if kept else [])]


def dictionaries(raw) -> list[dict]:
    return [one for one in vars(raw).values() if isinstance(one, dict)] if hasattr(raw, "__dict__") else []


def holds(named: dict, tensors: list[Tensor]) -> bool:
    return any(one is value for one in named.values() for value in tensors)


def other_lists(net) -> list:
    """What the methods without an argument return that list parameters, besides param()."""
    names = [name for name in of_class(type(net)) if OTHER_LISTS.fullmatch(name.lower()) and name != "param"]
    found = [drawn(getattr(net, name)()) for name in names if not required(getattr(net, name))]
    return [one for one in found if isinstance(one, list | tuple | dict) and one]
