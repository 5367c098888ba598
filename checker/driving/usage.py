"""How the author of a submission builds its classes: seen while a Model is made."""

import contextlib
import inspect
import random
from dataclasses import dataclass, field

import torch

from .building import meaning
from .methods import USUAL, of_class
from .state import State
from .watching import code_of, in_training


@dataclass
class Made:
    """One object that the Model was made of: the arguments that its class was given, and the calls of its methods
    that followed from outside, as (name, arguments, keyword arguments).
    """

    raw: object
    given: inspect.BoundArguments
    calls: list[tuple[str, tuple, dict]] = field(default_factory=list)


class Usage:
    """What was seen of each class, in the order in which its objects were made: while a Model is made, or, of classes
    that show only there, in the beginning of its training; looked for when first asked.
    """

    def __init__(self, classes):
        self.classes = classes
        self.seen: dict[type, list[Made]] = {}
        self.ahead = [self.make, self.train]  # what has not been looked at yet

    def first(self, kind: type) -> Made | None:
        """How the Model makes its first object of this very class; None if it makes none."""
        while self.ahead and kind not in self.seen:
            self.look(self.ahead.pop(0))
        return next(iter(self.seen.get(kind, ())), None)

    def all(self) -> dict[type, list[Made]]:
        """All objects that are made until the first backward."""
        while self.ahead:
            self.look(self.ahead.pop(0))
        return self.seen

    def arguments(self, kind: type) -> dict[str, object]:
        """The arguments of that, by the names of the parameters."""
        made = self.first(kind)
        return made.given.arguments if made else {}

    def options(self, kind: type, names: tuple[str, ...]) -> list[dict[str, int]]:
        """What the Model gives of torch's arguments `names` that are whole numbers to each of its objects of a class,
        with what the class itself takes for those that are left out.
        """
        self.first(kind)
        found = []
        for made in self.seen.get(kind, ()):
            made.given.apply_defaults()
            named = {meaning(name, names): value for name, value in made.given.arguments.items()}
            found.append({name: value for name, value in named.items() if name and type(value) is int})
        return found

    def look(self, run) -> None:
        """Run the author's code with the objects that it makes being noted; what else that does is undone."""
        kept, state = (torch.get_rng_state(), random.getstate()), State(self.classes.modules, self.classes.is_own)
        backwards = {
            code_of(getattr(kind, name))
            for kind in self.classes.own
            for name in of_class(kind)
            if USUAL["backward"].fullmatch(name.lower())
        }
        with contextlib.ExitStack() as watched:
            for kind in self.classes.own:
                with contextlib.suppress(TypeError, ValueError):
                    watched.enter_context(watching(kind, self.seen))
            with contextlib.suppress(Exception):
                run(backwards - {None})
        state.put_back()
        torch.set_rng_state(kept[0])
        random.setstate(kept[1])

    def make(self, backwards: set) -> None:
        self.classes.exported["Model"]()

    def train(self, backwards: set) -> None:
        """Up to the first backward, when all is made."""
        in_training(self.classes, set(), backwards)


@contextlib.contextmanager
def watching(kind: type, seen: dict[type, list[Made]]):
    """Have the objects of a class that are made noted."""
    signature, made, busy = inspect.signature(kind), {}, set()

    def constructor(original):
        def __init__(self, *args, **kwargs):
            if type(self) is kind:
                with contextlib.suppress(TypeError):
                    made[id(self)] = Made(self, signature.bind(*args, **kwargs))
                    seen.setdefault(kind, []).append(made[id(self)])
            with at_work(self):
                original(self, *args, **kwargs)

        return __init__

    def caller(name, original):
        def method(self, *args, **kwargs):
            if id(self) in made and id(self) not in busy:
                made[id(self)].calls.append((name, args, kwargs))
            with at_work(self):
                return original(self, *args, **kwargs)

        return method

    @contextlib.contextmanager
    def at_work(one):
        outermost = id(one) not in busy
        busy.add(id(one))
        try:
            yield
        finally:
            if outermost:
                busy.discard(id(one))

    own = [name for name in of_class(kind) if inspect.isfunction(vars(kind).get(name))]
    before = {name: vars(kind).get(name) for name in ("__init__", *own)}
    try:
        kind.__init__ = constructor(kind.__init__)
        for name in own:
            setattr(kind, name, caller(name, before[name]))
        yield
    finally:
        for name, original in before.items():
            if original is None:
                delattr(kind, name)
            else:
                setattr(kind, name, original)
