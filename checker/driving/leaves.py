"""The tensors that an object of a submission holds, and the way to each of them."""

import contextlib
import types
from collections import deque
from collections.abc import Iterator

import torch
from torch import Tensor

DEPTH, MOST = 5, 2000
PLAIN = (str, bytes, int, float, complex, bool, type(None), type, torch.Size, torch.dtype, torch.device)
PROPERTIES = "weight", "bias", "weights", "biases", "kernel", "W", "w", "b"  # that give a part of a tensor, perhaps
CODE = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType, type)

Path = tuple  # of attribute names (str), indices (int), keys (("key", value)) and calls from the object to the tensor


class Call(str):
    """The name of a method that is called without arguments, on the way to a tensor in what it returns."""

    __slots__ = ()


def leaves(root) -> Iterator[tuple[Path, Tensor]]:
    """Every tensor that can be reached from `root`, the nearest first."""
    return ((path, value) for path, value in reached(root) if path and isinstance(value, Tensor))


def reached(root) -> Iterator[tuple[Path, object]]:
    """Every tensor and every object that can be reached from `root`, itself included, the nearest first."""
    queue, seen = deque([((), root)]), set()
    while queue and len(seen) < MOST:
        path, value = queue.popleft()
        if isinstance(value, Tensor) and path:
            yield path, value
            continue
        if isinstance(value, PLAIN) or id(value) in seen or len(path) > DEPTH:
            continue
        seen.add(id(value))
        yield path, value
        queue.extend(((*path, step), item) for step, item in children(value))


def type_of(root) -> torch.dtype:
    """The type of the floating-point numbers that an object holds; the default type if it holds none."""
    found = (leaf.dtype for _, leaf in leaves(root) if leaf.is_floating_point())
    return next(found, torch.get_default_dtype())


def held(root) -> list:
    """Every object that can be reached from `root`, the nearest first."""
    queue, seen, found = deque([(0, root)]), set(), []
    while queue and len(seen) < MOST:
        depth, value = queue.popleft()
        if isinstance(value, (Tensor, *PLAIN)) or id(value) in seen or depth > DEPTH:
            continue
        seen.add(id(value))
        found.append(value)
        queue.extend((depth + 1, item) for _, item in children(value))
    return found


def children(value) -> list[tuple[object, object]]:
    if isinstance(value, list | tuple):
        return list(enumerate(value[:200]))
    if isinstance(value, dict):
        return [(("key", key), item) for key, item in list(value.items())[:200]]
    if isinstance(value, CODE):
        return []
    found = dict(getattr(value, "__dict__", None) or {})
    for kind in type(value).__mro__:
        for name in getattr(kind, "__slots__", ()) or ():
            if isinstance(name, str) and hasattr(value, name):
                found.setdefault(name, getattr(value, name))
    for name in PROPERTIES:
        if isinstance(getattr(type(value), name, None), property):
            with contextlib.suppress(Exception):  # what it needs may not be there yet
                if is_stretch(part := getattr(value, name)):
                    found.setdefault(name, part)
    return list(found.items())


def is_stretch(value) -> bool:
    """Whether it is a tensor that is a part of a larger one, in one piece. A view of a whole one, in another order of
    its dimensions perhaps, is found as what it is a view of.
    """
    if not isinstance(value, Tensor) or not value.is_contiguous():
        return False
    return 0 < value.numel() * value.element_size() < value.untyped_storage().nbytes()


def at(root, path: Path):
    """What lies at the end of a path; raises LookupError if nothing does."""
    value = root
    for step in path:
        try:
            value = step_into(value, step)
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise LookupError(f"nothing at {describe(path)}") from error
    return value


def step_into(value, step):
    if isinstance(step, Call):
        return drawn(getattr(value, step)())
    if isinstance(step, str):
        return getattr(value, step)
    return value[step[1]] if isinstance(step, tuple) else value[step]


def drawn(value):
    """A generator as the list of what it yields."""
    return list(value) if hasattr(value, "__next__") or isinstance(value, map | filter | zip) else value


def describe(path: Path) -> str:
    """A path as it would be written in code."""
    text = ""
    for step in path:
        called = "()" if isinstance(step, Call) else ""
        text += f".{step}{called}" if isinstance(step, str) else f"[{written(step)}]"
    return text.lstrip(".")


def written(step) -> str:
    """An index, a key, or the part of a tensor, as it stands between brackets."""
    key = step[1] if isinstance(step, tuple) else step
    if not isinstance(key, tuple):
        return repr(key)
    bounds = ([one.start, one.stop] if isinstance(one, slice) else [one] for one in key)
    return ", ".join(":".join("" if bound is None else str(bound) for bound in one) for one in bounds)
