"""A parameter of a submission's module and its gradient: where they are."""

import contextlib
import re

import torch
from torch import Tensor

from . import tensors
from .building import required
from .growing import added, copied
from .leaves import Call, Path, at, drawn, leaves
from .methods import of_class

LISTS = (
    "param",
    "params",
    "parameters",
    "get_params",
    "get_parameters",
    "get_param",
    "param_list",
    "weights_and_grads",
)
LIST = re.compile(r"^(get_?|list_?|all_?)?(param|poids|weights)", re.IGNORECASE)
GRADIENT_NAME = re.compile(
    r"grad|^_?d_?[a-z]|_d[a-z]+$|^delta|^dl|^nabla|der(iv)?|velocity|moment|^g_?[wb]|grd", re.IGNORECASE
)
USUAL = {
    "weight": re.compile(r"_?(weights?|w|kernels?|filters?|k)", re.IGNORECASE),
    "bias": re.compile(r"_?(bias(es)?|b)", re.IGNORECASE),
    "whole": re.compile(r"_?(weights?|w|theta|params?)", re.IGNORECASE),
}


def listed(module):
    """What the module's list of parameters returns, under whatever name it has one; None if there is none."""
    others = (name for name in of_class(type(module)) if LIST.search(name) and not required(getattr(module, name)))
    for name in (*LISTS, *others):
        method = getattr(module, name, None)
        if callable(method):
            with contextlib.suppress(Exception):
                first = copied(drawn(method()))
                return added(first, drawn(method()))
        elif isinstance(method, list | tuple | dict):
            return method
    return None


def in_listed(module) -> list[tuple[Path, Tensor]]:
    """The tensors in a module's list of parameters, with the ways to them."""
    for name in LISTS:
        with contextlib.suppress(Exception):
            if found := list(leaves(at(module, (Call(name),)))):
                return [((Call(name), *path), leaf) for path, leaf in found]
    return []


def of_module(module, parameter: Tensor):
    """(found, gradient) of a parameter by what a module lists: with it, or at the same place of a list of its own."""
    own = listed(module)
    found, gradient = in_list(own, parameter)
    if found and gradient is None and isinstance(own, list | tuple):
        places = [i for i, item in enumerate(own) if same(tensors.unwrap(item), parameter)]
        for name in of_class(type(module)) if places else ():
            if OF_GRADIENTS.fullmatch(name.lower()) and not required(getattr(module, name)):
                with contextlib.suppress(Exception):
                    others = drawn(getattr(module, name)())
                    if len(others) == len(own) and is_like(others[places[0]], parameter):
                        return True, tensors.unwrap(others[places[0]])
    return found, gradient


OF_GRADIENTS = re.compile(r"(get_?|list_?|all_?)?(param(eter)?s?_?|weights?_?)?(grad(ient)?|derivative)s?(_?list)?")


# Where a parameter is ---------------------------------------------------------------------------------


def find(module, name: str, shape: tuple[int, ...], influences) -> Path | None:
    """The way to the tensor of `module` that holds its weight or bias: one that has the size, and that makes a
    difference to what forward gives (`influences(tensor)` says whether).
    """
    size = torch.Size(shape).numel()
    for there in (leaves, in_listed):
        fitting = [(path, leaf) for path, leaf in there(module) if leaf.numel() == size and leaf.is_floating_point()]
        if fitting:
            break
    else:
        return None
    fitting.sort(key=lambda found: rank(found[0], found[1], name, shape))
    for path, leaf in fitting[:8]:
        if influences(leaf):
            return path
    return fitting[0][0]


def rank(path: Path, leaf: Tensor, name: str, shape) -> tuple:
    names = [step for step in path if isinstance(step, str)] or [""]
    return (
        any(GRADIENT_NAME.search(step) for step in names),
        not any(USUAL[name].fullmatch(step) for step in names),
        tuple(leaf.shape) != tuple(shape),
        len(path),
    )


def same(a, b: Tensor) -> bool:
    """Whether `a` is the tensor `b` itself, or a view of all of it."""
    return isinstance(a, Tensor) and (a is b or (a.data_ptr() == b.data_ptr() and a.numel() == b.numel() > 0))


# Where its gradient is --------------------------------------------------------------------------------


def in_list(value, parameter: Tensor):
    """(found, gradient): whether a list of parameters names this one, and the gradient that stands with it.

    Pairs, triples with a name, dictionaries, parameter objects, flat lists of parameter, gradient, parameter, …, and
    parameters first with their gradients after them, or in a second list.
    """
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        items = list(value)
        for i in reversed(range(len(items))):
            if same(items[i], parameter):
                return True, partner(items, i, parameter)
        if len(items) == 2 and all(isinstance(side, list | tuple) for side in items):
            for i, item in enumerate(items[0]):
                if same(tensors.unwrap(item), parameter) and i < len(items[1]) and is_like(items[1][i], parameter):
                    return True, tensors.unwrap(items[1][i])
        for i, item in enumerate(items):
            if is_part(parameter, item) and isinstance(whole := partner(items, i, item), Tensor):
                return True, whole.flatten()[place_in(item, parameter)].view(parameter.shape)
        found = False
        for item in reversed(items):  # some lists grow with every call: the last entries are the ones that count
            inner, gradient = in_list(item, parameter)
            if gradient is not None:
                return True, gradient
            found |= inner
        return found, None
    if value is not None and not isinstance(value, Tensor) and same(tensors.unwrap(value), parameter):
        return True, tensors.gradient_of(value, parameter)
    return False, None


