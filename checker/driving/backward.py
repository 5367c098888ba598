"""The ways to ask a driven module or network for gradients, given one of its output: a function for each."""

import re

from torch import Tensor

from . import starters, tensors
from .attributes import awaited
from .building import MEANINGS, parameters_of, required
from .manners import proportion
from .methods import has, method, usual_name_of
from .stepping import Weights, at_rate


def back_module(driven, target, grad_y: Tensor):
    """With the gradient; and with the input, with what forward returned besides, or with a learning rate, where a
    module wants that as well. Where a network wants the target, with that.
    """
    if driven.wants_target:
        driven.driver.note("sequential_target", "Sequential.backward takes the target rather than the gradient")
        return back_target(driven, target, grad_y)
    grad_y = driven.driver.tensor(grad_y, driven.manner.wrapped, tensors.unwrap(driven.output).dtype)
    if callable(driven.cache) and not usual_name_of(target, "backward"):
        driven.driver.note("pullback", "forward returns a function for the gradient")
        return kept_apart(driven, driven.cache(grad_y))
    named = [p.name.lower() for p in required(method(target, "backward"))]
    optional = [p.name for p in parameters_of(method(target, "backward")) or () if p.default is not p.empty]
    if rate := next((name for name in optional if RATE.fullmatch(name.lower())), None):
        return updating(driven, target, grad_y, rate)
    if len(named) < 2:
        return kept_apart(driven, method(target, "backward")(grad_y))
    if RATE.fullmatch(named[1]):
        return updating(driven, target, grad_y)
    other = driven.cache if driven.cache is not None else driven.input
    first_is_gradient = [bool(GRADIENT.search(name)) for name in named[:2]] != [False, True]
    return kept_apart(
        driven, method(target, "backward")(*((grad_y, other) if first_is_gradient else (other, grad_y)))
    )


GRADIENT = re.compile(r"grad|dl|^d|err|delta|loss")
RATE = re.compile(MEANINGS["lr"])


def kept_apart(driven, returned):
    """The gradient of the input in what backward returned; what stands beside it is kept, for it may be theirs."""
    if isinstance(returned, tuple | list) and len(returned) > 1 and isinstance(returned[0], Tensor):
        driven.beside = returned[1:]
        driven.driver.note("beside", "backward returns the parameters' gradients beside the input's")
        return returned[0]
    return returned


def updating(driven, target, grad_y: Tensor, rate: str = ""):
    """A backward that steps at once: with a rate of 1, its second argument or the one of this name, the change of a
    parameter is its gradient.
    """
    weights = Weights(driven)
    function = method(target, "backward")
    returned = function(grad_y, **{rate: 1.0}) if rate else function(grad_y, 1.0)
    weights.take()
    driven.driver.note("updates", "backward takes the learning rate and steps at once")
    return returned


def asked(driven, target, grad_y: Tensor):
    """What the manner's own way of asking for gradients returns. A module that has moved its weights then is run once
    more: with a rate of 1 of its own, of its optimiser or of all.
    """
    way = WAYS[driven.manner.back]
    weights = Weights(driven)
    if not driven.places.get("steps"):
        returned = way(driven, target, grad_y)
        if not weights.moved():
            return returned
        weights.put_back()
        driven.again()
    with at_rate(driven, [target, *driven.raws()]) as has_rate:
        returned = way(driven, target, grad_y)
    if weights.moved():
        if not has_rate:
            weights.put_back()
            raise driven.driver.Undriven("its backward changes the weights, by a rate that was not found")
        weights.take()
        driven.places["steps"] = True
        driven.driver.note("updates", "backward steps at once")
    return returned


def back_output(driven, target, grad_y: Tensor):
    if isinstance(driven.output, Tensor):
        raise driven.driver.Undriven("the output is a plain tensor, which has no backward of its own")
    if not usual_name_of(driven.output, "backward"):
        return seeded(driven, grad_y)
    try:
        return method(driven.output, "backward")(grad_y)
    except TypeError:
        return method(driven.output, "backward")(
            driven.driver.tensor(grad_y, True, tensors.unwrap(driven.output).dtype)
        )


