"""The submission's optimiser: what it is built from, and how it steps."""

import contextlib
import copy
import functools
import itertools
import re

import torch
from torch import Tensor

from . import backward, forms, tensors
from .building import MEANINGS, build, meaning, parameters_of, required
from .gradients import flat, listed
from .leaves import drawn
from .manners import zero_grad
from .methods import method
from .search import TRIALS
from .state import Contents
from .stepping import at_rate

DEFAULTS = {"momentum": 0.0, "dampening": 0, "weight_decay": 0, "nesterov": False}
MOST = 40  # combinations of arguments that are tried for a step
# What an argument of step() is called, and what it may be, in the order in which that is tried.
ARGUMENTS = (
    (re.compile(MEANINGS["lr"]), ("lr",)),
    (re.compile(r"(mini_?)?batch(_?size)?|n|(nb|num)_\w*"), ("one",)),
    (re.compile(r"epochs?|iter\w*|t|k"), ("zero",)),
    (re.compile(r".*(loss|criterion|cost)(?!.*grad).*"), ("loss", "value", "upstream")),
    (re.compile(r".*(grad|delta|err|upstream).*|dl.*|d_?(y|out\w*)|g"), ("gradients", "param", "upstream")),
    (re.compile(r".*(param|weight).*"), ("param",)),
    (re.compile(r".*(net|model|module|layer|seq).*"), ("net",)),
)
EACH = ("each",)  # what a step is given where it is taken for one weight and its gradient
GRADIENT = re.compile(r".*grad|d(l|j)?_?d?\w$|dl|g$")
ANY = "net", "param", "upstream", "loss", "value"
AFRESH = {"upstream", "loss", "value"}  # for a step that does the backward itself


