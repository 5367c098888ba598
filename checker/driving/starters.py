"""What starts a backward where the loss has no method for it: a method of its value under an own name, a function
of the submission such as reverse(loss), or a method of a tape or an engine such as tape.gradient(loss, parameters).
"""

import re

import torch
from torch import Tensor

from . import tensors
from .building import parameters_of, required
from .free import of_submission, squashed
from .leaves import at, held
from .methods import of_class

STARTS = re.compile(
    r"(run|do|start|auto|perform|tape|graph|loss|compute|calc(ulate)?|get|eval)*"
    r"(back(ward|prop\w*)?s?|bwd|bprop|bp|revers[ei]\w*|propagat\w*|retro\w*|unwind|rewind|replay|walk(back\w*)?|sweep"
    r"|pull(back)?|differentiate|(auto)?grad(ient)?s?|derivatives?|adjoints?|autodiff|vjp)"
    r"(pass|sweep|all|from|graph|tape|of|back|mode|loss)*"
)
SEED = re.compile(r".*(seed|grad|cotan|adj|bar|upstream|delta|init).*|d(l|y|out\w*)?|g")
PARAMETERS = re.compile(r".*(param|weight|wrt|source|variab|leaf|leaves|input|respect|tensors).*|xs|vars|ps|over|of")


def start(driver, value, around: list, asked: list, seed: Tensor | None = None):
    """Start a backward from `value`, with `seed` for its gradient, else with 1: (what that returned, the gradients
    in it of what is `asked`, None for each that is not); None if nothing starts one.
    """
    found = sorted(starters(driver, [value, *around]), key=lambda function: label(function) != driver.starter)
    for function in found:
        given = arguments(driver, function, value, asked, seed)
        if given is None:
            continue
        try:
            returned = function(*given[0], **given[1])
        except Exception:  # it is meant for something else
            continue
        driver.starter = label(function)
        driver.note("started", f"a backward is started by {label(function)}")
        return returned, paired(returned, asked)
    return None


def label(function) -> str:
    return f"{getattr(function, '__qualname__', function)}()"


def starters(driver, around: list):
    """What may start one, the likeliest first: methods of the value, functions, methods of other objects."""
    classes = driver.classes
    layers = [found[1] for found in driver.kinds.values() if found]
    layers += [base for kind in layers for base in kind.__mro__ if base is not object]
    yield from named(around[0])
    free = of_submission(classes)
    yield from (function for name, function in free.items() if STARTS.fullmatch(squashed(name)))
    lying = [value for module in classes.modules for value in list(vars(module).values())]
    others = [*driver.companions.there.values(), *lying, *(found for one in around for found in held(one))]
    seen = {id(around[0])}
    for one in others:
        if id(one) not in seen and classes.is_own(type(one)) and type(one) not in layers:
            seen.add(id(one))
            yield from named(one)


def named(one) -> list:
    """The methods of an object that have the name of a start."""
    if isinstance(one, Tensor | type):
        return []
    return [getattr(one, name) for name in of_class(type(one)) if STARTS.fullmatch(squashed(name))]


def arguments(driver, function, value, asked: list, seed: Tensor | None) -> tuple[list, dict] | None:
    """What a start is given, by the names of its parameters; None if it insists on something unknown, or if it does
    not take the `seed`.
    """
    is_of_value = getattr(function, "__self__", None) is value
    given, left, seeded = [], [] if is_of_value else [value], False
    for parameter in required(function):
        name = parameter.name.lower().strip("_")
        if (companion := driver.companions.of(parameter)) is not None:
            given.append(companion)
        elif PARAMETERS.fullmatch(name) and (not left or given):
            given.append(list(asked))
        elif left:
            given.append(left.pop())
        elif SEED.fullmatch(name):
            seeded = True
            given.append(seed_of(driver, value, seed))
        else:
            return None
    more = {}
    for parameter in parameters_of(function) or ():
        if parameter.kind is parameter.VAR_POSITIONAL or parameter.default is parameter.empty:
            continue
        if seed is not None and not seeded and SEED.fullmatch(parameter.name.lower()):
            seeded, more[parameter.name] = True, seed
        elif parameter.default is None and PARAMETERS.fullmatch(parameter.name.lower()):
            more[parameter.name] = list(asked)
    return (given, more) if seed is None or seeded else None


def seed_of(driver, value, seed: Tensor | None):
    content = tensors.unwrap(value)
    return seed if seed is not None else torch.ones_like(content) if isinstance(content, Tensor) else 1.0


def asked_of(driven):
    """(the input and the parameters of a driven module or network, what keeps the gradients of the latter)"""
    places = [(part, name) for part in driven.parts() for name in part.shapes if part.tensor(name) is not None]

    def keep(returned, found: list[Tensor | None]) -> None:
        driven.beside = (returned,) if isinstance(returned, list | tuple | dict) else None
        for (part, name), gradient in zip(places, found[1:], strict=True):
            if gradient is not None and gradient.numel() == part.tensor(name).numel():
                part.updates[name] = gradient

    return [driven.input, *(around_parameter(*place) for place in places)], keep


def around_parameter(driven, name: str):
    """The object of the submission that a parameter is, which holds its tensor, or the tensor itself."""
    kind, path = driven.driver.tensor_class, driven.places[name]
    holder = at(driven.raw, path[:-1]) if len(path) > 1 else None
    return holder if kind is not None and isinstance(holder, kind) else driven.tensor(name)


def paired(returned, asked: list) -> list[Tensor | None]:
    """The gradients of what was asked for in what a start returned: in its order, or by the keys of a dictionary."""
    if isinstance(returned, tuple | list) and len(returned) == 1 and len(asked) > 1:
        returned = returned[0]
    if isinstance(returned, dict):
        keyed = {id(key): item for key, item in returned.items()} | {
            key: item for key, item in returned.items() if isinstance(key, int)
        }
        found = [keyed.get(id(one), keyed.get(id(tensors.unwrap(one)))) for one in asked]
    elif isinstance(returned, tuple | list) and len(returned) == len(asked):
        found = list(returned)
    else:
        found = [returned if len(asked) == 1 else None for _ in asked]
    return [g if isinstance(g := tensors.unwrap(item), Tensor) else None for item in found]