def seeded(driven, grad_y: Tensor):
    """What a start of a backward returns that is outside the output and takes its gradient (starters.py)."""
    asked, keep = starters.asked_of(driven)
    driven.driver.companions.close()
    seed = grad_y.to(tensors.unwrap(driven.output).dtype)
    started = starters.start(driven.driver, driven.output, [driven.input], asked, seed)
    if not started:
        raise driven.driver.Undriven("nothing starts a backward from the output with a gradient")
    keep(*started)
    return started[1][0]


def back_bare(driven, target, grad_y: Tensor):
    driven.output.grad = grad_y.clone()
    return method(target, "backward")()


def back_set(driven, target, grad_y: Tensor):
    """With the gradient as an attribute of the module, or of the last one of a network."""
    if required(method(target, "backward")):
        raise driven.driver.Undriven("its backward takes an argument")
    output = tensors.unwrap(driven.output)
    grad_y = driven.driver.tensor(grad_y, driven.manner.wrapped, output.dtype)
    for holder in (target, driven.raws()[-1]):
        key = "awaited", type(holder)
        if key not in driven.places:
            driven.places[key] = awaited(holder, output)
        for name in driven.places[key]:
            setattr(holder, name, grad_y)
        if driven.places[key]:
            return method(target, "backward")()
    raise driven.driver.Undriven("its backward reads no attribute that is meant for the gradient")


def back_loss(driven, target, grad_y: Tensor):
    """Through the submission's own loss, with the target for which the mean square's gradient is `grad_y`."""
    y, returned = called_loss(driven, target, grad_y)
    handed_on = isinstance(returned, Tensor) and returned.shape == y.shape and has(target, "backward")
    if handed_on and not (driven.spy and driven.spy.called):
        return method(target, "backward")(driven.driver.tensor(grad_y, driven.manner.wrapped, y.dtype))
    return returned


def back_handed(driven, target, grad_y: Tensor):
    """With the loss in place of the gradient, which a network's backward then asks it for."""
    y, loss = tensors.unwrap(driven.output), called(driven, target, grad_y)
    returned = method(target, "backward")(loss.raw)
    note_scale(driven, y, grad_y)
    return returned


def back_target(driven, target, grad_y: Tensor):
    """With the target for which the mean square's gradient is `grad_y`: the network computes its loss by itself."""
    y = tensors.unwrap(driven.output)
    wanted = target_of(y, grad_y)
    returned = method(target, "backward")(driven.driver.tensor(wanted, driven.manner.wrapped, y.dtype))
    note_scale(driven, y, grad_y)
    return returned


def target_of(y: Tensor, grad_y: Tensor) -> Tensor:
    """The target for which the gradient of the mean square at `y` is `grad_y`."""
    return y - grad_y.to(y.dtype) * (y.numel() / 2)


def back_left(driven, target, grad_y: Tensor):
    """The loss leaves its gradient on the output, from where the module's own backward takes it."""
    called_loss(driven, target, grad_y)
    return method(target, "backward")()


def called_loss(driven, target, grad_y: Tensor) -> tuple[Tensor, object]:
    """(output, what the loss's backward returned)"""
    y = tensors.unwrap(driven.output)
    returned = called(driven, target, grad_y).backward(target)
    note_scale(driven, y, grad_y)
    return y, returned


def called(driven, target, grad_y: Tensor):
    """The loss after its forward with the target for which the mean square's gradient is `grad_y`."""
    y = tensors.unwrap(driven.output)
    loss = driven.driver.loss(driven.manner.wrapped, target)
    loss.driven = driven
    loss.forward(driven.output, target_of(y, grad_y))
    return loss


def note_scale(driven, y: Tensor, grad_y: Tensor) -> None:
    """Keep in `driven.scale` how the gradient that came from the loss compares with the one that was meant."""
    seen = driven.spy.given if driven.spy else None
    if not isinstance(seen, Tensor):
        seen = tensors.gradient_of(driven.output, y)
    driven.scale = proportion(seen, grad_y)


WAYS = {
    "module": back_module, "output": back_output, "bare": back_bare, "loss": back_loss, "left": back_left,
    "handed": back_handed, "set": back_set,
}  # fmt: skip
