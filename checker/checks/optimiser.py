"""The loss and the optimiser: MSE and SGD against torch's."""

import contextlib
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ..context import Grading
from ..driving import adapt
from ..registry import Failed, check
from ..sandbox.child import Raised, SubmissionProblem
from ..sandbox.session import Remote
from . import cases, diagnosis
from .compare import Mismatch, mismatch

SHAPE = (3, 2, 4, 5)
STEPS = 3


def loss(g: Grading) -> dict[str, tuple[object, Tensor]]:
    """(got, expected) of MSE's forward and backward on random tensors."""
    generator = torch.Generator().manual_seed(g.seed)
    prediction, target = torch.randn(SHAPE, generator=generator), torch.randn(SHAPE, generator=generator)
    theirs = prediction.double().requires_grad_()
    value = torch.nn.functional.mse_loss(theirs, target.double())
    value.backward()
    mse = adapt.new(g.session, "MSE")
    got = mse.forward(prediction, target)
    got = torch.tensor(got) if isinstance(got, float) else got
    got = got.reshape(()) if isinstance(got, Tensor) and got.numel() == 1 else got
    return {
        "forward": (got, value.detach()),
        "backward": (adapt.loss_backward(mse, prediction, target), theirs.grad),
    }


@check("optimiser", needs=("api.imports",))
def mse_forward(g: Grading):
    """MSE.forward is the mean of the squared differences over all elements"""
    if found := mismatch(*g.once(loss)["forward"], g.config["tolerance"]["absolute"]):
        raise Failed(f"MSE on 3×2×4×5: {found.message}", "Is it the mean over all elements, as torch's?")


@check("optimiser", needs=("api.imports",))
def mse_backward(g: Grading):
    """MSE.backward returns the gradient of that mean"""
    tolerance = g.config["tolerance"]["absolute"] / 10  # the gradient's values are of order 1/120
    got, expected = g.once(loss)["backward"]
    if found := mismatch(got, expected, tolerance):
        factor = None if found.got is None else diagnosis.factor_of(found.got, expected, tolerance)
        raise Failed(f"MSE on 3×2×4×5: {found.message}", hint_of_factor(g, factor) if factor else "")


def hint_of_factor(g: Grading, factor: float) -> str:
    """What a gradient says that is `factor` times what it should be, in the light of what forward gave."""
    n, c, h, w = SHAPE
    names = {"−1": -1, "N": n, "H·W": h * w, "C·H·W": c * h * w, "N·C": n * c, "N·C·H·W": n * c * h * w, "half": 0.5}
    name = next((name for name, value in names.items() if abs(factor / value - 1) < 1e-3), f"{factor:.4g}")
    value, mean = g.once(loss)["forward"]
    right = mismatch(value, mean, g.config["tolerance"]["absolute"]) is None
    if right:
        return f"It is {name} times what it should be: forward and backward disagree; is it the gradient of the mean?"
    return f"It is {name} times what it should be: is it the gradient of another sum than the mean over all elements?"


# The optimiser ----------------------------------------------------------------------------------------


class Step(NamedTuple):
    """A parameter before and after some steps, and what it should be after them."""

    name: str
    before: Tensor
    got: object
    expected: Tensor


def steps(g: Grading, one: cases.Case, build: Callable[[], Remote], own: Remote, **options) -> list[Step]:
    """Weight and bias before and after a few steps of the optimiser along the gradients that param() lists, so that
    it is judged for itself, beside torch's.
    """
    given = cases.make(one, g.seed)
    before = {name: value for name in ("weight", "bias") if (value := parameter(g, own, given, name)) is not None}
    expected = {name: value.double() for name, value in before.items()}
    velocities = {name: torch.zeros_like(value) for name, value in expected.items()}
    optimiser = build()
    for _ in range(STEPS):
        with contextlib.suppress(Raised):  # there may be none, which is counted elsewhere
            zero_gradients(optimiser, own)
        own.forward(given.x)
        own.backward(given.cotangent)
        gradients = cases.gradients(own.param(), given)
        for name, value in expected.items():
            gradient = gradients[f"grad_{name}"]
            if not isinstance(gradient, Tensor):
                raise Failed(str(gradient) if gradient else f"param() lists no gradient of the {name}")
            torch_step(value, gradient.double().reshape(value.shape), velocities[name], **options)
        optimiser.step()
    if not any(velocity.any() for velocity in velocities.values()):
        raise Failed("there is nothing to step along: all gradients that param() lists are 0")
    return [Step(name, before[name], parameter(g, own, given, name), value) for name, value in expected.items()]


