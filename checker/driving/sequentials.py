"""The ways in which submissions put modules one after the other."""

import contextlib
import copy
import functools
import inspect
from collections import OrderedDict

import torch
from torch import Tensor

from . import tensors
from .building import build, filling, meaning, parameters_of, required
from .functional import Functional
from .manners import Spy
from .methods import has, method


def appended(kind: type, raws: list):
    """An empty network to which the modules are added one by one, or put into the only list that it has."""
    net = build(kind, {}, {})
    for name in ("add", "append", "add_module", "add_layer", "appendLayer", "append_layer"):
        method = getattr(net, name, None)
        if callable(method):
            for raw in raws:
                method(raw)
            return net
    empty = [value for value in vars(net).values() if isinstance(value, list) and not value]
    if len(empty) == 1:
        empty[0].extend(raws)
        return net
    raise LookupError("there is no method to add a layer with")


def with_a_loss(driver, kind: type, raws: list):
    """A network that is built from its modules and the loss that it is trained with."""
    parts = {"layers": list(raws)}
    if (loss := driver.known("MSE")) and not required(loss[1]):
        parts["loss"] = loss[1]()
    return build(kind, parts, {})


def filled(kind: type, layers):
    """A network that insists on something else as well, such as a name: its layers go where nothing else fits."""
    wanted = required(kind)
    starred = any(p.kind is p.VAR_POSITIONAL for p in parameters_of(kind) or ())
    places = [p.name for p in wanted if meaning(p.name, ("layers",))] or [
        p.name for p in wanted if filling(p) is None
    ]
    place = None if starred else next(iter(places))
    given = [layers if p.name == place else filling(p) for p in wanted]
    return kind(*given, *(layers if starred else ()))


def named(raws: list) -> list[tuple[str, object]]:
    """The modules with names, none of which is a name of two."""
    return [(f"{type(raw).__name__.lower()}{i}", raw) for i, raw in enumerate(raws)]


def as_its_author(driver, kind: type, raws: list):
    """With all that the Model gives to its network, where its layers are in it: an optimiser of ours at a rate of 1
    in the place of one, and what is called on the network afterwards, such as add() and compile().
    """
    made = driver.usage.first(kind)
    if made is None:
        raise LookupError("the Model makes none")
    placed = any(is_layer(driver, item) for value in made.given.arguments.values() for item in items(value))
    given = {name: in_place(driver, value, raws) for name, value in made.given.arguments.items()}
    bound = inspect.BoundArguments(made.given.signature, OrderedDict(given))
    net = kind(*bound.args, **bound.kwargs)
    for name, args, kwargs in made.calls:
        adds = any(is_layer(driver, value) for value in args)
        for raw in raws if adds and not placed else () if adds else (None,):
            own = [raw if is_layer(driver, value) else ours(driver, value) for value in args]
            with contextlib.nullcontext() if adds else contextlib.suppress(Exception):
                getattr(net, name)(*own, **{key: ours(driver, value) for key, value in kwargs.items()})
        placed |= adds
    return net


def items(value) -> list:
    """What lies in a list or dictionary, and beside a name in it."""
    found = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
    return [one[-1] if isinstance(one, tuple | list) and len(one) == 2 else one for one in found]


def is_layer(driver, value) -> bool:
    others = [found[1] for role in ("MSE", "SGD") if (found := driver.known(role))]
    own = driver.classes.is_own(type(value)) and type(value) not in others
    return own and has(value, "forward") and has(value, "backward")


def in_place(driver, value, raws: list):
    """What the author gives for one argument, with our modules where theirs are."""
    if not any(is_layer(driver, item) for item in items(value)):
        return ours(driver, value)
    if isinstance(value, dict):
        return dict(named(raws))
    if not isinstance(value, list | tuple):
        return raws[0]
    places = [i for i, one in enumerate(value) if any(is_layer(driver, item) for item in items([one]))]
    head = [ours(driver, one) for i, one in enumerate(value[: places[-1]]) if i not in places]
    tail = [ours(driver, one) for one in value[places[-1] + 1 :]]  # such as a loss
    return type(value)([*head, *(named(raws) if isinstance(value[places[-1]], tuple | list) else raws), *tail])


