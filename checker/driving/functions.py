"""What a submission writes as plain functions, each made into a class: activations, the loss, an optimiser's step.

Which function is which is told by its name, else by what it computes: its gradient has the same name with a mark of
one, such as relu_backward or d_relu. What a gradient is given (the input, the output, what else forward returned) is
as the author's own training has it, else as the names say.
"""

import contextlib
import inspect
import re
import types

import torch
from torch import Tensor

from .building import MEANINGS, meaning, required
from .free import of_model, of_submission, squashed
from .functional import Activation, Cost, Step, first_of, made
from .roles import fits
from .watching import code_of, in_training

ROLES = "ReLU", "Sigmoid", "MSE", "SGD"
WITH_CHANNELS = "Conv2d", "TransposeConv2d", "Upsampling"
STEMS = {
    "ReLU": r"relu|rectif\w*",
    "Sigmoid": r"sigm(oide?)?|logistic",
    "MSE": r"mse|meansquared?(errors?)?|squarederrors?|l2|quadratic|eqm|erreurquadratique(moyenne)?"
    r"|loss|cost|criterion|error|perte|cout|erreur|verlust|fehler",
}
BEFORE = r"(my|own|the|f|fn|apply|compute|calc(ulate)?|get|run|fonction)?"
BEHIND = r"(loss|fun(c(tion)?)?|fn|layer|act(ivation)?|error|pass|2d)*"
GRADIENT = (
    r"(back(ward|prop)?s?|bwd|bprop|grad(ient)?s?|deriv(ative|ee)?|prime|vjp|diff|delta|d|retro|ableitung)+(of|de)?"
)
FORWARD = r"(forward|fwd)?"
STEP = re.compile(
    r"(?=.*(sgd|descen|optimi|step|updat|apply))(do|make|take|my|apply)?(sgd|(stochastic)?gradient(descent)?|descent"
    r"|optimi[sz]er?)?(step|updates?)?((all|net(work)?|model)?(param(eter)?s?|weights?|poids|gradients?))?(step)?"
    r"|pas(sgd)?|miseajour\w*|mettreajour\w*"
)
OTHER = re.compile(r".*(train|load|save|main|plot|print|test|eval|show|read|write|psnr|init|seed|run)")
PROBE = torch.tensor([-3.0, -1.0, 0.0, 0.5, 2.0])


def as_class(classes, role: str) -> tuple[str, type] | None:
    """(name, class) of the functions that play a role together; None if there is none."""
    if role not in ROLES:
        return None
    free = of_submission(classes)
    functions = of_model(classes) | free
    if role == "SGD":
        name = next((name for name in functions if is_step(name, functions[name])), None)
        return (name, made(Step, functions[name])) if name else None
    stem = STEMS[role]
    forwards = [name for name in functions if re.fullmatch(forward_of(stem), squashed(name))]
    forwards = forwards or [name for name, function in free.items() if COMPUTES[role](function)]
    if not forwards:
        return None
    forwards.sort(key=lambda name: backward_of(functions, stem, name) is None)
    gradient = backward_of(functions, stem, forwards[0])
    kind = made(Cost if role == "MSE" else Activation, functions[forwards[0]], gradient)
    codes = {code for code in (code_of(kind.function), code_of(gradient)) if code}
    if gradient and len(required(gradient)) + len(required(kind.function)) > 1:
        kind.seen = staticmethod(lambda: in_training(classes, codes, {code_of(gradient)}))
    return forwards[0], kind


def as_factory(classes, role: str) -> tuple[str, type] | None:
    """(name, class) of a function that makes the layers of a role; None if there is none."""
    for name, function in of_submission(classes).items():
        named = [meaning(p.name, MEANINGS) for p in required(function)]
        makes_layers = "out_channels" in named if role in WITH_CHANNELS else role in STEMS and not named
        if makes_layers and fits(name, role):

            def __new__(cls, *args, function=function, **kwargs):
                return function(*args, **kwargs)

            content = {"__new__": __new__, "__signature__": inspect.signature(function), "as_made": True}
            return name, type(name, (), content | {"__module__": function.__module__})
    return None


def forward_of(stem: str) -> str:
    return rf"{BEFORE}{FORWARD}({stem}){BEHIND}{FORWARD}{BEHIND}"


def backward_of(functions: dict, stem: str, forward: str) -> types.FunctionType | None:
    """The function for the gradient: of a name with the same stem, or with the very name of the forward function."""
    for one in (re.escape(squashed(forward)), stem):
        one = re.sub("forward|fwd", "", one)
        pattern = rf"{BEFORE}({GRADIENT}({one}){BEHIND}|({one}){BEHIND}{GRADIENT}{BEHIND})"
        for name, function in functions.items():
            if name != forward and re.fullmatch(pattern, squashed(name)) and required(function):
                return function
    return None


def is_step(name: str, function) -> bool:
    return bool(STEP.fullmatch(squashed(name)) and required(function))


# By what they compute ---------------------------------------------------------------------------------


def result(function, *args):
    """What a function of so many arguments gives; None if it takes others or fails."""
    if len(required(function)) != len(args) or OTHER.match(squashed(function.__name__)):
        return None
    with contextlib.suppress(Exception):
        return first_of(function(*(one.clone() for one in args)))
    return None


def is_relu(function) -> bool:
    y = result(function, PROBE.view(1, 1, 1, 5))
    return is_like(y, PROBE) and bool((y.flatten() == PROBE.clamp(min=0)).all())


def is_sigmoid(function) -> bool:
    """Whether it rises from 0 to 1, as steep on both sides of 0."""
    y = result(function, PROBE.view(1, 1, 1, 5) * 10)
    if not is_like(y, PROBE):
        return False
    y = y.flatten()
    return bool((y.diff() >= 0).all()) and float(y[0]) < 0.01 and abs(float(y[2]) - 0.5) < 0.01 < 0.99 < float(y[4])


def is_squared_error(function) -> bool:
    """Whether it is a number that grows with the square of a difference, from 0."""
    x, d = torch.zeros(1, 1, 1, 5), PROBE.view(1, 1, 1, 5)
    values = [result(function, x, x + factor * d) for factor in (0, 1, 2)]
    if not all(isinstance(v, Tensor | float | int) and (not isinstance(v, Tensor) or v.numel() == 1) for v in values):
        return False
    none, once, twice = map(float, values)
    return none == 0 < once and abs(twice - 4 * once) < 1e-4 * once


COMPUTES = {"ReLU": is_relu, "Sigmoid": is_sigmoid, "MSE": is_squared_error}


def is_like(value, probe: Tensor) -> bool:
    return isinstance(value, Tensor) and value.numel() == probe.numel()
