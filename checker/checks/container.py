"""Several modules together: Sequential against torch's."""

import torch
from torch import Tensor

from ..context import Grading
from ..registry import Failed, Follows, Missing, NotApplicable, Unjudged, check
from ..sandbox.child import Raised, SubmissionProblem
from ..sandbox.session import Remote
from . import cases
from .cases import case
from .compare import mismatch
from .judging import name_of, require, trains, unless_it_trains

NET = case("Conv2d", (3, 3, 9, 8), 3, 4, 3, stride=2), case("Conv2d", (3, 4, 4, 3), 4, 2, 2)


def chained(g: Grading) -> dict:
    """(got, expected) for Sequential(conv, relu, conv, sigmoid): output, gradient of the input, of the weights."""
    layers, given = layers_of_net(g)
    net = g.session.network(*layers)
    complete = (cases.completed(g.session, one) for one in NET)
    theirs = [one.counterpart_of(has.weight, has.bias) for one, has in zip(complete, given, strict=True)]
    x = given[0].x.double().requires_grad_()
    y = torch.nn.Sequential(theirs[0], torch.nn.ReLU(), theirs[1], torch.nn.Sigmoid())(x)
    y.backward(cotangent_of_net(g, y).double())
    expected = {"forward": y.detach(), "input": x.grad}
    expected |= {f"weight {i + 1}": layer.weight.grad for i, layer in enumerate(theirs)}
    got = {}
    try:
        got["forward"] = net.forward(given[0].x)
        got |= net.run(given[0].x, cotangent_of_net(g, y))
    except SubmissionProblem as problem:
        got = dict.fromkeys(expected, problem) | got
    return {part: (got.get(part), value) for part, value in expected.items()} | {
        "unlisted": got.get("unlisted") or []
    }


def layers_of_net(g: Grading) -> tuple[list[Remote], list[cases.Given]]:
    """The submission's conv, relu, conv, sigmoid, and what the convolutions were given."""
    g.session.seed(g.seed)  # should a layer keep the weights that it was built with, they are the same every time
    convs, givens = [], []
    for i, one in enumerate(cases.completed(g.session, each) for each in NET):
        convs.append(g.session.driven(one.module, *one.args, **dict(one.options), input_shape=one.shape))
        givens.append(cases.assign(convs[-1], cases.make(one, g.inputs_seed + i)))
    return [convs[0], g.session.driven("ReLU"), convs[1], g.session.driven("Sigmoid")], givens


def cotangent_of_net(g: Grading, y: Tensor) -> Tensor:
    return torch.randn(y.shape, generator=torch.Generator().manual_seed(g.inputs_seed))


def by_hand(g: Grading) -> dict[str, object]:
    """The same from the submission's own layers, without its Sequential: each layer's forward again before its
    backward, so that layers which share what they save show as well.
    """
    layers, given = layers_of_net(g)
    inputs = [given[0].x]
    for layer in layers:
        inputs.append(layer.forward(inputs[-1]))
    found, grad = {"forward": inputs[-1]}, cotangent_of_net(g, inputs[-1])
    for layer, x in zip(reversed(layers), reversed(inputs[:-1]), strict=True):
        layer.forward(x)
        grad = layer.backward(grad)
    weights = [cases.gradients(layers[2 * i], one)["grad_weight"] for i, one in enumerate(given)]
    return found | {"input": grad} | {f"weight {i + 1}": gradient for i, gradient in enumerate(weights)}


LAYERS = {  # what a part of the network's answers depends on: the checks of its layers
    "forward": ("modules.conv2d_forward", "modules.relu_forward", "modules.sigmoid_forward"),
    "backward": (
        "modules.conv2d_forward", "modules.conv2d_grad_input", "modules.conv2d_grad_weight", "modules.relu_forward",
        "modules.relu_backward", "modules.sigmoid_forward", "modules.sigmoid_backward",
    ),
}  # fmt: skip