class Optimiser:
    """One optimiser of the submission for one Driven module, as torch's: step() and zero_grad(). `net` is what the
    optimiser is to step for: the submission's network of the module, or the module itself.
    """

    def __init__(self, raw, driven, net, lr: float):
        self.raw, self.driven, self.net, self.lr = raw, driven, net, lr
        self.copies: dict = {}  # one for each weight, if it steps one at a time

    def step(self) -> None:
        """A step, given what it insists on, or else what may be left out as well: of what that may be, the first with
        which the weights move.
        """
        step = method(self.raw, "step")
        needed, known = required(step), self.driven.driver.step_kinds
        tried = [known] if known not in (None, EACH) else list(combinations(needed, optional(step)))
        problems: list[Exception | None] = []
        if known != EACH and self.moves_with([kinds for kinds in tried if not AFRESH & set(kinds)], problems):
            return
        if len(needed) == 2 and self.steps_each(needed):
            self.driven.driver.step_kinds = EACH
            return
        if self.moves_with([kinds for kinds in tried if AFRESH & set(kinds)], problems):
            return
        if problems and None not in problems:
            raise problems[0]

    def moves_with(self, tried: list[tuple[str, ...]], problems: list) -> bool:
        """Whether a step moves the weights, given something of these kinds; what each raised goes to `problems`."""
        for kinds in tried:
            kept, own = self.weights(), Contents(self.raw)
            for values in self.all_values(kinds, problems):
                try:
                    method(self.raw, "step")(*values)
                    problems.append(None)
                    if self.moved_from(kept):
                        self.driven.driver.step_kinds = kinds
                        return True
                except Exception as error:
                    problems.append(error)
                    self.put_back(kept)
            own.put_back()
        return False

    def all_values(self, kinds: tuple[str, ...], problems: list):
        """All combinations of what arguments of these kinds may be."""
        try:
            if self.holds_loss():
                self.afresh("loss")
            yield from itertools.islice(itertools.product(*map(self.values, kinds)), MOST)
        except Exception as error:
            problems.append(error)

    def steps_each(self, needed: list) -> bool:
        """A step of every weight by itself, (weight, gradient) → weight, by a copy of the optimiser for each; whether
        any moved.
        """
        exchanged = [bool(GRADIENT.match(p.name.lower())) for p in needed] == [True, False]
        moved = False
        for part in self.driven.parts():
            for name in part.shapes:
                own = part.tensor(name)
                gradient = part.own_gradient(name, own) if own is not None else None
                if not isinstance(gradient, Tensor):
                    continue
                before, both = own.clone(), (own, gradient.reshape(own.shape).clone())
                one = self.copies.setdefault((id(part), name), copy.deepcopy(self.raw))
                with contextlib.suppress(Exception):
                    returned = method(one, "step")(*(both[::-1] if exchanged else both))
                    if isinstance(returned, Tensor) and returned.shape == own.shape and torch.equal(own, before):
                        own.copy_(returned)
                moved |= not torch.equal(own, before)
        return moved

    def holds_loss(self) -> bool:
        """Whether it was built with the loss: a step then does the backward from there."""
        return any(meaning(p.name, ("loss",)) for p in required(type(self.raw)))

    def values(self, kind: str) -> list:
        """What an argument of a kind may be. "upstream", "loss" and "value" are for a step that does the backward
        itself: the gradient of the output, the loss, and what its forward returned, after a forward pass.
        """
        if kind in ("lr", "one", "zero"):
            return [{"lr": self.lr, "one": 1, "zero": 0}[kind]]
        if kind == "net":
            return [self.net, self.driven.raws()]
        if kind == "param":
            return [drawn(listed(self.net)), *forms.of_weights(self.driven)]
        if kind == "gradients":
            beside = self.driven.beside
            return [*([flat(beside), beside, *beside] if beside else []), *forms.of_gradients(self.driven)]
        return [self.afresh(kind)]

    def afresh(self, kind: str):
        driven = self.driven
        with contextlib.suppress(Exception):
            driven.zero_grad()
        driven.driver.begin()
        driven.output = driven.driver.companions.output(self.net, driven.input)
        driven.driver.end()
        if kind == "upstream":
            output = tensors.unwrap(driven.output)
            return driven.driver.tensor(driven.upstream, driven.manner.wrapped, output.dtype)
        loss = backward.called(driven, self.raw if self.holds_loss() else self.net, driven.upstream)
        return loss.raw if kind == "loss" else loss.value

    def weights(self) -> list[tuple[str, Tensor]]:
        driven = self.driven
        return [(name, own.clone()) for name in driven.shapes if (own := driven.tensor(name)) is not None]

    def moved_from(self, kept: list[tuple[str, Tensor]]) -> bool:
        return any(not torch.equal(self.driven.tensor(name), value) for name, value in kept)

    def put_back(self, kept: list[tuple[str, Tensor]]) -> None:
        for name, value in kept:
            self.driven.tensor(name).copy_(value)

    def zero_grad(self) -> bool:
        """Set the gradients to zero; False if it has no method for that."""
        return zero_grad(self.raw)


class AtOnce(Optimiser):
    """The step that a module's backward takes by itself, being given the learning rate or holding it."""

    def step(self) -> None:
        driven = self.driven
        target = driven.net if driven.manner.network else driven.raw
        if driven.places.get("steps"):
            driven.again()
            with at_rate(driven, [target, *driven.raws()], self.lr):
                backward.WAYS[driven.manner.back](driven, target, driven.upstream)
            return
        output = tensors.unwrap(driven.output)
        upstream = driven.driver.tensor(driven.upstream, driven.manner.wrapped, output.dtype)
        method(target, "backward")(upstream, self.lr)

    def zero_grad(self) -> bool:
        return False


def combinations(needed: list, others: list):
    """What the arguments of a step may be: those that it insists on, then those that it would do without as well."""
    for names in (needed, [*needed, *others]) if others else (needed,):
        wanted = [
            next((kinds for pattern, kinds in ARGUMENTS if pattern.fullmatch(p.name.lower())), ANY) for p in names
        ]
        if ("param",) in wanted:  # beside the parameters, what is called gradients is not the parameters again
            wanted = [tuple(kind for kind in kinds if kinds == ("param",) or kind != "param") for kinds in wanted]
        yield from itertools.islice(itertools.product(*wanted), MOST)


def optional(step) -> list:
    """The arguments of a step that are None unless they are given."""
    return [p for p in parameters_of(step) or () if p.default is None and p.kind is p.POSITIONAL_OR_KEYWORD]


