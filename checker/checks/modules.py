"""Forward and backward of every module against torch, with random cotangents."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..context import Grading
from ..driving import adapt
from ..registry import Failed, NotApplicable, check
from ..sandbox.child import Raised, SubmissionProblem
from ..sandbox.session import Remote
from . import cases, diagnosis
from .cases import case
from .compare import mismatch, size

UPSAMPLINGS = "TransposeConv2d", "NearestUpsampling"


def require(g: Grading, module: str) -> None:
    """Go on only if the submission has this module; one kind of upsampling is enough."""
    if adapt.name_of(g.session, module) is None:
        if module in UPSAMPLINGS and any(adapt.name_of(g.session, other) for other in UPSAMPLINGS):
            raise NotApplicable("not handed in; the assignment asks for one of two kinds of upsampling")
        raise Failed(f"model.py defines no {module}")


def judge(g: Grading, module: str, part: str) -> dict:
    """Compare one part of all core cases of a module; Failed with the first mismatch and a diagnosis."""
    require(g, module)
    return judge_outcomes(g, g.once(cases.sweep, module), part)


def judge_outcomes(g: Grading, outcomes: list[cases.Outcome], part: str) -> dict:
    tolerance = g.config["tolerance"]["absolute"]
    wrong = [(o, m) for o in outcomes if (m := o.mismatch(part, tolerance))]
    if wrong:
        outcome, found = wrong[0]
        count = f" [{len(wrong)} of {len(outcomes)} geometries]" if len(outcomes) > 1 else ""
        hint = diagnosis.explain(outcomes, part, tolerance)
        raise Failed(f"{outcome.case}: {found.message}{count}", hint)
    return {"geometries": len(outcomes)}


def extra(g: Grading, *extras: cases.Case) -> dict:
    """All parts of some cases beyond the core; what is wrong in the core as well is not counted again."""
    kept = [one for one in extras if adapt.name_of(g.session, one.module)]
    if not kept:
        raise NotApplicable("the module it concerns was not handed in")
    tolerance = g.config["tolerance"]["absolute"]
    outcomes = [cases.run(g, one) for one in kept]
    for outcome in outcomes:
        core = g.once(cases.sweep, outcome.case.module)
        for part in outcome.expected:
            found = outcome.mismatch(part, tolerance)
            if found and not any(one.mismatch(part, tolerance) for one in core):
                same = [o for o in outcomes if o.case.module == outcome.case.module]
                hint = diagnosis.explain([outcome], part, tolerance) or diagnosis.explain(
                    [*core, *same], part, tolerance
                )
                raise Failed(f"{outcome.case}, {PARTS[part]}: {found.message}", hint)
    return {"geometries": len(outcomes)}


PARTS = {
    "forward": "forward",
    "grad_input": "gradient of the input",
    "grad_weight": "gradient of the weight",
    "grad_bias": "gradient of the bias",
}


# How they are built -----------------------------------------------------------------------------------


@check("modules", needs=("api.imports",))
def signatures(g: Grading):
    """Every module is built with the arguments of its torch counterpart"""
    ways = (
        ("Conv2d", (3, 4, 3), {}),
        ("Conv2d", (3, 4, 3, 2, 1), {}),
        ("Conv2d", (3, 4), {"kernel_size": 3, "stride": 2, "padding": 1, "bias": True}),
        ("Conv2d", (), {"in_channels": 3, "out_channels": 4, "kernel_size": 3}),
        ("TransposeConv2d", (3, 4, 3), {}),
        ("TransposeConv2d", (3, 4, 3, 2, 1), {}),
        ("TransposeConv2d", (3, 4), {"kernel_size": 3, "stride": 2, "padding": 1, "bias": True}),
        ("NearestUpsampling", (2,), {}),
        ("NearestUpsampling", (), {"scale_factor": 2}),
        ("ReLU", (), {}),
        ("Sigmoid", (), {}),
        ("MSE", (), {}),
    )
    wrong = []
    for name, args, kwargs in ways:
        own = adapt.name_of(g.session, name)
        try:
            if own:
                g.session.new(own, *args, **kwargs)
        except Raised as raised:
            wrong.append(f"{own}({arguments(args, kwargs)}) {raised}")
    wrong += [sentence for one in with_parameters(g) if (sentence := wrong_attributes(g, one))]
    try:
        layers = [adapt.new(g.session, "Conv2d", 3, 3, 1), adapt.new(g.session, "ReLU")]
    except Raised:
        layers = []
    if layers and "Sequential" in g.session.loaded:
        try:
            net = g.session.new("Sequential", *layers)
        except Raised as raised:
            wrong.append(f"Sequential(Conv2d(…), ReLU()) {raised}")
            net = adapt.sequential(g.session, *layers)
        wrong += [sentence] if (sentence := wrong_sgd(g, net)) else []
    if wrong:
        raise Failed("; ".join(wrong[:3]), "Are names, order and defaults of the arguments those of torch?")


def wrong_attributes(g: Grading, one: cases.Case) -> str:
    """What is unlike torch's about the weight and the bias of a module, or nothing."""
    try:
        module = adapt.new(g.session, one.module, *one.args, **dict(one.options))
    except Raised:
        return ""  # said already
    for name, expected in one.counterpart().named_parameters():
        own, value = adapt.attribute(g.session, module, name)
        if value is None or own != name:
            return f"{one.module} has no attribute {name}" + (f"; it is called {own}" if own != name else "")
        if value.shape != expected.shape:
            return f"{one.module}.{name} has the shape {size(value.shape)}, torch's has {size(expected.shape)}"
    return ""


