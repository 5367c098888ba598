"""What a submission calls the methods that torch calls forward, backward, step: by names that are usual, then by what
is left if only one method can be meant. Groups write in other languages, too.
"""

import inspect
import re

from .building import filling, parameters_of, required

USUAL = {
    "forward": re.compile(
        r"forward(_?(pass|prop(agation)?))?|fwd|fprop|fw|predict|compute|apply|avant|propag\w*|run|vorw(ä|ae)rts\w*|adelante|avanti"
        r"|((compute|calc(ulate)?|get)_?)?(loss|error|cost|mse)|value"
    ),
    "backward": re.compile(
        r"back(ward|prop)?s?(_?(pass|prop(agation|agate)?|propagat(e|ion)))?|back\w*|bwd|bprop|bw|vjp|pullback"
        r"|retro\w*|arri[eè]re|atr[aá]s|indietro|r(ü|ue)ck\w*|derivat\w*|diff|((loss|cost|error|mse)_?)?prime|d_?(loss|cost|mse)"
        r"|((compute|calc(ulate)?|get)_?)?((loss|cost|error|mse)_?)?(gradient|grad)"
    ),
    "step": re.compile(
        r"step\w*|updat\w*|optimi[sz]\w*|apply\w*|descend\w*|descent|pas|mise_?a_?jour|mettre_?a_?jour|schritt"
    ),
}
OTHER = re.compile(
    r"_|.*(param|weight|zero|reset|clear|load|save|train|eval|init|state|device|cuda|cpu|loss|print|set_|get_|add|append"
    r"|update|step|call|repr|to$|poids|move)"
)


def of_class(kind: type) -> list[str]:
    """The names of the methods that a submission's class has, without those that Python gives to all."""
    return [
        name
        for name in dir(kind)
        if not name.startswith("__") and inspect.isroutine(inspect.getattr_static(kind, name))
    ]


def usual_name_of(target, role: str) -> str | None:
    """The name of the method that plays `role` and is called so; None if there is none."""
    if callable(getattr(target, role, None)):
        return role
    names = of_class(target if isinstance(target, type) else type(target))
    fitting = (name for name in names if USUAL[role].fullmatch(name.lower()))
    return next((name for name in fitting if callable(getattr(target, name, None))), None)


def name_of(target, role: str) -> str | None:
    """The name of the method that plays `role` ("forward", "backward", "step"); None if there is none."""
    usual = usual_name_of(target, role)
    if usual or role != "backward":
        return usual
    names = of_class(target if isinstance(target, type) else type(target))
    left = [name for name in names if not OTHER.match(name.lower()) and not USUAL["forward"].fullmatch(name.lower())]
    left = [name for name in left if len(required(getattr(target, name))) == 1]
    return left[0] if len(left) == 1 else None


def all_of(target, role: str) -> list[str]:
    """The names of all methods of an object that may play `role`, those that are meant for inner use with them; but
    of what takes no argument only the one that `name_of` finds.
    """
    fitting = (name for name in of_class(type(target)) if USUAL[role].fullmatch(name.lower().strip("_")))
    names = [name for name in fitting if required(getattr(target, name, None))]
    return list(dict.fromkeys([*filter(None, [name_of(target, role)]), *names]))


def method(target, role: str):
    """That method; raises AttributeError if there is none."""
    return in_order(getattr(target, name_of(target, role) or role))


def in_order(function):
    """A function that takes its arguments by name alone, as one that takes them in their order."""
    named = [p for p in parameters_of(function) or () if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    if not named or required(function):
        return function

    def ordered(*args):
        return function(**dict(zip((p.name for p in named), args, strict=True)))

    ordered.__signature__ = inspect.Signature([p.replace(kind=p.POSITIONAL_OR_KEYWORD) for p in named])
    return ordered


def has(target, role: str) -> bool:
    return name_of(target, role) is not None


def call(target, *args):
    """The forward pass of `target`, or the call of it where only that is there."""
    own = name_of(target, "forward")
    function = in_order(target) if own != "forward" and callable(target) else method(target, "forward")
    more = required(function)[len(args) :]  # such as whether it is trained
    return function(*args, *(True if TRAINED.search(p.name.lower()) else filling(p) for p in more))


TRAINED = re.compile(r"train|mode|keep|save|store|grad")
