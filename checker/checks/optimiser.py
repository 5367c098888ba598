"""The loss and the optimiser: MSE and SGD against torch's."""

import torch
from torch import Tensor

from .. import adapt, cases
from ..cases import case
from ..compare import mismatch
from ..grading import Grading
from ..registry import Failed, check
from ..session import Remote

SHAPE = (3, 2, 4, 5)
STEPS = 3
LAYER = case("Conv2d", (3, 2, 6, 7), 2, 3, 3)


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
    tolerance = g.config["tolerance"]["absolute"]
    got, expected = g.once(loss)["backward"]
    if found := mismatch(got, expected, tolerance / 10):  # the gradient's values are of order 1/120
        n, c, h, w = SHAPE
        names = {"−1": -1, "N": n, "C·H·W": c * h * w, "N·C·H·W": n * c * h * w, "1/2": 0.5, "1/N": 1 / n}
        hint = ""
        if found.got is not None:
            named = [name for name, factor in names.items() if mismatch(got, factor * expected, tolerance) is None]
            hint = f"It is {named[0]} times what it should be: forward and backward disagree." if named else ""
        raise Failed(f"MSE on 3×2×4×5: {found.message}", hint)


def steps(g: Grading, **options) -> tuple[Remote, Remote, list[tuple[object, Tensor]]]:
    """A convolution and its SGD after a few steps beside torch's: (got, expected) of weight and bias."""
    given = cases.make(LAYER, g.seed)
    theirs = LAYER.counterpart()
    own = adapt.new(g.session, LAYER.module, *LAYER.args)
    for name in ("weight", "bias"):
        getattr(theirs, name).data.copy_(getattr(given, name))
        g.session.set(own, name, getattr(given, name))
    optimiser = adapt.sgd(g.session, own, **options)
    velocities = [torch.zeros_like(parameter) for parameter in theirs.parameters()]
    for _ in range(STEPS):
        theirs.zero_grad()
        theirs(given.x.double()).backward(given.cotangent.double())
        torch_step(theirs.parameters(), velocities, **options)
        zero_gradients(optimiser, own)
        own.forward(given.x)
        own.backward(given.cotangent)
        optimiser.step()
    got = [g.session.get(own, "weight"), g.session.get(own, "bias")]
    return own, optimiser, list(zip(got, (theirs.weight.detach(), theirs.bias.detach()), strict=True))


def torch_step(parameters, velocities: list[Tensor], lr: float, momentum: float = 0.0) -> None:
    """What torch.optim.SGD does in a step, which itself would import torch's compiler for two seconds."""
    for parameter, velocity in zip(parameters, velocities, strict=True):
        velocity.mul_(momentum).add_(parameter.grad)
        parameter.data.sub_(lr * velocity)


def zero_gradients(optimiser: Remote, module: Remote) -> None:
    """zero_grad of the optimiser, or of the module where only that has one."""
    adapt.first(lambda: optimiser.zero_grad(), lambda: module.zero_grad())


def judge_steps(g: Grading, **options) -> None:
    _, _, values = steps(g, **options)
    for name, (got, expected) in zip(("weight", "bias"), values, strict=True):
        if found := mismatch(got, expected, g.config["tolerance"]["absolute"]):
            settings = ", ".join(f"{key}={value}" for key, value in options.items())
            raise Failed(f"{name} after {STEPS} steps of SGD({settings}): {found.message}")


@check("optimiser", needs=("modules.conv2d_grad_weight", "modules.conv2d_grad_bias"))
def sgd_step(g: Grading):
    """SGD's steps are torch's"""
    judge_steps(g, lr=0.01)


@check("optimiser", needs=("optimiser.sgd_step",))
def sgd_momentum(g: Grading):
    """Extra: SGD with momentum takes torch's steps"""
    judge_steps(g, lr=0.01, momentum=0.9)


@check("optimiser", needs=("modules.conv2d_grad_weight",))
def zero_grad(g: Grading):
    """zero_grad sets all gradients to zero"""
    module = adapt.new(g.session, LAYER.module, *LAYER.args)
    optimiser = adapt.sgd(g.session, module, lr=0.1)
    given = cases.make(LAYER, g.seed)
    module.forward(given.x)
    module.backward(given.cotangent)
    zero_gradients(optimiser, module)
    for name, gradient in cases.gradients(module.param(), given).items():
        if not isinstance(gradient, Tensor) or gradient.any():
            raise Failed(f"{name} is not zero after zero_grad()")
