"""A training with the submission's SGD in the place of another optimiser, such as Adam, that its Model uses: along
whose steps no gradient is seen, and whose arguments are what the SGD is to be given.
"""

import contextlib

from .methods import has
from .optimisers import construct
from .roles import ONLY_ONES

RATE = 0.5  # large enough to see the gradient in the step of a weight of float32


@contextlib.contextmanager
def with_sgd(driver):
    """For a while, what the submission calls another optimiser makes its SGD; yields whether there is one."""
    known = driver.known("SGD")
    others = [kind for kind in driver.classes.own if known and is_other(kind, known[1])]

    def made(*args, **kwargs):
        params = next(one for one in (*args, *kwargs.values()) if not isinstance(one, int | float))
        return construct(known[1], {"params": params, "lr": RATE}, seen=driver.seen(known[1]))

    places = [
        (module, name, value)
        for module in driver.classes.modules
        for name, value in list(vars(module).items())
        if any(value is kind for kind in others)
    ]
    try:
        for module, name, _ in places:
            setattr(module, name, made)
        yield bool(places)
    finally:
        for module, name, value in places:
            setattr(module, name, value)


def is_other(kind: type, sgd: type) -> bool:
    """Whether a class is an optimiser beside the SGD, which may be its base, but not what the SGD is based on."""
    return not issubclass(sgd, kind) and bool(ONLY_ONES["SGD"].search(kind.__name__)) and has(kind, "step")
