"""The ways in which submissions put modules one after the other."""

import contextlib

import torch
from torch import Tensor

from . import tensors
from .building import build, filling, meaning, parameters_of, required
from .methods import all_of, call


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


SEQUENTIALS = (
    lambda driver, kind, raws: kind(*raws),
    lambda driver, kind, raws: kind(list(raws)),
    lambda driver, kind, raws: kind(named(raws)),
    lambda driver, kind, raws: kind(*named(raws)),
    lambda driver, kind, raws: kind(dict(named(raws))),
    lambda driver, kind, raws: kind(**dict(named(raws))),
    lambda driver, kind, raws: filled(kind, list(raws)),
    lambda driver, kind, raws: filled(kind, dict(named(raws))),
    lambda driver, kind, raws: appended(kind, raws),
    with_a_loss,
)


def way_to_put_together(driver, kind: type) -> int:
    """The first way of building a network in which two activations do what one does, and both are asked to; else the
    first in which the output has the size that it should.
    """
    wrapped = driver.manners["ReLU"].wrapped if "ReLU" in driver.manners else False
    x = torch.full((1, 2, 3, 3), 0.5)
    running = []
    for way, build_in in enumerate(SEQUENTIALS):
        for in_own_class in dict.fromkeys((wrapped, driver.tensor_class is not None)):
            with contextlib.suppress(Exception):
                asked = []
                raws = [driver.raw("ReLU", [], {}), driver.raw("ReLU", [], {})]
                net = build_in(driver, kind, raws)
                for raw in raws:
                    note_calls(raw, asked)
                driver.begin()
                y = tensors.unwrap(call(net, driver.tensor(x, in_own_class)))
                if isinstance(y, Tensor) and y.shape == x.shape:
                    running.append(way)
                    if len(set(asked)) == 2:
                        return way
    return next(iter(running), 0)


def note_calls(raw, asked: list) -> None:
    """Have the forward passes of a module noted by its place in memory."""
    for name in all_of(raw, "forward"):
        original = getattr(raw, name)

        def noted(*args, original=original, **kwargs):
            asked.append(id(raw))
            return original(*args, **kwargs)

        with contextlib.suppress(AttributeError):
            setattr(raw, name, noted)
