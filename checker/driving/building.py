"""Build a submission's class from torch's arguments, under whatever names and in whatever order it takes them."""

import contextlib
import copy
import inspect
import re

import torch

NUMBER = r"((nb|num|number|nbr|n)_?(of_)?)?"
CHANNELS = r"_?(ch(an(nel)?s?)?|c|features?|planes?|maps?|dims?|depth|size|filters)?"
# What an argument is called → torch's name for it. In the order in which they are tried.
MEANINGS = {
    "output_padding": r"out(put)?_?pad(ding)?",
    "in_channels": rf"ic|{NUMBER}(in(p(ut)?)?|c|ch|prev|source){CHANNELS}"
    r"|(ch(an(nel)?s?)?|c|n|nb|num|features?|dim)_?in(put)?s?|.*in(put)?_?ch(an(nel)?s?)?|ch(an(nel)?s?)?_?in.*"
    r"|(canaux_?)?entr[eé]es?|.*_entr[eé]es?|ein(gang.*|gabe.*|kan.*)?|entrada.*|ingresso.*",
    "out_channels": rf"oc|{NUMBER}(out(put)?|next|target){CHANNELS}|{NUMBER}(filters|kernels)"
    r"|(ch(an(nel)?s?)?|c|n|nb|num|features?|dim)_?out(put)?s?|.*out(put)?_?ch(an(nel)?s?)?|ch(an(nel)?s?)?_?out.*"
    r"|(canaux_?)?sorties?|.*_sorties?|aus(gang.*|gabe.*|kan.*)?|salida.*|uscita.*",
    "kernel_size": r"(kernel|filter|window|conv)_?(size|dims?|shape|s)?|k(er(nel)?)?_?s?(ize|z)?|ks|ksize|f|size"
    r"|(taille_?(du_?)?)?noyau|kern(gr(o|oe|ö)(ss|ß)e)?|taille|n[uú]cleo",
    "stride": r"strides?|s|st|step_?size|step|pas|saut|schritt(weite)?|paso",
    "padding": r"pad(ding)?s?|p|zero_?padding|marge|remplissage|bourrage|rand|relleno",
    "dilation": r"dil(ation|at(e|ion)_?rate)?s?|d",
    "bias": r"(use|with|has|add|is|include|have)?_?bias(es)?|b",
    "scale_factor": r"(up)?_?(scale|scaling|up|sampling|sample|zoom)?_?(factor|ratio|rate|scale|by|size)|scale|up|r"
    r"|upscale|upsample",
    "lr": r"(lr|l_?r|learn(ing)?_?rate|eta|alpha|step_?size|gamma|rate|mu_?lr|pas|taux(_d.*)?|lernrate)\d?",
    "momentum": r"(momentum|mom|mu|beta|rho)\d?",
    "layers": r"(list_?(of_)?)?(layers?|modules?|mods|blocks|net(work)?|seq|args)(_?list)?",
    "loss": r"(loss|criterion|cost|objective)(_?(fn|func(tion)?|module|layer))?",
    "weight_decay": r"(weight_?decay|wd|l2|decay|reg(ulari[sz]ation)?)\d?",
    "params": r"((model|net|network|module|all|list)_?(of_)?)?(param(et(er|re))?s?|weights|poids|groups)(_?list)?"
    r"|param_groups"
    r"|(self_?)?(model|net(work)?|modules?|layers?|nn|sequential|seq)s?(_?list)?",
}
# What torch's constructors take, in their order, and its own defaults.
ARGUMENTS = {
    "Conv2d": ("in_channels", "out_channels", "kernel_size", "stride", "padding"),
    "TransposeConv2d": ("in_channels", "out_channels", "kernel_size", "stride", "padding"),
    "NearestUpsampling": ("scale_factor",),
}
CONVOLUTION = {"stride": 1, "padding": 0, "dilation": 1, "bias": True, "output_padding": 0, "groups": 1}
OF_ITS_OWN = {"bias": True, "dilation": 1, "groups": 1}  # it may double by a stride, and pad as it likes
# What else a constructor may insist on, and something harmless to give it.
FILLINGS = (
    (r".*(momentum|decay|eps|dampening|beta|penalty|reg).*", 0.0),
    (r".*device.*", "cpu"),
    (r".*d?type.*", torch.float32),
    (r".*(verbose|debug|nesterov|train|flag).*", False),
    (r".*(name|label|id).*", "layer"),
    (r".*(batch).*", 1),
    (r".*pad.*", 0),
    (r".*(scale|factor|upsampl|zoom|ratio).*", 2),
    (r".*(gain|std|sigma).*", 1.0),
)


class Unsupported(Exception):
    """The class has no argument for something that torch's has, and that was asked for."""


def meaning(name: str, among) -> str | None:
    """Which of torch's names in `among` an argument of this name stands for; None if none."""
    spelt = name.lower().strip("_")
    return next((own for own, pattern in MEANINGS.items() if own in among and re.fullmatch(pattern, spelt)), None)


def parameters_of(function) -> list[inspect.Parameter] | None:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None


