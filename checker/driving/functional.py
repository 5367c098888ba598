"""Plain functions under the interface of objects: an activation, a loss, an optimiser's step."""

import contextlib
import inspect
import re

import torch
from torch import Tensor

from .building import MEANINGS, parameters_of, required
from .gradients import flat
from .losses import TARGET
from .watching import code_of

TAKES_GRADIENT = re.compile(r".*grad.*|d(l|j)?_?d?(y|z|a|out\w*|s|x)?|dl.*|.*(err|delta|upstream|cotangent).*|g|up")
TAKES_OUTPUT = re.compile(r"(.*out(put)?|y|a|s|sig\w*|act\w*|res(ult)?|sortie|activated|forward\w*|val(ue)?)\d?")
TAKES_INPUT = re.compile(r"(x|in(p(ut)?)?s?|z|pre\w*|entree|t|.*in(put)?)\d?")


def first_of(returned):
    return returned[0] if isinstance(returned, tuple | list) and returned else returned


def made(base: type, function, gradient=None) -> type:
    """A class of `base` for a function and the one for its gradient, as if the submission had defined it."""
    content = {"function": staticmethod(function), "gradient_function": gradient and staticmethod(gradient)}
    return type(function.__name__, (base,), content | {"__module__": function.__module__})


class Functional:
    """Functions under the interface of an object. `remaining`: what forward returned besides."""

    as_made = True  # of no class that the submission names
    function = gradient_function = None
    seen = staticmethod(list)  # calls in the author's own training
    order = None

    def keep(self, returned):
        self.remaining = returned[1:] if isinstance(returned, tuple | list) else ()
        return first_of(returned)

    def pulled(self, *gradient):
        """What a closure gives that forward returned for its gradient; None if it returned none."""
        pull = next((one for one in self.remaining if callable(one)), None)
        return None if pull is None else first_of(pull(*gradient[: len(required(pull))]))

    @classmethod
    def kinds(cls) -> list[str]:
        """What each argument of the gradient's function is: as the author's training has it, else by their names."""
        if cls.order is None:
            named = [cls.by_name(p.name.lower()) for p in required(cls.gradient_function)]
            cls.order = [a or b for a, b in zip(cls.as_seen() or [""] * len(named), named, strict=False)]
            cls.settle()
        return cls.order

    @classmethod
    def as_seen(cls) -> list[str]:
        """The same by which of what the forward function took and returned is handed to the gradient's; "" for what
        is neither.
        """
        calls = cls.seen()
        forwards = [call for call in calls if call.code is code_of(cls.function)]
        last = next((call for call in calls if call.code is code_of(cls.gradient_function)), None)
        if last is None:
            return []
        known = []
        for call in (last, *forwards):
            call.given.pop("self", None)
        for call in forwards:
            known += [(name, value) for name, value in zip(cls.TAKEN, call.given.values(), strict=False)]
            returned = call.returned if isinstance(call.returned, tuple | list) else (call.returned,)
            known += [(name, value) for name, value in zip(("output", "cache"), returned, strict=False)]
        return [next((n for n, v in reversed(known) if same(v, value)), "") for value in last.given.values()]


def same(a, b) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a is b or (a.shape == b.shape and torch.equal(a, b))
    return a is b and a is not None


