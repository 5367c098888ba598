"""Layers that are nothing but data: what is computed with them is in functions, or in the methods of an engine or a
visitor, that are handed the layer. These become methods of the layer's class, which has none of the kind.
"""

import contextlib
import inspect
import re
import sys

from .building import parameters_of, required
from .free import of_submission, squashed
from .methods import has, of_class
from .roles import fits

BACK = r"back(ward|prop)?s?|bwd|bprop|grad(ient)?s?|vjp|retro|arriere"
MARKS = {
    "forward": re.compile(r"for(ward)?|fwd|fprop|avant|apply|evaluate|compute|run|visit"),
    "backward": re.compile(BACK),
}
ALL_MARKS = re.compile(rf"{BACK}|{MARKS['forward'].pattern}|propagat(e|ion)|prop|pass|visit")
ANY_LAYER = re.compile(
    r"(a|one|any|single)?(layer|module|node|op|block|step|couche|net(work)?|model|engine|visitor)?s?"
)
LAYER = re.compile(r".*(layer|module|node|block|conv|relu|sigm|loss|mse|net|seq|couche|schicht).*|l|m|op|obj")


def complete(driver, kinds: dict[str, tuple[str, type] | None]) -> None:
    """Give the classes that play a role the forward and backward that they lack, of what the submission has for them
    elsewhere.
    """
    layers = {role: found[1] for role, found in kinds.items() if found and role != "SGD"}
    engines = [kind for kind in driver.classes.own if kind not in layers.values()]
    for role, kind in layers.items():
        complete_one(driver, role, kind, engines)


def complete_one(driver, role: str, kind: type, engines: list[type]) -> None:
    if has(kind, "forward") or any("__call__" in vars(one) for one in kind.__mro__):
        return
    found = {way: handlers(driver, role, kind, way, engines) for way in MARKS if not has(kind, way)}
    for way, functions in found.items():
        if functions and found["forward"]:
            setattr(kind, way, method_of(functions))
            driver.note("elsewhere", f"{kind.__name__} has no {way}: it is in {functions[0].__qualname__}")


def handlers(driver, role: str, kind: type, way: str, engines: list[type]) -> list:
    """What may be the forward or backward of a class: what is named for it, then what takes a layer of any kind."""
    special, general = [], []
    for holder, name, function in candidates(driver, engines):
        said = squashed(holder) + squashed(name)
        back = bool(MARKS["backward"].search(said))
        if back != (way == "backward") or not (back or MARKS["forward"].search(said)):
            continue
        rest = ALL_MARKS.sub("", squashed(name))
        if rest and (rest == squashed(kind.__name__) or fits(rest, role)):
            special.append(function)
        elif ANY_LAYER.fullmatch(rest) and len(required(function)) > 1:
            general.append(function)
    return special + general


def candidates(driver, engines: list[type]):
    """(name of its holder, its own name, the function) of all functions of a submission, and of the methods of these
    classes, on the object that the Model makes, or on a new one.
    """
    for name, function in of_submission(driver.classes).items():
        yield "", name, function
    for kind in engines:
        names = [name for name in of_class(kind) if any(mark.search(squashed(name)) for mark in MARKS.values())]
        names = [name for name in names if len(required(getattr(kind, name))) > 1]
        if names and (engine := an_object_of(driver, kind)) is not None:
            for name in names:
                yield kind.__name__, name, getattr(engine, name)


def an_object_of(driver, kind: type):
    """One object of a class for the whole of a grading, where what a submission keeps is looked after."""
    module, name = sys.modules[kind.__module__], f"_one_{kind.__name__}"
    if not hasattr(module, name):
        made = driver.usage.first(kind)
        engine = made.raw if made else None
        if engine is None:
            with contextlib.suppress(Exception):
                engine = kind()
        setattr(module, name, engine)
    return getattr(module, name)


def method_of(functions: list):
    """A method that hands itself to the first of these functions that does not raise."""
    chosen = []

    def method(self, *args):
        problem = None
        for function in chosen or functions:
            try:
                returned = function(*ordered(function, self, args))
            except Exception as error:
                problem = problem or error
                continue
            chosen[:] = [function]
            if isinstance(returned, tuple) and len(returned) == 2:
                self.kept_besides = returned[1]
            return returned
        raise problem

    count = max(len(required(function)) for function in functions)
    names = [p.name for p in (parameters_of(functions[0]) or ())][1:count]
    method.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("self", *names)]
    )
    return method


def ordered(function, layer, args: tuple) -> list:
    """The arguments with the layer where its name stands, first if that is not to be seen; and what the forward
    returned besides, if one more is wanted.
    """
    names = [p.name.lower() for p in required(function)]
    given = list(args)
    place = next((i for i, name in enumerate(names) if LAYER.fullmatch(name)), 0)
    given.insert(place if place <= len(given) else 0, layer)
    if len(names) > len(given) and hasattr(layer, "kept_besides"):
        given.append(layer.kept_besides)
    return given