def wrong_sgd(g: Grading, net: Remote) -> str:
    """What SGD(net.param(), lr=0.1) and a step of it raise, or nothing."""
    if "SGD" not in g.session.loaded:
        return ""
    try:
        params = g.session.keep(net, "param")
        y = net.forward(torch.ones(1, 3, 2, 2))
        net.backward(torch.ones_like(y) if isinstance(y, Tensor) else None)
    except Raised:
        return ""  # not SGD's fault
    try:
        g.session.new("SGD", params, lr=0.1).step()
    except Raised as raised:
        return f"SGD(net.param(), lr=0.1) {raised}"
    return ""


def arguments(args: tuple, kwargs: dict) -> str:
    return ", ".join([*map(str, args), *(f"{name}={value}" for name, value in kwargs.items())])


# Core geometries --------------------------------------------------------------------------------------


@check("modules", needs=("api.imports",))
def conv2d_forward(g: Grading):
    """Conv2d.forward gives torch's values"""
    return judge(g, "Conv2d", "forward")


@check("modules", needs=("api.imports",))
def conv2d_grad_input(g: Grading):
    """Conv2d.backward returns the gradient with respect to its input"""
    return judge(g, "Conv2d", "grad_input")


@check("modules", needs=("api.imports",))
def conv2d_grad_weight(g: Grading):
    """Conv2d.backward gives the gradient of the weight"""
    return judge(g, "Conv2d", "grad_weight")


@check("modules", needs=("api.imports",))
def conv2d_grad_bias(g: Grading):
    """Conv2d.backward gives the gradient of the bias"""
    return judge(g, "Conv2d", "grad_bias")


@check("modules", needs=("api.imports",))
def transposed_forward(g: Grading):
    """TransposeConv2d.forward gives torch's values"""
    return judge(g, "TransposeConv2d", "forward")


@check("modules", needs=("api.imports",))
def transposed_grad_input(g: Grading):
    """TransposeConv2d.backward returns the gradient with respect to its input"""
    return judge(g, "TransposeConv2d", "grad_input")


@check("modules", needs=("api.imports",))
def transposed_grad_weight(g: Grading):
    """TransposeConv2d.backward gives the gradient of the weight"""
    return judge(g, "TransposeConv2d", "grad_weight")