def ours(driver, value):
    """A thing like the author's, apart from it."""
    optimiser = driver.known("SGD")
    if optimiser and isinstance(value, optimiser[1]):
        return build(optimiser[1], {"lr": 1.0}, {"momentum": 0.0, "weight_decay": 0.0})
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


def in_form(raws: list, form) -> list:
    """The modules, those that are plain functions as their network takes them."""
    return [form(raw) if isinstance(raw, Functional) else raw for raw in raws]


SEQUENTIALS = (
    lambda driver, kind, raws: kind(*raws),
    lambda driver, kind, raws: kind(list(raws)),
    lambda driver, kind, raws: kind(named(raws)),
    lambda driver, kind, raws: kind(*named(raws)),
    lambda driver, kind, raws: kind(dict(named(raws))),
    lambda driver, kind, raws: kind(**dict(named(raws))),
    lambda driver, kind, raws: appended(kind, raws),
    with_a_loss,
    as_its_author,
    lambda driver, kind, raws: filled(kind, list(raws)),
    lambda driver, kind, raws: filled(kind, dict(named(raws))),
)
SEQUENTIALS += tuple(
    lambda driver, kind, raws, build=build, form=form: build(driver, kind, in_form(raws, form))
    for build in SEQUENTIALS[:2]
    for form in (lambda one: one.function, lambda one: (one.function, one.gradient_function))
)
AS_ITS_AUTHOR = SEQUENTIALS.index(as_its_author)


def way_to_put_together(driver, kind: type) -> int:
    """The first way of building a network in which two activations do what they do one after the other; else the
    first in which they give something of the right shape.
    """
    roles = [role for role in ("ReLU", "Sigmoid") if driver.known(role)] * 2
    wrapped = driver.manners["ReLU"].wrapped if "ReLU" in driver.manners else False
    fitting = []
    for in_own_class in dict.fromkeys((wrapped, driver.tensor_class is not None)):
        for way, build_in in enumerate(SEQUENTIALS):
            with contextlib.suppress(Exception):
                layers = [driver.raw(role, [], {}) for role in roles[:2]]
                net = build_in(driver, kind, layers)
                y = output(driver, [net], in_own_class)
                if isinstance(y, Tensor) and y.shape == X.shape:
                    fitting.append(way)
                    if torch.equal(y, output(driver, layers, in_own_class)):
                        return way
    return next(iter(fitting), 0)


X = torch.linspace(-1, 1, 18).reshape(1, 2, 3, 3)


def output(driver, layers: list, in_own_class: bool):
    """What the last of some modules gives for X, each of them taking what the one before it gives."""
    driver.begin()
    y = driver.tensor(X.clone(), in_own_class)
    for layer in layers:
        y = driver.companions.output(layer, y)
    return tensors.unwrap(y)


@functools.cache
def backward_takes_target(driver, way: int | None) -> bool:
    """Whether the backward of a network, built in this way, compares what it is given with its output: its only
    layer, which gives what it gets, is handed zeros where both are equal, and something else where they are not.
    """
    handed = []
    with contextlib.suppress(Exception):
        for factor in (1, 2):
            layer = driver.raw("ReLU", [], {})
            net, spy = SEQUENTIALS[way](driver, driver.class_of("Sequential")[1], [layer]), Spy(layer)
            driver.begin()
            y = driver.companions.output(net, driver.tensor(X.abs()))
            method(net, "backward")(factor * y)
            driver.unpaired = None
            handed.append(spy.given)
    compared = len(handed) == 2 and all(isinstance(gradient, Tensor) for gradient in handed)
    return compared and not handed[0].any() and bool(handed[1].any())