LISTS = 3  # that a network has besides the first
WAYS = 9 + LISTS
AT_ONCE = WAYS  # the way of those whose modules step in their backward, if no step of an optimiser moves anything


def ways(net, modules: list, lr: float, more: dict) -> list:
    """The arguments, under torch's names, of the ways in which submissions build theirs: from net.param(), the
    network, a list of modules, of networks, of lists, of groups, the learning rate alone, what calls param(), no
    argument, another list of the network's.
    """
    return [
        lambda: {"params": drawn(listed(net)), "lr": lr} | more,
        lambda: {"params": net, "lr": lr} | more,
        lambda: {"params": list(modules), "lr": lr} | more,
        lambda: {"params": [net], "lr": lr} | more,
        lambda: {"params": [drawn(listed(module)) for module in modules], "lr": lr} | more,
        lambda: {"params": [{"params": drawn(listed(net)), "lr": lr} | more]},
        lambda: {"lr": lr} | more,
        lambda: {"params": lambda: drawn(listed(net)), "lr": lr} | more,
        lambda: more,
        *(lambda place=place: {"params": forms.other_lists(net)[place], "lr": lr} | more for place in range(LISTS)),
    ]


def construct(kind: type, arguments: dict, neutral: tuple[float, ...] = (), seen: dict | None = None):
    """An optimiser of that class: by its own names of the arguments, else as the assignment has it, else lr first.
    What it takes besides, of which no name tells what it is, is set to the `neutral` values in turn, if any; what it
    insists on is as the author gives it (`seen`).
    """
    if neutral:
        known = arguments.keys() | DEFAULTS.keys()
        unknown = [p.name for p in parameters_of(kind) or () if is_option(p) and not meaning(p.name, known)]
        if not unknown:
            raise LookupError("it takes nothing else")
        kind = functools.update_wrapper(
            functools.partial(kind, **dict(zip(unknown, itertools.cycle(neutral), strict=False))), kind, updated=()
        )
    alone = {name: value for name, value in arguments.items() if name != "params"}
    attempts = (
        *([lambda: build(kind, alone, DEFAULTS, seen)] if registers(kind) else []),
        lambda: build(kind, arguments, DEFAULTS, seen),
        lambda: kind(*arguments.values()),
        lambda: kind(
            *[arguments[name] for name in arguments if name == "lr"],
            *[value for name, value in arguments.items() if name != "lr"],
        ),
    )
    problem = None
    for attempt in attempts:
        try:
            made = attempt()
            register(made, arguments.get("params"))
            return made
        except Exception as error:
            problem = problem or error
    raise problem


def is_option(parameter) -> bool:
    return isinstance(parameter.default, float)


REGISTER = re.compile(r"(register|attach|bind|add|set)(_?(net(work)?|model|module|param(eter)?)s?)?(_?group)?")


def registers(kind: type) -> list[str]:
    """The methods by which an optimiser is told what it steps for, where that is a call of its own."""
    return [name for name in dir(kind) if REGISTER.fullmatch(name.lower()) and callable(getattr(kind, name))]


def register(made, params) -> None:
    for name in registers(type(made)):
        if len(required(getattr(made, name))) == 1:
            getattr(made, name)(params)


def way_to_step(driver) -> int:
    """The first way of building the optimiser in which a step of it changes a convolution's weights; else the first
    one in which it steps at all, else in which it can be built.
    """
    role = next((role for role in ("Conv2d", "TransposeConv2d", "NearestConv") if driver.known(role)), "Conv2d")
    stepping, buildable = [], []
    for way in range(WAYS):
        for arguments, shape in TRIALS[role]:
            with contextlib.suppress(Exception):
                driven = driver.module(role, list(arguments), {})
                made = driver.built_optimiser(driven, way, 0.5, {})
                buildable.append(way)
                before = {name: value.clone() for name, value in driven.parameters().items()}
                y = driven.forward(torch.empty(shape).uniform_(-1, 1))
                driven.backward(torch.empty(y.shape).uniform_(-1, 1))
                made.step()
                stepping.append(way)
                if any(not torch.equal(before[name], value) for name, value in driven.parameters().items()):
                    return way
    if "updates" in driver.notes:
        return AT_ONCE
    return next(iter((*stepping, *buildable)), 0)