@check("modules", needs=("api.imports",))
def transposed_grad_bias(g: Grading):
    """TransposeConv2d.backward gives the gradient of the bias"""
    return judge(g, "TransposeConv2d", "grad_bias")


@check("modules", needs=("api.imports",))
def nearest_forward(g: Grading):
    """NearestUpsampling.forward gives torch's values"""
    return judge(g, "NearestUpsampling", "forward")


@check("modules", needs=("api.imports",))
def nearest_backward(g: Grading):
    """NearestUpsampling.backward returns the gradient with respect to its input"""
    return judge(g, "NearestUpsampling", "grad_input")


@check("modules", needs=("api.imports",))
def relu_forward(g: Grading):
    """ReLU.forward gives torch's values"""
    return judge(g, "ReLU", "forward")


@check("modules", needs=("api.imports",))
def relu_backward(g: Grading):
    """ReLU.backward returns the gradient with respect to its input"""
    return judge(g, "ReLU", "grad_input")


@check("modules", needs=("api.imports",))
def sigmoid_forward(g: Grading):
    """Sigmoid.forward gives torch's values"""
    return judge(g, "Sigmoid", "forward")


@check("modules", needs=("api.imports",))
def sigmoid_backward(g: Grading):
    """Sigmoid.backward returns the gradient with respect to its input"""
    return judge(g, "Sigmoid", "grad_input")


# Several modules together -----------------------------------------------------------------------------

NET = case("Conv2d", (3, 3, 9, 8), 3, 4, 3, stride=2), case("Conv2d", (3, 4, 4, 3), 4, 2, 2)


def sequence(g: Grading) -> dict[str, tuple[object, Tensor]]:
    """(got, expected) for Sequential(conv, relu, conv, sigmoid): output, gradient of the input, of the weights."""
    layers, given = layers_of_net(g)
    net = adapt.sequential(g.session, *layers)
    theirs = [one.counterpart() for one in NET]
    for layer, one in zip(theirs, given, strict=True):
        layer.weight.data.copy_(one.weight)
        layer.bias.data.copy_(one.bias)
    x = given[0].x.double().requires_grad_()
    y = torch.nn.Sequential(theirs[0], torch.nn.ReLU(), theirs[1], torch.nn.Sigmoid())(x)
    y.backward(cotangent_of_net(g, y).double())
    expected = {"forward": y.detach(), "input": x.grad}
    expected |= {f"weight {i + 1}": layer.weight.grad for i, layer in enumerate(theirs)}
    got = {}
    try:
        got["forward"] = net.forward(given[0].x)
        got["input"] = net.backward(cotangent_of_net(g, y))
        listed = adapt.pairs(net.param())
        for i, layer in enumerate(theirs):
            unlisted = SubmissionProblem(f"Sequential.param() does not list the weight of convolution {i + 1}")
            mine = (gradient for p, gradient in listed if p.numel() == layer.weight.numel())
            got[f"weight {i + 1}"] = next(mine, unlisted)
    except Raised as raised:
        got |= {part: raised for part in expected if part not in got}
    return {part: (got[part], value) for part, value in expected.items()}


def layers_of_net(g: Grading) -> tuple[list[Remote], list[cases.Given]]:
    """The submission's conv, relu, conv, sigmoid, and what the convolutions were given."""
    g.session.seed(g.seed)  # should a layer keep the weights that it was built with, they are the same every time
    convs, givens = [], []
    for i, one in enumerate(NET):
        convs.append(adapt.new(g.session, one.module, *one.args, **dict(one.options)))
        givens.append(cases.assign(g.session, convs[-1], cases.make(one, g.seed + i))[0])
    return [convs[0], adapt.new(g.session, "ReLU"), convs[1], adapt.new(g.session, "Sigmoid")], givens


def cotangent_of_net(g: Grading, y: Tensor) -> Tensor:
    return torch.randn(y.shape, generator=torch.Generator().manual_seed(g.seed))


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
    weights = [cases.gradients(layers[2 * i].param(), one)["grad_weight"] for i, one in enumerate(given)]
    return found | {"input": grad} | {f"weight {i + 1}": gradient for i, gradient in enumerate(weights)}


