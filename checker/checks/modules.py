"""Forward and backward of every module against torch, with random cotangents."""

import torch
from torch import Tensor

from .. import adapt, cases, diagnosis
from ..cases import case
from ..compare import mismatch
from ..grading import Grading
from ..registry import Failed, NotApplicable, check
from ..sandbox import Raised
from ..session import Remote

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
    """All parts of some cases beyond the core."""
    kept = [one for one in extras if adapt.name_of(g.session, one.module)]
    if not kept:
        raise NotApplicable("the module it concerns was not handed in")
    outcomes = [cases.run(g, one) for one in kept]
    for outcome in outcomes:
        for part in outcome.expected:
            judge_outcomes(g, [outcome], part)
    return {"geometries": len(outcomes)}


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
    try:
        layers = [g.session.new("Conv2d", 3, 3, 1), g.session.new("ReLU")]
        net = g.session.new("Sequential", *layers)
        g.session.new("SGD", g.session.keep(net, "param"), lr=0.1)
    except Raised as raised:
        wrong.append(f"SGD(Sequential(Conv2d(3, 3, 1), ReLU()).param(), lr=0.1) {raised}")
    if wrong:
        raise Failed("; ".join(wrong[:3]), "Are names, order and defaults of the arguments those of torch?")


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
    """(got, expected) for Sequential(conv, relu, conv, sigmoid): output, gradient of the input, first weight."""
    givens = [cases.make(one, g.seed + i) for i, one in enumerate(NET)]
    layers = [one.counterpart() for one in NET]
    own = [adapt.new(g.session, one.module, *one.args, **dict(one.options)) for one in NET]
    for given, layer, conv in zip(givens, layers, own, strict=True):
        for name in ("weight", "bias"):
            getattr(layer, name).data.copy_(getattr(given, name))
            g.session.set(conv, name, getattr(given, name))
    net = adapt.sequential(g.session, own[0], adapt.new(g.session, "ReLU"), own[1], adapt.new(g.session, "Sigmoid"))
    x = givens[0].x.double().requires_grad_()
    y = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.Sigmoid())(x)
    cotangent = torch.randn(y.shape, generator=torch.Generator().manual_seed(g.seed))
    y.backward(cotangent.double())
    found = {"forward": (net.forward(givens[0].x), y.detach())}
    try:
        found["backward"] = net.backward(cotangent), x.grad
        found["weight"] = cases.gradients(net.param(), givens[0])["grad_weight"], layers[0].weight.grad
    except Raised as raised:
        found |= {part: (raised, x.grad) for part in ("backward", "weight") if part not in found}
    return found


def judge_sequence(g: Grading, *parts: str) -> None:
    require(g, "Sequential")
    for part in parts:
        wrong = mismatch(*g.once(sequence)[part], g.config["tolerance"]["absolute"])
        if wrong:
            where = {"weight": ": gradient of the first convolution's weight"}.get(part, "")
            hint = "Does backward return the gradient, and pass it from the last layer to the first?"
            raise Failed(f"Sequential(Conv2d, ReLU, Conv2d, Sigmoid){where}: {wrong.message}", hint if where else "")


@check("modules", needs=("api.imports",))
def sequential_forward(g: Grading):
    """Sequential.forward passes its input through all layers"""
    judge_sequence(g, "forward")


@check("modules", needs=("api.imports",))
def sequential_backward(g: Grading):
    """Sequential.backward returns the input's gradient and reaches every layer"""
    judge_sequence(g, "backward", "weight")


# Behaviour --------------------------------------------------------------------------------------------


def upsampling_and_conv(g: Grading) -> list[cases.Case]:
    """A case of each module with parameters that was handed in."""
    return [cases.CORE[name][8] for name in ("Conv2d", "TransposeConv2d") if adapt.name_of(g.session, name)]


def ready(g: Grading, one: cases.Case) -> tuple[Remote, cases.Given, dict[str, Tensor]]:
    """The module of a case with its weights set, its inputs, and torch's values."""
    given = cases.make(one, g.seed)
    module = adapt.new(g.session, one.module, *one.args, **dict(one.options))
    for name in ("weight", "bias"):
        if getattr(given, name) is not None:
            g.session.set(module, name, getattr(given, name))
    return module, given, cases.reference(one, given)