class Activation(Functional):
    """forward(x), backward(gradient); `order`: what the arguments of the gradient's function are."""

    TAKEN = ("input",)

    def forward(self, x: Tensor):
        self.x = x
        self.y = self.keep(self.function(x))
        return self.y

    def backward(self, gradient: Tensor):
        if (pulled := self.pulled(gradient)) is not None:
            return pulled
        if self.gradient_function is None:
            raise AttributeError(f"there is no function for the gradient of {type(self).__name__}")
        kinds = self.kinds()
        cache = self.remaining[0] if self.remaining else self.x
        values = {"gradient": gradient, "input": self.x, "output": self.y, "cache": cache}
        found = first_of(self.gradient_function(*(values[kind] for kind in kinds)))
        return found if "gradient" in kinds else found * gradient

    def param(self) -> list:
        return []

    @staticmethod
    def by_name(name: str) -> str:
        for kind, pattern in (("gradient", TAKES_GRADIENT), ("output", TAKES_OUTPUT), ("input", TAKES_INPUT)):
            if pattern.fullmatch(name):
                return kind
        return ""

    @classmethod
    def settle(cls) -> None:
        """An argument of which nothing tells what it is: the gradient, if there is none, else the cache."""
        if len(cls.order) > 1 and "gradient" not in cls.order and "" in cls.order:
            cls.order[cls.order.index("")] = "gradient"
        rest = "cache" if len(cls.order) > 1 else "input"
        cls.order = [kind or rest for kind in cls.order]


class Cost(Functional):
    """forward(prediction, target) or the other way round, as the function has it; backward()."""

    TAKEN = "first", "second"

    def __init_subclass__(cls):
        function = cls.function
        own = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY), *(parameters_of(function) or ())]

        def forward(self, *args):
            self.given = args
            value = self.keep(self.function(*args))
            return (value, *self.remaining[:1]) if self.remaining and not callable(self.remaining[0]) else value

        forward.__signature__ = inspect.Signature([own[0].replace(kind=own[1].kind), *own[1:]] if own[1:] else own)
        cls.forward = forward

    def backward(self):
        if (pulled := self.pulled(torch.ones(()))) is not None:
            return pulled
        if self.gradient_function is None:
            raise AttributeError(f"there is no function for the gradient of {type(self).__name__}")
        values = {"first": self.given[0], "second": self.given[1], "one": 1.0}
        return first_of(self.gradient_function(*(values[kind] for kind in self.kinds())))

    @classmethod
    def by_name(cls, name: str) -> str:
        targets = [bool(TARGET.fullmatch(p.name.lower())) for p in required(cls.function)[:2]]
        if sum(targets) == 1:
            return ("first", "second")[targets.index(bool(TARGET.fullmatch(name)))]
        return ""

    @classmethod
    def settle(cls) -> None:
        if len(cls.order) == 3:
            cls.order = ["one" if kind not in cls.TAKEN else kind for kind in cls.order]
        if len(set(cls.order)) != len(cls.order) or "" in cls.order:
            cls.order = list(cls.TAKEN)[: len(cls.order)]


class Step(Functional):
    """An optimiser whose step is a function, of which the learning rate is an argument, or else a global name."""

    def __init__(self, lr: float):
        self.lr = lr
        own = parameters_of(self.function) or []
        rate = next((p.name for p in own if is_rate(p.name)), None)
        others = [p for p in own if p.name != rate]

        def step(*args):
            bound = dict(zip((p.name for p in others), args, strict=False))
            with self.global_rate() if rate is None else contextlib.nullcontext():
                returned = self.function(**bound, **({rate: self.lr} if rate else {}))
                returned = returned() if callable(returned) else returned  # a function that makes the step
            return put(returned, [one for name, one in bound.items() if not TAKES_GRADIENT.fullmatch(name.lower())])

        step.__signature__ = inspect.Signature(others)
        self.step = step

    @contextlib.contextmanager
    def global_rate(self):
        names = self.function.__globals__
        before = {name: value for name, value in names.items() if isinstance(value, int | float) and is_rate(name)}
        names.update(dict.fromkeys(before, self.lr))
        try:
            yield
        finally:
            names.update(before)


def is_rate(name: str) -> bool:
    return bool(re.fullmatch(MEANINGS["lr"], name.lower()))


def put(returned, weights: list):
    """A step that returns new weights rather than to change those that it was given: they are put in their places."""
    for given in weights:
        before, after = flat(given), flat(returned)
        if before and [t.shape for t in before] == [t.shape for t in after]:
            for own, new in zip(before, after, strict=True):
                own.copy_(new)
            break
    return returned
