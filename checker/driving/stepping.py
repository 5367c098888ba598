"""Modules that step in their own backward: at a rate of 1 and without momentum a weight changes by its gradient."""

import contextlib

from torch import Tensor

from .building import meaning
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
    classes = driven.driver.classes
    objects = [one for root in roots for one in held(root) if isinstance(getattr(one, "__dict__", None), dict)]
    kinds = {kind for one in objects for kind in type(one).__mro__ if classes.is_own(kind)}
    found = [
        (holder, name, value, own)
        for holder in (*objects, *kinds, *classes.modules)
        for name, value in list(vars(holder).items())
        if isinstance(value, int | float) and not isinstance(value, bool) and (own := meaning(name, NAMES))
    ]
    for holder, name, _, own in found:
        setattr(holder, name, rate if own == "lr" else 0.0)
    try:
        yield any(own == "lr" for *_, own in found)
    finally:
        for holder, name, value, _ in found:
            setattr(holder, name, value)