def required(function) -> list[inspect.Parameter]:
    """The arguments that a function insists on."""
    found = parameters_of(function) or ()
    return [p for p in found if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def shapes(role: str, args: list, kwargs: dict) -> dict[str, tuple]:
    """The shapes of torch's weight and bias for these arguments; none for what has no parameters."""
    if role not in ("Conv2d", "TransposeConv2d", "NearestConv"):
        return {}
    given = dict(zip(ARGUMENTS["Conv2d"], args, strict=False)) | kwargs
    k, i, o = given["kernel_size"], given["in_channels"], given["out_channels"]
    k = tuple(k) if isinstance(k, tuple | list) else (k, k)
    rows = (i, o) if role == "TransposeConv2d" else (o, i)
    return {"weight": (*rows, *k)} | ({"bias": (o,)} if given.get("bias", True) else {})


SIZE = re.compile(
    r"((in(put)?|im(age|g)|pic(ture)?|spatial|x)_?)+(size|shape|dims?|hw|res(olution)?)|(size|shape)_?(in(put)?|x)"
)
SIDE = re.compile(r"((in(put)?|im(age|g)|x)_?)?(?P<side>h(eight)?|w(idth)?)(_?in(put)?)?")


def asks_for_more(kind: type) -> bool:
    """Whether a class has arguments that torch's has not, and that it may insist on."""
    for p in parameters_of(kind) or ():
        name = p.name.lower().strip("_")
        if SIZE.fullmatch(name) or (p.default is p.empty and not meaning(name, MEANINGS)):
            return True
    return False


def size_of_input(parameter: inspect.Parameter, among: list, shape: tuple | None, example):
    """What an argument for the size of the input gets, which is of `shape`, in the form of `example`; None if the
    argument is for something else, such as the number of channels.
    """
    name = parameter.name.lower().strip("_")
    if shape is None or (parameter.default is not parameter.empty and example in (None, parameter.default)):
        return None
    if match := SIDE.fullmatch(name):
        return shape[2] if match["side"][0] == "h" else shape[3]
    others = [
        p
        for p in among
        if p is not parameter and meaning(p.name, ("in_channels",)) and not SIZE.fullmatch(p.name.lower())
    ]
    if not SIZE.fullmatch(name) or not (others or isinstance(example, tuple | list) or "shape" in name):
        return None
    if isinstance(example, int):
        return shape[2]
    length = len(example) if isinstance(example, tuple | list) else 2 if others else 3
    return type(example)(shape[-length:]) if isinstance(example, list) else tuple(shape[-length:])


def build(kind: type, given: dict, defaults: dict, seen: dict | None = None):
    """An object of `kind` from arguments under torch's names; `defaults` are torch's own, which may be left out.
    What else it insists on is as the submission's author gives it (`seen`, by its own names), but for the size of the
    input, which is `given` as "input_shape".

    Raises what the constructor raises for the arguments as they are meant; Unsupported if it has no argument for one.
    """
    given, seen = dict(given), seen or {}
    shape = given.pop("input_shape", None)
    parameters = parameters_of(kind)
    if parameters is None or any(p.kind is p.VAR_POSITIONAL for p in parameters):
        names = torchs_order(given, defaults)
        count = max((number for number, name in enumerate(names, 1) if name in given), default=0)
        return kind(*[(defaults | given)[name] for name in names[:count]])
    by_name, positional, taken = {}, [], set()
    more, sizes = {}, set()  # what torch's have no name for; which of it are sizes of the input
    known = given.keys() | defaults.keys()
    if len(parameters) == 1 and (settings := configured(seen.get(parameters[0].name), given, defaults)) is not None:
        return kind(settings)
    names = {parameter.name for parameter in parameters}
    for parameter in parameters:
        own = meaning(parameter.name, known)
        own = parameter.name if parameter.name in known else None if own in names else own  # torch's own name first
        if (size := size_of_input(parameter, parameters, shape, seen.get(parameter.name))) is not None:
            more[parameter.name] = size
            sizes.add(parameter.name)
            taken |= {"in_channels"} if isinstance(size, tuple | list) and len(size) > 2 else set()
            continue
        if component := side_of(parameter.name, given, defaults):
            whole, side = component
            taken.add(whole)
            by_name[parameter.name] = paired(given.get(whole, defaults.get(whole)))[side]
            continue
        if isinstance(parameter.default, tuple) and len(parameter.default) == 2:
            given = given | {own: paired(given[own])} if own in given else given
            defaults = defaults | {own: paired(defaults[own])} if own in defaults else defaults
        if parameter.kind is parameter.VAR_KEYWORD:
            by_name |= {name: value for name, value in given.items() if name not in taken}
            taken |= set(given)
        elif own in given and own not in taken:
            taken.add(own)
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(given[own])
            else:
                by_name[parameter.name] = given[own]
        elif own in defaults and own not in taken and parameter.default not in (parameter.empty, defaults[own]):
            taken.add(own)
            by_name[parameter.name] = defaults[own]  # its own default is not torch's
        elif is_pair_of_channels(parameter, given, taken):
            taken |= {"in_channels", "out_channels"}
            by_name[parameter.name] = given["in_channels"], given["out_channels"]
        elif parameter.default is parameter.empty:
            if own in defaults and own not in taken:
                by_name[parameter.name] = defaults[own]
            else:
                more[parameter.name] = filling(parameter, seen)
    left = [name for name in given if name not in taken and given[name] != defaults.get(name, ...)]
    if left == ["in_channels"] and "out_channels" in taken:
        return kind(*positional, **by_name, **more)  # its weights are made for what comes to it
    if left:
        certain = {name: value for name, value in more.items() if name in sizes or not isinstance(value, int | None)}
        return in_order(kind, parameters, given, defaults, left, certain)
    return kind(*positional, **by_name, **more)


def configured(example, given: dict, defaults: dict):
    """Settings as the author gives them all in one, a dictionary or an object, with what is given in their places;
    None if that is something else.
    """
    settings = copy.copy(example)
    inside = settings if isinstance(settings, dict) else getattr(settings, "__dict__", {})
    known = {name: own for name in inside if isinstance(name, str) and (own := meaning(name, given | defaults))}
    if not {"in_channels", "out_channels"} <= set(known.values()):
        return None
    own = {name: (defaults | given)[own] for name, own in known.items()}
    own |= {name: value for name, value in given.items() if name not in known.values()}
    for name, value in own.items():
        settings.__setitem__(name, value) if settings is inside else setattr(settings, name, value)
    return settings


SIDES = {
    "kernel_size": r"(k(er(nel)?)?|filter)_?(size_?)?",
    "stride": r"(d|s|stride|step)_?",
    "padding": r"(p|pad(ding)?)_?",
}


def side_of(name: str, given: dict, defaults: dict) -> tuple[str, int] | None:
    """(torch's name, 0 for the vertical or 1 for the horizontal side) for arguments such as kW and stride_h."""
    for whole, pattern in SIDES.items():
        match = re.fullmatch(rf"{pattern}(h|w|x|y|height|width)", name.lower())
        if match and (whole in given or whole in defaults):
            return whole, int(match.groups()[-1][0] in "wx")
    return None


def paired(value):
    """A size as the pair that a class with pairs for defaults expects."""
    return (value, value) if isinstance(value, int) and not isinstance(value, bool) else value


def is_pair_of_channels(parameter: inspect.Parameter, given: dict, taken: set) -> bool:
    named = re.fullmatch(
        r"((nb|num|n)_?)?(ch(an(nel)?s?)?|features?|maps|dims?|shape|sizes?|in_?out)", parameter.name.lower()
    )
    return bool(named) and {"in_channels", "out_channels"} <= given.keys() - taken


def in_order(kind: type, parameters: list, given: dict, defaults: dict, left: list[str], certain: dict):
    """The same when names tell too little: the arguments whose names say nothing are torch's, in torch's order; or
    else all that are required are. What is `certain` is given as it is.
    """
    parameters = [p for p in parameters if p.name not in certain]
    needed = [value for name, value in given.items() if name not in defaults]
    named = {own: p.name for p in reversed(parameters) if (own := meaning(p.name, MEANINGS))}
    others = {p.name for p in parameters if p.default is not p.empty}  # its own defaults may not be torch's
    by_name = {named[own]: value for own, value in defaults.items() if named.get(own) in others}
    by_name |= {named[own]: value for own, value in given.items() if own in named}
    silent = [p.name for p in parameters if p.name not in named.values() and is_number(p)]
    rest = [own for own in torchs_order(given, defaults) if own not in named][: len(silent)]
    if set(left) <= {*rest, *named}:
        both = defaults | given
        return kind(**by_name, **{name: both[own] for name, own in zip(silent, rest, strict=False)}, **certain)
    if len(required(kind)) == len(needed) and not certain and not set(left) & set(defaults):
        return kind(*needed, **{p: value for p, value in by_name.items() if named and p in optional(parameters)})
    raise Unsupported(f"{kind.__name__} has no argument for {', '.join(left)}")


def torchs_order(given: dict, defaults: dict) -> list[str]:
    """Torch's names in torch's order, whether they are given or not."""
    return [*(name for name in given if name not in defaults), *defaults]


def is_number(parameter: inspect.Parameter) -> bool:
    """Whether an argument may be a number of channels, a size, a stride."""
    kinds = parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY
    return parameter.kind in kinds and (parameter.default is parameter.empty or type(parameter.default) is int)


def optional(parameters: list) -> list[str]:
    return [p.name for p in parameters if p.default is not p.empty]


def filling(parameter: inspect.Parameter, seen: dict | None = None):
    """Something to give to an argument that is insisted on: what the author gives it, else something harmless."""
    if parameter.name in (seen or {}):
        with contextlib.suppress(Exception):
            return copy.deepcopy(seen[parameter.name])
        return seen[parameter.name]
    for pattern, value in FILLINGS:
        if re.fullmatch(pattern, parameter.name.lower()):
            return value
    return None
