"""The mathematics of a submission whose modules can't be used one by one, from a step of its own training.

The network is found again from what the step computes (network.py), and torch's gradients of it are compared with what
the step did to every weight (walk.py).
"""

import torch
from torch import Tensor

from ..context import Grading
from ..registry import Failed, Unjudged
from ..sandbox.child import Raised
from . import cases, judging, network
from .walk import Verdicts, Walk

AMOUNTS = 3, 2, 1, 4, 8, 16, 32, 64, 100, 128, 256  # pictures, of which some number is a batch of one step
FOUND_BY = 3  # as many of them with which training moves the weights


def instead(g: Grading, check: str, reason: Exception) -> dict:
    """The verdict that a step of train() gives on a check that could not be made; raises `reason` if it gives none."""
    try:
        found = g.once(verdicts)
    except (Unjudged, Raised):
        raise reason from None
    if check in found.wrong:
        raise found.wrong[check]
    if check not in found.right:
        raise reason
    g.warn("it could not be used by itself: judged by a step of train(), in the network as a whole")
    return {"whole": True}


def step_of_training(g: Grading) -> tuple[network.Seen, network.Network]:
    """A step of train() and the network that took it."""
    generator, moving = torch.Generator().manual_seed(g.seed), 0
    for amount in AMOUNTS:
        noisy, target = ((torch.rand(amount, 3, 32, 32, generator=generator) * 255).to(torch.uint8) for _ in range(2))
        try:
            answer = g.session.whole(noisy, target, g.seed, g.config["limits"]["predict_seconds"])
        except Raised:
            continue
        seen = in_order(answer)
        if any(not torch.equal(one.before, one.after) for one in seen.parameters):
            if found := network.find(seen, noisy, target):
                return seen, found
            moving += 1
        if moving == FOUND_BY:
            break
    raise Unjudged("no network was found that computes what a step of train() does")


def in_order(answer) -> network.Seen:
    """What the submission's process says of a step, if it has the form that it must have."""
    parameters = [network.Parameter(str(name), old, new) for name, old, new in answer["parameters"]]
    fit = [p for p in parameters if isinstance(p.before, Tensor) and p.before.shape == p.after.shape]
    return network.Seen(fit, answer["prints"].double(), [one for one in answer["whole"] if isinstance(one, Tensor)])


def layers_of(g: Grading, found: network.Network) -> list[network.Layer]:
    """The layers, with doubling and the convolution after it as one where the submission has one module for both."""
    layers: list[network.Layer] = []
    for layer in found.layers:
        before = layers[-1] if layers else None
        doubled = before and before.case.module == "NearestUpsampling" and layer.case.module == "Conv2d"
        if doubled and judging.name_of(g, "NearestConv") and layer.case.option("stride", 1) == 1:
            inferred = {"padding": layer.case.option("padding", 0), "scale_factor": before.case.args[0]}
            case = cases.Case("NearestConv", before.case.shape, layer.case.args, inferred=tuple(inferred.items()))
            layers[-1] = network.Layer(case, before.x, layer.weight, layer.bias)
        else:
            layers.append(layer)
    return layers


def verdicts(g: Grading) -> Verdicts:
    seen, found = g.once(step_of_training)
    return Walk(seen, layers_of(g, found), found).verdicts()