def judge_sequence(g: Grading, *parts: str) -> None:
    """Failed unless Sequential does what torch's does, or at least what its layers do that are wrong themselves."""
    require(g, "Sequential")
    if missing := [name for name in ("Conv2d", "ReLU", "Sigmoid") if not adapt.name_of(g.session, name)]:
        raise NotApplicable(f"not judged: there is no {missing[0]} to put into it")
    tolerance = g.config["tolerance"]["absolute"]
    with cases.poisoned(g.session):
        found = g.once(sequence)
    for part in parts:
        wrong = mismatch(*found[part], tolerance)
        if wrong and not as_its_layers(g, part, found[part][0], tolerance):
            where = {"input": ": gradient of the input", "forward": ""}.get(part, f": gradient of {part}")
            raise Failed(f"Sequential(Conv2d, ReLU, Conv2d, Sigmoid){where}: {wrong.message}", CONTAINER[part[:6]])
        if wrong:
            g.warn("it is as wrong as the layers in it, and that is counted there")


CONTAINER = {
    "forwar": "Does the output of every layer go into the next one?",
    "input": "Does backward go from the last layer to the first, and return the gradient?",
    "weight": "Does backward reach every layer, and param() list them all?",
}


def as_its_layers(g: Grading, part: str, got, tolerance: float) -> bool:
    """Whether Sequential gave what its layers give one by one, or what one of them raises."""
    try:
        with cases.poisoned(g.session):
            theirs = g.once(by_hand)[part]
    except SubmissionProblem:
        return isinstance(got, SubmissionProblem)
    if not (isinstance(theirs, Tensor) and isinstance(got, Tensor)):
        return theirs is None and got is None
    same = {"rtol": tolerance, "atol": tolerance, "equal_nan": True}
    return got.shape == theirs.shape and torch.allclose(got.double(), theirs.double(), **same)


@check("modules", needs=("api.imports",))
def sequential_forward(g: Grading):
    """Sequential.forward passes its input through all layers"""
    judge_sequence(g, "forward")


@check("modules", needs=("api.imports",))
def sequential_backward(g: Grading):
    """Sequential.backward returns the input's gradient and reaches every layer"""
    judge_sequence(g, "input", "weight 1", "weight 2")


# Behaviour --------------------------------------------------------------------------------------------


def with_parameters(g: Grading) -> list[cases.Case]:
    """A case of each module with parameters that was handed in."""
    return [cases.CORE[name][8] for name in ("Conv2d", "TransposeConv2d") if adapt.name_of(g.session, name)]


def ready(g: Grading, one: cases.Case) -> tuple[Remote, cases.Given]:
    """The module of a case with its weights set, and its inputs."""
    module = adapt.new(g.session, one.module, *one.args, **dict(one.options))
    return module, cases.assign(g.session, module, cases.make(one, g.seed))[0]


def each(g: Grading, function: Callable, *among: cases.Case) -> None:
    """function(case) for those that run at all: what raises is counted by the checks of forward and backward."""
    ran, problem = False, None
    for one in among:
        try:
            with cases.poisoned(g.session):
                function(one)
            ran = True
        except SubmissionProblem as raised:
            problem = raised
    if not ran:
        raise Failed(str(problem) if problem else "no module of this kind was handed in")


def simple_cases(g: Grading) -> list[cases.Case]:
    names = ("Conv2d", "TransposeConv2d", "NearestUpsampling", "ReLU", "Sigmoid")
    return [cases.CORE[name][1] for name in names if adapt.name_of(g.session, name)]