def parameter(g: Grading, module: Remote, given: cases.Given, name: str) -> Tensor | None:
    """The weight or bias of a module: its attribute, or else what param() lists."""
    value = adapt.attribute(g.session, module, name)[1]
    if value is None:
        listed = [p for p, _ in adapt.pairs(module.param()) if p.numel() == getattr(given, name).numel()]
        return listed[0] if listed else None
    return value


def torch_step(parameter: Tensor, gradient: Tensor, velocity: Tensor, lr: float, momentum: float = 0.0) -> None:
    """What torch.optim.SGD does in a step, which itself would import torch's compiler for two seconds."""
    velocity.mul_(momentum).add_(gradient)
    parameter.sub_(lr * velocity)


def zero_gradients(optimiser: Remote, module: Remote) -> None:
    """zero_grad of the optimiser, or of the module where only that has one."""
    adapt.first(lambda: optimiser.zero_grad(), lambda: module.zero_grad())


def in_any_way(g: Grading, judge: Callable, **options):
    """judge(case, build, conv), with SGD built the first way that works: as the assignment says, or a common
    variant; `case` is one in which the convolution's backward runs.
    """
    if "SGD" not in g.session.loaded:
        raise Failed("model.py defines no SGD")
    outcomes = g.once(cases.sweep, "Conv2d") if adapt.name_of(g.session, "Conv2d") else []
    one = next((o.case for o in outcomes if isinstance(o.got["grad_input"], Tensor | None)), None)
    if one is None:
        raise Failed("there is no Conv2d whose backward runs, and so no gradient to step along")

    def attempt(i: int):
        own = adapt.new(g.session, one.module, *one.args, **dict(one.options))
        in_a_net = "Sequential" in g.session.loaded  # as it is used, and as nested lists of parameters need it
        net = adapt.sequential(g.session, own) if in_a_net else own
        return judge(one, lambda: adapt.optimiser(g.session, i, net, **options), own)

    return adapt.first(*(lambda i=i: attempt(i) for i in range(adapt.OPTIMISERS)))


def judge_steps(g: Grading, hint: str = "", **options) -> None:
    tolerance = g.config["tolerance"]["absolute"]
    settings = ", ".join(f"{key}={value}" for key, value in options.items())
    for name, before, got, expected in in_any_way(g, lambda *given: steps(g, *given, **options), **options):
        if found := mismatch(got, expected, tolerance):
            message = f"{name} after {STEPS} steps of SGD({settings}): {found.message}"
            raise Failed(message, hint or hint_of_step(before.double(), found))


def hint_of_step(before: Tensor, found: Mismatch) -> str:
    if found.got is None:
        return ""
    if torch.equal(found.got, before):
        return "The weights did not move: does step() change those that forward uses, in place?"
    factor = diagnosis.factor_of(found.got - before, found.expected - before, 1e-3)
    if factor is None:
        return ""
    if abs(factor + 1) < 1e-3:
        return "The step goes up the gradient: is it weight -= lr * gradient?"
    return f"The step is {factor:.3g} times what it should be: is lr the one that was given, and used once?"


@check("optimiser", needs=("api.imports",))
def sgd_step(g: Grading):
    """SGD's steps are torch's"""
    judge_steps(g, lr=0.05)


@check("optimiser", needs=("optimiser.sgd_step",))
def sgd_momentum(g: Grading):
    """Extra: SGD with momentum takes torch's steps"""
    judge_steps(g, "Is a velocity kept for each parameter, from step to step?", lr=0.05, momentum=0.9)


@check("optimiser", needs=("api.imports",))
def zero_grad(g: Grading):
    """zero_grad sets all gradients to zero"""

    def zeroed(one: cases.Case, build: Callable[[], Remote], own: Remote) -> dict[str, object]:
        given, optimiser = cases.make(one, g.seed), build()
        own.forward(given.x)
        own.backward(given.cotangent)
        zero_gradients(optimiser, own)
        return cases.gradients(own.param(), given)

    for name, gradient in in_any_way(g, zeroed, lr=0.1).items():
        if isinstance(gradient, SubmissionProblem):
            raise Failed(str(gradient))
        if isinstance(gradient, Tensor) and (found := mismatch(gradient, torch.zeros_like(gradient).double(), 0.0)):
            hint = "Does it reach every gradient that param() lists?"
            raise Failed(f"{name} after zero_grad(): {found.message}", hint)
