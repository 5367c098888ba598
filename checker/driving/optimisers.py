"""The submission's optimiser: what it is built from, and how it steps."""

import contextlib
import copy
import re

import torch

from .building import build, required
from .gradients import drawn, listed
from .manners import zero_grad
from .methods import method
from .search import TRIALS

DEFAULTS = {"momentum": 0.0, "dampening": 0, "weight_decay": 0, "nesterov": False}


class Optimiser:
    """One optimiser of the submission for one Driven module, as torch's: step() and zero_grad()."""

    def __init__(self, raw, sources: dict[str, object], way: str):
        self.raw, self.sources, self.way = raw, sources, way
        self.copies: dict = {}  # of itself, by the weight that each one steps

    def step(self) -> None:
        """A step, given what it insists on."""
        step = method(self.raw, "step")
        needed = required(step)
        if len(needed) < 2:
            step(*(self.given(p.name.lower()) for p in needed))
            return
        problem = None
        for gradients in self.sources["gradients"]():
            before = [value.clone() for value in self.sources["weights"]()]
            try:
                step(*(self.given(p.name.lower(), gradients) for p in needed))
            except Exception as error:
                problem = error
            if any(not torch.equal(a, b) for a, b in zip(before, self.sources["weights"](), strict=True)):
                return
        if len(needed) == 2 and self.steps_each(needed):
            return
        if problem:
            raise problem

    def steps_each(self, needed: list) -> bool:
        """A step of every weight by itself, (weight, gradient) → weight, by a copy of the optimiser for each; whether
        any moved.
        """
        exchanged = [bool(re.search(r"grad|^d", p.name.lower())) for p in needed] == [True, False]
        moved = False
        for part in self.sources["parts"]():
            for name in part.shapes:
                own = part.tensor(name)
                gradient = part.own_gradient(name, own) if own is not None else None
                if not isinstance(gradient, torch.Tensor):
                    continue
                before, both = own.clone(), (own, gradient.reshape(own.shape).clone())
                one = self.copies.setdefault((id(part), name), copy.deepcopy(self.raw))
                returned = method(one, "step")(*(both[::-1] if exchanged else both))
                if isinstance(returned, torch.Tensor) and returned.shape == own.shape and torch.equal(own, before):
                    own.copy_(returned)
                moved |= not torch.equal(own, before)
        return moved

    def given(self, name: str, gradients=None):
        """What step() gets for an argument of that name; `gradients` where it wants these for themselves."""
        if re.search(r"lr|rate|eta", name):
            return self.sources["lr"]
        if re.search(r"grad", name) and gradients is not None:
            return gradients
        if re.search(r"param|grad|weight", name):
            return self.sources["param"]()
        return self.sources["net"]

    def zero_grad(self) -> bool:
        """Set the gradients to zero; False if it has no method for that."""
        return zero_grad(self.raw)


WAYS = 7


def ways(net, modules: list, lr: float, more: dict) -> list[tuple[str, dict]]:
    """(what is said of it, arguments under torch's names) of the ways in which submissions build theirs."""
    return [
        ("net.param()", lambda: {"params": drawn(listed(net)), "lr": lr} | more),
        ("the network", lambda: {"params": net, "lr": lr} | more),
        ("a list of modules", lambda: {"params": list(modules), "lr": lr} | more),
        ("a list of networks", lambda: {"params": [net], "lr": lr} | more),
        ("a list of lists", lambda: {"params": [drawn(listed(module)) for module in modules], "lr": lr} | more),
        ("a list of groups", lambda: {"params": [{"params": drawn(listed(net)), "lr": lr} | more]}),
        ("the learning rate alone", lambda: {"lr": lr} | more),
    ]


def construct(kind: type, arguments: dict):
    """An optimiser of that class: by its own names of the arguments, else as the assignment has it, else lr first."""
    alone = {name: value for name, value in arguments.items() if name != "params"}
    attempts = (
        *([lambda: build(kind, alone, DEFAULTS)] if registers(kind) else []),
        lambda: build(kind, arguments, DEFAULTS),
        lambda: kind(*arguments.values()),
        lambda: kind(arguments["lr"], *[value for name, value in arguments.items() if name != "lr"]),
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
    return next(iter((*stepping, *buildable)), 0)