def is_part(parameter: Tensor, whole) -> bool:
    """Whether a parameter is a stretch of a larger tensor, such as the vector of all parameters of a network."""
    if not isinstance(whole, Tensor) or not whole.numel() > parameter.numel() or whole.dtype != parameter.dtype:
        return False
    shared = whole.untyped_storage().data_ptr() == parameter.untyped_storage().data_ptr()
    return shared and whole.is_contiguous() and parameter.is_contiguous()


def place_in(whole: Tensor, parameter: Tensor) -> slice:
    start = parameter.storage_offset() - whole.storage_offset()
    return slice(start, start + parameter.numel())


def partner(items: list, i: int, parameter: Tensor):
    """The gradient of the i-th item of a list: on itself, right after it, or half a list on."""
    if (own := tensors.gradient_of(items[i], parameter)) is not None:
        return own
    for j in (i + 1, i + len(items) // 2):
        if i < j < len(items) and is_like(items[j], parameter):
            return tensors.unwrap(items[j])
    return None


def is_like(value, parameter: Tensor) -> bool:
    value = tensors.unwrap(value)
    return isinstance(value, Tensor) and value.numel() == parameter.numel() and not same(value, parameter)


def returned(value, name: str, parameter: Tensor):
    """The gradient of a parameter among what a backward returned beside the input's: by its name, or its size."""
    if isinstance(value, dict):
        named = [
            item for key, item in value.items() if USUAL[name].fullmatch(re.sub("^d(l|L)?_?|grad_?", "", str(key)))
        ]
        fitting = [item for item in (*named, *value.values()) if is_like(item, parameter)]
    elif isinstance(value, list | tuple):
        fitting = [found for item in value if (found := returned(item, name, parameter)) is not None]
    else:
        fitting = [value] if is_like(value, parameter) else []
    return tensors.unwrap(fitting[0]) if fitting else None


def flat(value) -> list[Tensor]:
    """The tensors in nested lists, in their order."""
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in flat(item)]
    return [value] if isinstance(value, Tensor) else []


def beside(module, path: Path, parameter: Tensor, before: dict[Path, Tensor]) -> Path | None:
    """The way to the gradient as an attribute: on the tensor, on the object around it, or another tensor of its size
    that the backward pass has changed since `before`; the one whose name and shape are most like a gradient's.
    """
    around = [path]
    if len(path) > 1 and USUAL_CONTENT.fullmatch(str(path[-1])):
        around.append(path[:-1])
    for holder in around:
        for name in tensors.GRADIENTS:
            with contextlib.suppress(Exception):
                if is_like(found := getattr(at(module, holder), name), parameter):
                    inner = () if isinstance(found, Tensor) else next(leaves(found))[0]
                    return (*holder, name, *inner)
    fitting = [
        (other, leaf)
        for other, leaf in leaves(module)
        if leaf.numel() == parameter.numel() and not same(leaf, parameter) and changed(leaf, before.get(other))
        if other != path
    ]
    fitting.sort(key=lambda found: closeness(found[0], found[1], path, parameter))
    return fitting[0][0] if fitting else None


def of_input(module, x: Tensor, before: dict[Path, Tensor]) -> Path | None:
    """The way to the gradient of its input, where a module keeps that as an attribute rather than to return it."""
    for path, leaf in leaves(module):
        name = " ".join(step for step in path if isinstance(step, str)).lower()
        named = GRADIENT_NAME.search(name) and not re.search(r"out|y\b", name)
        if named and leaf.shape == x.shape and not same(leaf, x) and changed(leaf, before.get(path)):
            return path
    return None


USUAL_CONTENT = re.compile("|".join(tensors.CONTENTS))


def closeness(other: Path, leaf: Tensor, path: Path, parameter: Tensor) -> tuple:
    names = " ".join(step for step in other if isinstance(step, str))
    own = str(path[-1]).lower()
    return (
        other[:-1] != path[:-1],
        not GRADIENT_NAME.search(names),
        own[:1] not in names.lower(),
        leaf.shape != parameter.shape,
    )


def changed(leaf: Tensor, before: Tensor | None) -> bool:
    return before is None or before.shape != leaf.shape or not torch.equal(before, leaf)


def snapshot(module, sizes: set[int]) -> dict[Path, Tensor]:
    """Copies of the tensors of these sizes that a module holds."""
    return {path: leaf.detach().clone() for path, leaf in leaves(module) if leaf.numel() in sizes}