@check("modules", needs=("api.imports",))
def param_pairs(g: Grading):
    """param() lists (parameter, gradient) pairs of equal size; none for ReLU and Sigmoid"""
    for one in upsampling_and_conv(g):
        module = adapt.new(g.session, one.module, *one.args, **dict(one.options))
        pairs = module.param()
        if not (isinstance(pairs, list | tuple) and len(pairs) == 2):
            raise Failed(f"{one.module}.param() should list 2 pairs, got {describe(pairs)}")
        for pair in pairs:
            if not (
                isinstance(pair, list | tuple)
                and len(pair) == 2
                and all(isinstance(t, Tensor) for t in pair)
                and pair[0].shape == pair[1].shape
            ):
                raise Failed(f"{one.module}.param() should list (parameter, gradient) pairs, got {describe(pair)}")
    for name in ("ReLU", "Sigmoid"):
        if adapt.name_of(g.session, name) and (pairs := adapt.new(g.session, name).param()) not in ([], ()):
            raise Failed(f"{name}.param() should be empty, got {describe(pairs)}")


def describe(value) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(describe, value[:4])) + "]"
    return f"a tensor {'×'.join(map(str, value.shape)) or '()'}" if isinstance(value, Tensor) else repr(value)[:60]


@check("modules", needs=("modules.conv2d_grad_weight",))
def accumulates(g: Grading):
    """A second backward adds to the parameters' gradients"""
    for one in upsampling_and_conv(g):
        module, given, expected = ready(g, one)
        for _ in range(2):
            module.forward(given.x)
            module.backward(given.cotangent)
        for name, got in cases.gradients(module.param(), given).items():
            tolerance = g.config["tolerance"]["absolute"]
            if found := mismatch(got, 2 * expected[name], tolerance):
                overwritten = mismatch(got, expected[name], tolerance) is None
                hint = "The second backward overwrites the gradient of the first: is it = where += is meant?"
                raise Failed(
                    f"{one.module}, {name} after two backwards: {found.message}", hint if overwritten else ""
                )


@check("modules", needs=("modules.conv2d_forward",))
def assigned_weights(g: Grading):
    """Weights changed in place or assigned are used by the next forward, and param() lists them"""
    for one in upsampling_and_conv(g):
        module, given, _ = ready(g, one)
        module.forward(given.x)
        other = cases.make(one, g.seed + 1)
        g.session.set(module, "weight", other.weight)
        g.session.set(module, "bias", other.bias)
        expected = cases.reference(one, other)["forward"]
        if found := mismatch(module.forward(other.x), expected, g.config["tolerance"]["absolute"]):
            raise Failed(
                f"{one.module} after new weights were assigned: {found.message}",
                "Are old weights kept somewhere?",
            )
        listed = [pair[0] for pair in module.param() if isinstance(pair[0], Tensor)]
        if not any(p.shape == other.weight.shape and torch.equal(p.float(), other.weight) for p in listed):
            raise Failed(
                f"{one.module}.param() does not list the weight that was assigned",
                "Is the list made once, at the start?",
            )


@check("modules", needs=("api.imports",))
def input_untouched(g: Grading):
    """No module changes its input or the gradient that it is given"""
    for name in ("Conv2d", "TransposeConv2d", "NearestUpsampling", "ReLU", "Sigmoid"):
        if not adapt.name_of(g.session, name):
            continue
        module, given, _ = ready(g, cases.CORE[name][1])
        x, cotangent = g.session.put(given.x), g.session.put(given.cotangent)
        module.forward(x)
        module.backward(cotangent)
        for what, there, before in (("input", x, given.x), ("gradient", cotangent, given.cotangent)):
            if not torch.equal(g.session.value(there), before):
                raise Failed(
                    f"{name} changes the {what} that it is given",
                    "Is there a method ending in _, or x[…] = …?",
                )


@check("modules", needs=("api.imports",))
def backward_twice(g: Grading):
    """The same backward twice returns the same gradient"""
    for name in ("Conv2d", "TransposeConv2d", "NearestUpsampling", "ReLU", "Sigmoid"):
        if not adapt.name_of(g.session, name):
            continue
        module, given, _ = ready(g, cases.CORE[name][1])
        module.forward(given.x)
        first, second = module.backward(given.cotangent), module.backward(given.cotangent)
        tolerance = g.config["tolerance"]["absolute"]
        if isinstance(first, Tensor) and (found := mismatch(second, first.double(), tolerance)):
            raise Failed(f"{name}, the second time: {found.message}", "Does backward change what forward saved?")


@check("modules", needs=("api.imports",))
def fresh_memory(g: Grading):
    """No result depends on what fresh memory happens to hold"""
    try:
        g.session.poison(True)
        for one in upsampling_and_conv(g):
            outcome = cases.run(g, one)
            for part in outcome.expected:
                got = outcome.got[part]
                if isinstance(got, Tensor) and not got.isfinite().all():
                    hint = "torch.empty is not zeros: is a gradient accumulated into it?"
                    raise Failed(f"fresh memory full of NaN shows in the result: {one}, {part}", hint)
    finally:
        if not g.session.child.problem:
            g.session.poison(False)


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
        case("Conv2d", (3, 2, 9, 10), 2, 3, (3, 2), stride=(1, 2), padding=(0, 1)),
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
