"""Modules that step in their own backward: at a rate of 1 and without momentum a weight changes by its gradient."""

import contextlib
import types

from torch import Tensor

from .building import MEANINGS, meaning, parameters_of
from .leaves import held

NAMES = "lr", "momentum", "weight_decay"


class Weights:
    """The weights of a driven module or network as they are now, to see what backward makes of them."""

    def __init__(self, driven):
        self.there = [
            (one, name, own.clone())
            for one in driven.parts()
            for name in one.shapes
            if (own := one.tensor(name)) is not None
        ]

    def moved(self) -> bool:
        return any(not same(one.tensor(name), before) for one, name, before in self.there)

    def put_back(self) -> None:
        for one, name, before in self.there:
            one.tensor(name).copy_(before)

    def take(self) -> None:
        """Keep the changes as the gradients that they are at a rate of 1, and undo them."""
        for one, name, before in self.there:
            one.updates[name] = before - one.tensor(name)
        self.put_back()


def same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and bool(((a == b) | (a.isnan() & b.isnan())).all())


@contextlib.contextmanager
def at_rate(driven, roots: list, rate: float = 1.0):
    """Learning rates of `rate`, no momentum and no decay, for a while, in all that `roots` hold, in its classes and
    in the submission's global names. Yields whether there is a rate at all.
    """
    found = numbers(driven.driver.classes, roots)
    for values, name, _, own in found:
        values[name] = rate if own == "lr" else 0.0
    try:
        yield any(own == "lr" for *_, own in found)
    finally:
        put_back(found)


@contextlib.contextmanager
def at_times_the_rate(classes, roots: list, times: float):
    """So many times the learning rates, for a while, in the same places, and in what functions take by default."""
    found = [one for one in numbers(classes, roots) if is_rate(*one[1:3])] if times != 1 else []
    for values, name, value, _ in found:
        values[name] = value * times
    functions = [(one, one.__defaults__) for one in functions_of(classes) if one.__defaults__ and times != 1]
    for function, defaults in functions:
        names = [
            p.name for p in parameters_of(function) or () if p.default is not p.empty and p.kind is not p.KEYWORD_ONLY
        ]
        if len(names) == len(defaults):
            function.__defaults__ = tuple(
                value * times if is_number(value) and is_rate(name, value) else value
                for name, value in zip(names, defaults, strict=True)
            )
    try:
        yield
    finally:
        put_back(found)
        for function, defaults in functions:
            function.__defaults__ = defaults


class Attributes:
    """The attributes of an object, as a dictionary's values."""

    def __init__(self, holder):
        self.holder = holder

    def __setitem__(self, name: str, value) -> None:
        setattr(self.holder, name, value)


def numbers(classes, roots: list) -> list[tuple]:
    """(values, name, value, torch's name) of the numbers of such names, each in the values of a dictionary or an
    object in which it can be set.
    """
    everything = [one for root in roots for one in held(root)]
    objects = [one for one in everything if isinstance(getattr(one, "__dict__", None), dict)]
    kinds = {kind for one in objects for kind in type(one).__mro__ if classes.is_own(kind)}
    holders = [(Attributes(one), vars(one)) for one in (*objects, *kinds, *classes.modules)]
    holders += [(one, one) for one in everything if isinstance(one, dict)]
    return [
        (values, name, value, own)
        for values, content in holders
        for name, value in list(content.items())
        if is_number(value) and isinstance(name, str) and (own := meaning(name, NAMES))
    ]


def is_rate(name: str, value) -> bool:
    """Whether a number is a learning rate by its name, and no stride, which may have the same name."""
    return meaning(name, ("lr",)) is not None and (isinstance(value, float) or meaning(name, MEANINGS) == "lr")


def is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def put_back(found: list[tuple]) -> None:
    for values, name, value, _ in found:
        values[name] = value


def functions_of(classes) -> list[types.FunctionType]:
    """The submission's functions, those of its classes included."""
    own = [value for module in classes.modules for value in vars(module).values()]
    own += [value for kind in own if isinstance(kind, type) and classes.is_own(kind) for value in vars(kind).values()]
    return [one for one in own if isinstance(one, types.FunctionType)]
