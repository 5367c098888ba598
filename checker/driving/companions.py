"""What a submission hands from call to call beside its tensors, such as a tape: one for each forward pass, which the
backward after it gets as well; and the tapes that only record while they are open.
"""

import contextlib
import inspect
import re

from torch import Tensor

from .building import required
from .methods import call, has, method, name_of

TAPES = re.compile(
    r"(my|own|the|grad(ient)?|auto)?_?(tape|graph|engine|ctx|context|recorder|session|history|wengert\w*)s?"
)


class Companions:
    """`there`: the objects of this forward pass, by their classes; `opened`: those of them that record."""

    def __init__(self, driver):
        self.driver = driver
        self.there: dict[object, object] = {}
        self.opened: list = []

    def renew(self) -> None:
        """For another forward pass: the old ones go, and what records is opened."""
        self.close()
        self.there.clear()
        for kind in self.kinds():
            if hasattr(kind, "__enter__"):
                with contextlib.suppress(Exception):
                    self.opened.append(self.of_kind(kind))
                    entered = self.opened[-1].__enter__()
                    self.there[kind] = entered if isinstance(entered, kind) else self.opened[-1]

    def close(self) -> None:
        """Close what records, before a backward."""
        while self.opened:
            with contextlib.suppress(Exception):
                self.opened.pop().__exit__(None, None, None)

    def kinds(self) -> list[type]:
        """The submission's classes of such objects."""
        return [kind for kind in self.driver.classes.own if TAPES.fullmatch(kind.__name__.lower())]

    def of(self, parameter):
        """What an argument gets that is called after such a class, or a list for a tape; None for any other."""
        name = parameter.name.lower().strip("_")
        if not TAPES.fullmatch(name):
            return None
        kinds = self.kinds()
        fitting = [kind for kind in kinds if kind is parameter.annotation or name in kind.__name__.lower()]
        if fitting or len(kinds) == 1:
            return self.of_kind((fitting or kinds)[0])
        return self.there.setdefault("list", []) if not kinds else None

    def of_kind(self, kind: type):
        if kind not in self.there:
            lying = (value for module in self.driver.classes.modules for value in vars(module).values())
            self.there[kind] = next((one for one in lying if type(one) is kind), None) or kind()
        return self.there[kind]

    def call(self, target, *args):
        """The forward pass of a target, given what it wants besides; of a coroutine, what it yields first, and what
        sends it the gradient.
        """
        returned = self.called(target, *args)
        return (next(returned), sender(returned)) if inspect.isgenerator(returned) else returned

    def output(self, target, *args):
        """The same without what sends the gradient back, or what else is returned beside the output."""
        returned = self.call(target, *args)
        is_pair = isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[0], Tensor)
        return returned[0] if is_pair else returned

    def called(self, target, *args):
        usual = has(target, "forward") and (name_of(target, "forward") == "forward" or not callable(target))
        needed = required(method(target, "forward") if usual else target)
        if len(needed) <= len(args):
            return call(target, *args)
        left, given = list(args), []
        for parameter in needed:
            companion = self.of(parameter)
            if companion is None and not left:
                return call(target, *args)
            given.append(left.pop(0) if companion is None else companion)
        return call(target, *given, *left)


def sender(coroutine):
    """A function that sends a coroutine the gradient and returns what it yields or returns then."""

    def send(gradient=None):
        try:
            return coroutine.send(gradient)
        except StopIteration as end:
            return end.value

    return send
