"""The loss against torch's."""

import torch
from torch import Tensor

from ..context import Grading
from ..registry import Failed, Missing, Unjudged, check
from ..sandbox.child import Raised
from . import cases
from .compare import mismatch
from .factors import factor_of, loss_factor
from .judging import descends, name_of, trains, unless_it_trains

SHAPE = (3, 2, 4, 5)


def compared(g: Grading) -> Tensor:
    """What the loss is asked to compare: a prediction and a target, in one tensor."""
    return torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(g.inputs_seed))


def loss(g: Grading) -> dict[str, tuple[object, Tensor]]:
    """(got, expected) of MSE's forward and backward on random tensors."""
    if name_of(g, "MSE") is None:
        raise Missing("the submission has no MSE")
    prediction, target = compared(g)
    theirs = prediction.double().requires_grad_()
    value = torch.nn.functional.mse_loss(theirs, target.double())
    value.backward()
    for role in cases.CORE:  # how tensors are passed is found there
        if name_of(g, role):
            g.once(cases.sweep, role)
            break
    try:
        mse = g.session.loss()
        got = mse.forward(prediction, target)
    except Raised as raised:
        raise unless_it_trains(g, raised) from None
    got = torch.tensor(got) if isinstance(got, float) else got
    got = got.reshape(()) if isinstance(got, Tensor) and got.numel() == 1 else got
    try:
        gradient = mse.gradient()
    except Raised as raised:
        gradient = raised
    if not isinstance(gradient, Tensor):
        found = through_a_network(g, prediction, target)
        gradient = gradient if found is None else found
    return {"forward": (got, value.detach()), "backward": (gradient, theirs.grad)}


def through_a_network(g: Grading, prediction: Tensor, target: Tensor) -> Tensor | None:
    """The gradient that a loss hands to a network, where it returns none itself; None if that shows nowhere."""
    try:
        found = g.session.loss().gradient_in_a_network(prediction, target)
    except Raised:
        return None
    return found if isinstance(found, Tensor) else None


@check("optimiser", needs=("api.imports",))
def mse_forward(g: Grading):
    """MSE.forward is the mean of the squared differences over all elements"""
    if found := mismatch(*g.once(loss)["forward"], g.config["tolerance"]["absolute"]):
        raise Failed(f"MSE on 3×2×4×5: {found.message}", "Is it the mean over all elements, as torch's?")


@check("optimiser", needs=("api.imports",))
def mse_backward(g: Grading):
    """MSE.backward returns the gradient of what forward gives"""
    tolerance = g.config["tolerance"]["absolute"] / 10  # the gradient's values are of order 1/120
    got, expected = g.once(loss)["backward"]
    if found := mismatch(got, expected, tolerance):
        if isinstance(got, Raised) and g.once(trains):
            raise unless_it_trains(g, got)
        if got is None:
            raise Unjudged("MSE.backward returns no gradient, and none was found on the prediction or in a network")
        factor = None if found.got is None else factor_of(found.got, expected, tolerance)
        if g.once(takes_target_first) or is_of_its_own_value(g, factor):
            return
        cause = got.cause if isinstance(got, Raised) else None
        raise Failed(f"MSE on 3×2×4×5: {found.message}", hint_of_factor(g, factor) if factor else "", cause=cause)
    unless_it_spoils(g, tolerance)


SPOILS = ("the loss changes its prediction",)


def unless_it_spoils(g: Grading, tolerance: float) -> None:
    """Failed if the Sigmoid before it gives another gradient than it does behind a copy of what it gave: the loss has
    changed the prediction, which the Sigmoid had saved.
    """
    if name_of(g, "Sigmoid") is None:
        return
    x, target = compared(g)
    theirs = x.double().requires_grad_()
    torch.nn.functional.mse_loss(theirs.sigmoid(), target.double()).backward()
    try:
        spoilt, alone = (
            mismatch(g.session.loss().behind(g.session.driven("Sigmoid"), x, target, copied), theirs.grad, tolerance)
            for copied in (False, True)
        )
    except Raised:
        return  # it was judged by itself
    if spoilt and not alone:
        raise Failed(
            f"MSE behind Sigmoid, the gradient of Sigmoid's input: {spoilt.message}; it is right behind a copy",
            "Does MSE change the prediction, which Sigmoid saved for its backward, by a method ending in _, or -=?",
            cause=SPOILS,
        )


def takes_target_first(g: Grading) -> bool:
    """Whether the loss takes the target first although no name tells: the gradient is minus the right one, and yet
    training goes down.
    """
    got, expected = g.once(loss)["backward"]
    if not isinstance(got, Tensor) or mismatch(*g.once(loss)["forward"], g.config["tolerance"]["absolute"]):
        return False
    return mismatch(-got, expected, g.config["tolerance"]["absolute"] / 10) is None and g.once(descends)


def is_of_its_own_value(g: Grading, factor: float | None) -> bool:
    """Whether forward is off by the same factor: that is one mistake, which is told there."""
    value, mean = g.once(loss)["forward"]
    if factor is None or not isinstance(value, Tensor) or value.numel() != 1:
        return False
    return abs(float(value) / (factor * float(mean)) - 1) < 1e-3


def hint_of_factor(g: Grading, factor: float) -> str:
    """What a gradient says that is `factor` times what it should be, in the light of what forward gave."""
    name = loss_factor(factor, SHAPE, 1e-3) or f"{factor:.4g}"
    if mismatch(*g.once(loss)["forward"], g.config["tolerance"]["absolute"]) is None:
        return f"It is {name} times what it should be: forward and backward disagree; is it the gradient of the mean?"
    return f"It is {name} times what it should be: is it the gradient of another sum than the mean over all elements?"