def judge_sequence(g: Grading, direction: str, *parts: str) -> None:
    """Failed unless Sequential does what torch's does, or at least what its layers do that are wrong themselves."""
    require(g, "Sequential")
    if missing := [name for name in ("Conv2d", "ReLU", "Sigmoid") if not name_of(g, name)]:
        raise NotApplicable(f"not judged: there is no {missing[0]} to put into it")
    tolerance = g.config["tolerance"]["absolute"]
    try:
        with cases.poisoned(g.session):
            found = g.once(chained)
    except Raised as raised:
        raise unless_it_trains(g, raised) from None
    for part in parts:
        wrong = mismatch(*found[part], tolerance)
        if wrong and as_its_layers(g, part, found[part][0], tolerance):
            g.warn("it is as wrong as the layers in it, and that is counted there")
        elif wrong:
            behind = [
                name for name in LAYERS[direction] if name in g.findings and g.findings[name].status != "passed"
            ]
            if behind and not right_by_hand(g, part, found[part][1], tolerance):
                raise Follows(behind[0])
            if (
                part == "input"
                and found[part][0] is None
                and not any(mismatch(*found[p], tolerance) for p in parts[1:])
            ):
                continue  # the gradients are right; that it returns nothing is told by another check
            if isinstance(found[part][0], Raised) and g.once(trains):
                raise unless_it_trains(g, found[part][0])
            if not any(isinstance(found[p][0], Tensor) for p in parts) and g.once(trains):
                raise Unjudged("the grader found no way to have this of Sequential, but train() runs: look at it")
            if any(g.findings[name].details.get("whole") for name in LAYERS[direction] if name in g.findings):
                raise Unjudged("its layers could not be used one by one, but train() runs: look at it")
            where = {"input": ": gradient of the input", "forward": ""}.get(part, f": gradient of {part}")
            raise Failed(f"Sequential(Conv2d, ReLU, Conv2d, Sigmoid){where}: {wrong.message}", CONTAINER[part[:6]])


CONTAINER = {
    "forwar": "Does the output of every layer go into the next one?",
    "input": "Does backward go from the last layer to the first, and return the gradient?",
    "weight": "Does backward reach every layer, and param() list them all?",
}


def of_layers(g: Grading, part: str):
    """What the layers give one by one, or the problem that they have."""
    try:
        with cases.poisoned(g.session):
            return g.once(by_hand)[part]
    except SubmissionProblem as problem:
        return problem


def right_by_hand(g: Grading, part: str, expected: Tensor, tolerance: float) -> bool:
    return mismatch(of_layers(g, part), expected, tolerance) is None


def as_its_layers(g: Grading, part: str, got, tolerance: float) -> bool:
    """Whether Sequential gave what its layers gave one by one, or what one of them raises."""
    theirs = of_layers(g, part)
    if isinstance(theirs, SubmissionProblem):
        return isinstance(got, SubmissionProblem)
    if not (isinstance(theirs, Tensor) and isinstance(got, Tensor)):
        return False
    same = {"rtol": tolerance, "atol": tolerance, "equal_nan": True}
    return got.shape == theirs.shape and torch.allclose(got.double(), theirs.double(), **same)


@check("api", needs=("api.imports",))
def sequential(g: Grading):
    """There is a Sequential, under whatever name"""
    if name_of(g, "Sequential") is None:
        if "Sequential" in g.session.loaded:
            raise NotApplicable("its Sequential is a function, seen in the network as a whole alone")
        raise Missing(
            "the submission has no Sequential", "The assignment asks for a module that chains others, back and forth."
        )


@check("modules", needs=("api.imports",))
def sequential_forward(g: Grading):
    """Sequential.forward passes its input through all layers"""
    judge_sequence(g, "forward", "forward")


@check("modules", needs=("api.imports",))
def sequential_backward(g: Grading):
    """Sequential.backward returns the input's gradient and reaches every layer"""
    judge_sequence(g, "backward", "input", "weight 1", "weight 2")
    if g.once(chained)["unlisted"]:
        raise Failed(
            f"Sequential.param() does not list the weight of convolution {g.once(chained)['unlisted'][0]}",
            CONTAINER["weight"],
        )
