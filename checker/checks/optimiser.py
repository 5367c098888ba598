"""The optimiser against torch's."""

import contextlib

import torch
from torch import Tensor

from ..context import Grading
from ..registry import Failed, Follows, NotApplicable, Unjudged, check
from ..results import FAILED, UNJUDGED
from ..sandbox.child import Raised
from . import cases
from .compare import Mismatch, mismatch
from .factors import factor_of
from .judging import conventions, name_of, ready, trains, unless_it_trains, with_parameters
from .steppers import Step, told_apart

STEPS = 3


def steps(g: Grading, one: cases.Case, **options) -> list[Step]:
    """Weight and bias before and after a few steps of the optimiser along the gradients that the module has, so that
    it is judged for itself, beside torch's.
    """
    own, given = ready(g, one)
    own.zero_grad()
    own.forward(given.x)
    own.backward(given.cotangent)
    cases.gradients(own, given)  # now it is known where they are
    optimiser = g.session.optimiser(own, **options)
    before = own.parameters()
    expected = {name: value.double() for name, value in before.items()}
    first: dict[str, Tensor] = {}
    velocities = {name: torch.zeros_like(value) for name, value in expected.items()}
    for i in range(STEPS):
        own.zero_grad()
        own.forward(given.x)
        own.backward(given.cotangent)
        gradients = cases.gradients(own, given)
        for name, value in expected.items():
            gradient = gradients[f"grad_{name}"]
            if not isinstance(gradient, Tensor):
                raise Follows(grad_check(one, name))
            torch_step(value, gradient.double().reshape(value.shape), velocities[name], **options)
        optimiser.step()
        first = own.parameters() if i == 0 else first
    if not any(velocity.any() for velocity in velocities.values()):
        raise Follows(grad_check(one, "weight"))
    after = own.parameters()
    return [Step(name, before[name], first.get(name), after.get(name), value) for name, value in expected.items()]


def grad_check(one: cases.Case, name: str) -> str:
    prefix = {"Conv2d": "conv2d", "TransposeConv2d": "transposed", "NearestConv": "nearest_conv"}[one.module]
    return f"modules.{prefix}_grad_{name}"


def torch_step(
    parameter: Tensor, gradient: Tensor, velocity: Tensor, lr: float, more: dict | None = None, **_
) -> None:
    """What torch.optim.SGD does in a step, which itself would import torch's compiler for two seconds."""
    velocity.mul_((more or {}).get("momentum", 0.0)).add_(gradient)
    parameter.sub_(lr * velocity)


def all_steppable(g: Grading) -> list[cases.Case]:
    """A case of each kind of convolution whose backward runs, and so gives a gradient to step along."""
    running = {}
    for one in with_parameters(g):
        for outcome in g.once(cases.sweep, one.module):
            if isinstance(outcome.got["grad_input"], Tensor | None):
                running.setdefault(one.module, outcome.case)
    if not running:
        raise Follows("modules.conv2d_grad_input")
    return list(running.values())


def judge_steps(g: Grading, hint: str = "", **options) -> None:
    if name_of(g, "SGD") is None and "updates" not in conventions(g)["notes"]:
        return own_step(g)
    tolerance = g.config["tolerance"]["absolute"]
    flat = options | options.get("more", {})
    settings = ", ".join(f"{key}={value}" for key, value in flat.items() if key != "more")
    try:
        taken = steps(g, g.once(all_steppable)[0], **options)
    except Raised:
        if "more" not in options and g.once(trains):  # so the Model has a way to use it that was not found
            return own_step(g)
        raise
    if all(isinstance(one.got, Tensor) and torch.equal(one.got, one.before) for one in taken) and g.once(trains):
        return own_step(g)
    if not wrong_of(taken, tolerance):
        return None
    note = told_apart(taken, STEPS) if "more" not in options else ""
    if right_otherwise(g, options):
        return None
    if note:
        return g.warn(note)
    for one in taken:
        if found := mismatch(one.got, one.expected, tolerance):
            if conventions(g)["tape"] and g.findings["optimiser.mse_backward"].status == FAILED:
                raise Follows("optimiser.mse_backward")  # all gradients come from the loss, and are as wrong
            message = f"{one.name} after {STEPS} steps of SGD({settings}): {found.message}"
            raise Failed(message, hint or hint_of_step(one.before.double(), found))
    return None


def wrong_of(taken: list[Step], tolerance: float) -> bool:
    return any(mismatch(one.got, one.expected, tolerance) for one in taken)