@check("modules", needs=("api.imports",))
def param_pairs(g: Grading):
    """param() lists (parameter, gradient) pairs of equal size; none for ReLU and Sigmoid"""
    for one in with_parameters(g):
        module = adapt.new(g.session, one.module, *one.args, **dict(one.options))
        listed = module.param()
        if not (isinstance(listed, list | tuple) and len(listed) == 2 and all(map(is_pair, listed))):
            raise Failed(
                f"{one.module}.param(): expected 2 pairs (parameter, gradient), got {describe(listed)}",
                "Is it [(weight, gradient), (bias, gradient)], each gradient of its parameter's shape?",
            )
    if "Sequential" in g.session.loaded and with_parameters(g):
        listed = adapt.sequential(g.session, module).param()
        if not (isinstance(listed, list | tuple) and len(listed) == 2 and all(map(is_pair, listed))):
            raise Failed(
                f"Sequential({one.module}).param(): expected 2 pairs (parameter, gradient), got {describe(listed)}",
                "Is it one list of the pairs of all layers?",
            )
    for name in ("ReLU", "Sigmoid"):
        if adapt.name_of(g.session, name) and (listed := adapt.new(g.session, name).param()) not in ([], ()):
            raise Failed(f"{name}.param(): expected an empty list, got {describe(listed)}")


def is_pair(value) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(isinstance(t, Tensor) for t in value)
        and value[0].shape == value[1].shape
    )


def describe(value) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(describe, value[:4])) + (", …]" if len(value) > 4 else "]")
    return f"a tensor {size(value.shape)}" if isinstance(value, Tensor) else repr(value)[:60]


@check("modules", needs=("api.imports",))
def accumulates(g: Grading):
    """A second backward adds to the parameters' gradients"""
    tolerance = g.config["tolerance"]["absolute"]

    def twice(one: cases.Case) -> None:
        module, given = ready(g, one)
        after = []
        for _ in range(2):
            module.forward(given.x)
            module.backward(given.cotangent)
            after.append(cases.gradients(module.param(), given))
        for name, first in after[0].items():
            if not isinstance(first, Tensor) or not first.isfinite().all() or not first.any():
                continue  # wrong already after one backward, and counted there
            if found := mismatch(after[1][name], 2 * first.double(), tolerance):
                overwritten = mismatch(after[1][name], first.double(), tolerance) is None
                hint = "The second backward overwrites the gradient of the first: is it = where += is meant?"
                raise Failed(
                    f"{one.module}, {PARTS[name]} after two backwards: {found.message}", hint if overwritten else ""
                )

    each(g, twice, *with_parameters(g))


@check("modules", needs=("api.imports",))
def assigned_weights(g: Grading):
    """Weights that are assigned are used by the next forward, and param() lists them"""

    def assigned(one: cases.Case) -> None:
        used, given = ready(g, one)
        used.forward(given.x)
        used.param()
        other = cases.make(one, g.seed + 1)
        fresh = adapt.new(g.session, one.module, *one.args, **dict(one.options))
        for module in (used, fresh):
            cases.assign(g.session, module, other)
        expected = fresh.forward(other.x)
        if isinstance(expected, Tensor) and (
            found := mismatch(used.forward(other.x), expected.double(), g.config["tolerance"]["absolute"])
        ):
            hint = "Is a copy of the old ones kept somewhere?"
            raise Failed(f"{one.module} after new weights were assigned: {found.message}", hint)
        listed = [p for p, _ in adapt.pairs(used.param())]
        own, weight = adapt.attribute(g.session, used, "weight")
        if weight is not None and listed and not any(torch.equal(p, weight) for p in listed):
            raise Failed(
                f"{one.module}.param() does not list the {own} that was assigned: it is stale",
                "Is the list made once, at the start, instead of by every call?",
            )

    each(g, assigned, *with_parameters(g))


@check("modules", needs=("api.imports",))
def input_untouched(g: Grading):
    """No module changes its input or the gradient that it is given"""

    def touched(one: cases.Case) -> None:
        module, given = ready(g, one)
        x, cotangent = g.session.put(given.x), g.session.put(given.cotangent)
        module.forward(x)
        untouched(one, "input", x, given.x)
        module.backward(cotangent)
        untouched(one, "input", x, given.x)
        untouched(one, "gradient", cotangent, given.cotangent)

    def untouched(one: cases.Case, what: str, there: Remote, before: Tensor) -> None:
        if found := mismatch(g.session.value(there), before.double(), 0.0):
            raise Failed(
                f"{one.module} changes the {what} that it is given: {found.message}",
                "Is there a method ending in _, or x[…] = …?",
            )

    each(g, touched, *simple_cases(g))


@check("modules", needs=("api.imports",))
def backward_twice(g: Grading):
    """The same backward twice returns the same gradient"""

    def again(one: cases.Case) -> None:
        module, given = ready(g, one)
        module.forward(given.x)
        first = module.backward(given.cotangent)
        try:
            second = module.backward(given.cotangent)
        except Raised as raised:
            g.warn(f"{one.module}: a second backward without a forward {raised}; torch refuses it as well")
            return
        tolerance = g.config["tolerance"]["absolute"]
        if (
            isinstance(first, Tensor)
            and first.isfinite().all()
            and (found := mismatch(second, first.double(), tolerance))
        ):
            raise Failed(
                f"{one.module}, the second time: {found.message}", "Does backward change what forward saved?"
            )

    each(g, again, *simple_cases(g))


# Extras -----------------------------------------------------------------------------------------------


@check("modules", needs=("modules.conv2d_forward",))
def extra_dilation(g: Grading):
    """Extra: dilation"""
    return extra(
        g,
        case("Conv2d", (3, 2, 9, 10), 2, 3, 3, dilation=2),
        case("Conv2d", (1, 2, 9, 8), 2, 3, 2, stride=2, padding=1, dilation=3),
        case("TransposeConv2d", (3, 2, 5, 4), 2, 3, 3, stride=2, dilation=2),
    )


@check("modules", needs=("modules.conv2d_forward",))
def extra_pairs(g: Grading):
    """Extra: pairs for kernel size, stride and padding"""
    return extra(
        g,
        case("Conv2d", (3, 2, 9, 10), 2, 3, (3, 2)),
        case("Conv2d", (3, 2, 9, 10), 2, 3, 3, stride=(1, 2)),
        case("Conv2d", (3, 2, 9, 10), 2, 3, (3, 2), stride=(1, 2), padding=(0, 1)),
        case("TransposeConv2d", (3, 2, 5, 4), 2, 3, (2, 3)),
        case("TransposeConv2d", (3, 2, 5, 4), 2, 3, (2, 3), stride=(2, 1), padding=(1, 0)),
    )


@check("modules", needs=("modules.conv2d_forward",))
def extra_no_bias(g: Grading):
    """Extra: bias=False"""
    return extra(
        g,
        case("Conv2d", (3, 2, 6, 7), 2, 3, 3, bias=False),
        case("TransposeConv2d", (3, 2, 5, 4), 2, 3, 3, bias=False),
    )


@check("modules", needs=("modules.conv2d_forward",))
def extra_output_padding(g: Grading):
    """Extra: output_padding of the transposed convolution"""
    return extra(g, case("TransposeConv2d", (3, 2, 5, 4), 2, 3, 3, stride=2, padding=1, output_padding=1))


@check("modules", needs=("modules.conv2d_forward",))
def extra_strided_input(g: Grading):
    """Extra: inputs that are not contiguous"""
    return extra(
        g,
        case("Conv2d", (3, 2, 6, 7), 2, 3, 3, strided=True),
        case("TransposeConv2d", (3, 2, 5, 4), 2, 3, 2, stride=2, strided=True),
        case("NearestUpsampling", (3, 2, 5, 4), 2, strided=True),
        case("ReLU", (3, 2, 5, 4), strided=True),
        case("Sigmoid", (3, 2, 5, 4), strided=True),
    )


@check("modules", needs=("modules.sigmoid_forward",))
def extra_extreme_values(g: Grading):
    """Extra: Sigmoid neither overflows nor gives NaN at ±10,000"""
    return extra(g, case("Sigmoid", (2, 2, 4, 4), scale=1e4))