# For options of which no name tells what they are: left alone, adding nothing, factors, or one of each.
NEUTRAL = (), (0.0,), (1.0,), (0.0, 1.0), (1.0, 0.0)


def right_otherwise(g: Grading, options: dict) -> bool:
    """Whether the steps are right if the optimiser is built in any other way in which it may be meant to be."""
    for neutral in NEUTRAL:
        for way in range(conventions(g)["optimiser_ways"]):
            with contextlib.suppress(Raised):
                taken = steps(g, g.once(all_steppable)[0], way=way, neutral=neutral, **options)
                if not wrong_of(taken, g.config["tolerance"]["absolute"]):
                    return True
    return False


def of_the_model(g: Grading) -> dict:
    """What is seen of a step of the Model's own training."""
    return g.session.own_step()


def own_step(g: Grading) -> None:
    """Where a submission has no optimiser of its own but steps in its Model: that one step of its train() goes along
    the gradients that its layers hold afterwards, for all weights at one rate.
    """
    found = g.once(of_the_model)["steps"]
    if not found:
        raise Unjudged("no way was found to use an SGD, and no step of the Model's train() could be followed")
    rates = []
    for moved, gradient in found:
        moved, gradient = moved.double().flatten(), gradient.double().flatten()
        power = float(gradient @ gradient)
        rate = -float(moved @ gradient) / power if power else 0.0
        if rate <= 0 or (moved + rate * gradient).abs().max() > 1e-3 * moved.abs().max():
            raise Unjudged("no way was found to use an SGD, and train() does not step along the layers' gradients")
        rates.append(rate)
    if max(rates) > 1.01 * min(rates):
        raise Failed("a step of train() goes along the gradients at different rates for different weights")


def hint_of_step(before: Tensor, found: Mismatch) -> str:
    if found.got is None:
        return ""
    if torch.equal(found.got, before):
        return "The weights did not move: does step() change those that forward uses, in place?"
    factor = factor_of(found.got - before, found.expected - before, 1e-3)
    if factor is None:
        return ""
    if abs(factor + 1) < 1e-3:
        return "The step goes up the gradient: is it weight -= lr * gradient?"
    return f"The step is {factor:.3g} times what it should be: is lr the one that was given, and used once?"


@check("optimiser", needs=("api.imports",))
def sgd_step(g: Grading):
    """SGD's steps are torch's"""
    judge_steps(g, lr=0.05)


@check("optimiser", needs=("api.imports",))
def zero_grad(g: Grading):
    """zero_grad sets all gradients to zero"""
    for one in g.once(all_steppable):
        cleared_of(g, one)


def cleared_of(g: Grading, one: cases.Case) -> None:
    """Raise unless zero_grad sets the gradients of a module to zero."""
    own, given = ready(g, one)

    def once_more() -> dict[str, object]:
        own.forward(given.x)
        own.backward(given.cotangent)
        return cases.gradients(own, given)

    first = once_more()
    problem = None
    try:
        cleared = own.zero_grad_of_optimiser() or own.zero_grad()
    except Raised as raised:
        cleared, problem = False, raised
    if not cleared and not problem and name_of(g, "SGD"):
        with contextlib.suppress(Raised):
            g.session.optimiser(own, lr=0.0).step()  # some forget the gradients as soon as they have been used
    # What counts is that the next backward starts from zero, whatever is in between.
    second = once_more()
    for name, gradient in first.items():
        if not isinstance(gradient, Tensor):
            raise Follows(grad_check(one, name.removeprefix("grad_")))
        if found := mismatch(second[name], gradient.double(), g.config["tolerance"]["absolute"]):
            if name_of(g, "SGD") is None and g.once(of_the_model)["cleared"]:
                return
            if problem:
                raise unless_it_trains(g, problem)
            if not cleared:
                raise NotApplicable("there is no zero_grad, which the assignment does not name")
            if (step := g.findings.get("optimiser.sgd_step")) and step.status == UNJUDGED:
                raise Unjudged("no way was found to use its SGD, and so none to have that clear the gradients")
            hint = "Does it reach every gradient that param() lists?"
            raise Failed(f"{name} of a backward of {one} after zero_grad(): {found.message}", hint)


@check("beyond", needs=("optimiser.sgd_step",))
def momentum(g: Grading):
    """SGD with momentum takes torch's steps"""
    if name_of(g, "SGD") is None:
        raise NotApplicable("there is no SGD")
    hint = "Is a velocity kept for each parameter, from step to step?"
    judge_steps(g, hint, lr=0.05, more={"momentum": 0.9})
