"""How a submission is called: each way in which that differs from the assignment is told once, and costs little."""

import torch
from torch import Tensor

from ..context import Grading
from ..registry import Failed, Follows, NotApplicable, check
from ..results import FAILED
from ..sandbox.child import Raised, SubmissionProblem
from ..sandbox.session import Remote
from . import cases
from .cases import case
from .compare import mismatch, size
from .judging import WITH_PARAMETERS, conventions, each, name_of, ready, roles, with_parameters
from .loss import takes_target_first

GRADED = "Model", "Conv2d", "ReLU", "Sigmoid", "Sequential", "MSE", "SGD"
UPSAMPLINGS = "TransposeConv2d", "NearestUpsampling"
ACTIVATIONS = "ReLU", "Sigmoid"
UNLIKE = (
    "elsewhere",
    "manner",
    "beside",
    "keeps",
    "sequential_returns",
    "sequential_target",
    "pairs_only",
)  # notes about how gradients are had
TARGET_FIRST = "the loss takes the target first and the prediction second"


def exported(g: Grading, role: str) -> str | None:
    """The name under which model.py gives the class that plays a role; None if it does not."""
    own = name_of(g, role)
    return own if own in g.session.loaded and role not in conventions(g)["functions"] else None


@check("conventions", needs=("api.imports",))
def names(g: Grading):
    """All graded names can be imported from model.py"""
    missing = [said(g, name) for name in GRADED if name not in g.session.loaded]
    if not set(UPSAMPLINGS) & set(g.session.loaded):
        instead = [own for role in (*UPSAMPLINGS, "NearestConv") if (own := name_of(g, role))]
        instead.sort(key=lambda own: own not in g.session.loaded)
        missing.append(
            "TransposeConv2d or NearestUpsampling" + (f" ({instead[0]} is judged in its place)" if instead else "")
        )
    if missing:
        raise Failed(f"missing: {', '.join(missing)}", "Does model.py import them from where they are defined?")


def said(g: Grading, name: str) -> str:
    instead = g.once(roles).get(name)
    if instead is None:
        return name
    return f"{name} ({instead} is judged in its place)" if instead != name else f"{name} (defined elsewhere)"


@check("conventions", needs=("api.imports",))
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
    for role, args, kwargs in ways:
        own = exported(g, role)
        if role in conventions(g)["without_bias"]:  # told by another check
            kwargs = {name: value for name, value in kwargs.items() if name != "bias"}
        try:
            built = g.session.new(own, *args, **kwargs) if own else None
        except Raised as raised:
            wrong.append(f"{own}({arguments(args, kwargs)}) {raised}")
            continue
        if built is not None and len(args) == 5 and (sentence := in_another_order(g, own, role, built)):
            wrong.append(sentence)
    if exported(g, "Sequential") and exported(g, "ReLU"):
        try:
            g.session.new(exported(g, "Sequential"), g.session.new(exported(g, "ReLU")))
        except Raised as raised:
            wrong.append(f"{exported(g, 'Sequential')}(ReLU()) {raised}")
    if note := conventions(g)["notes"].get("exchanged"):
        wrong.insert(0, note)
    if wrong:
        raise Failed("; ".join(wrong[:3]), "Are names, order and defaults of the arguments those of torch?")


def in_another_order(g: Grading, own: str, role: str, built: Remote) -> str:
    """What is said if the fourth argument is not the stride or the fifth not the padding: the output's size shows."""
    height = {"Conv2d": 4, "TransposeConv2d": 15}[role]
    try:
        y = built.forward(torch.zeros(1, 3, 8, 8))
    except SubmissionProblem:
        return ""  # not the order's fault
    if isinstance(y, Tensor) and y.dim() == 4 and y.shape[2] != height:
        return f"{own}(3, 4, 3, 2, 1) on 1×3×8×8: expected the height {height}, got {y.shape[2]}"
    return ""


def arguments(args: tuple, kwargs: dict) -> str:
    return ", ".join([*map(str, args), *(f"{name}={value}" for name, value in kwargs.items())])


@check("conventions", needs=("api.imports",))
def param_pairs(g: Grading):
    """param() lists (parameter, gradient) pairs of equal size; none for ReLU and Sigmoid"""
    for one in with_parameters(g):
        own = exported(g, one.module)
        if own is None:
            continue
        module, given = ready(g, one)
        module.prepare()
        count = 1 if given.bias is None else 2
        expect_pairs(module.listed(), count, f"{own}.param()", "Is it [(weight, gradient), (bias, gradient)]?")
        if name_of(g, "Sequential"):
            what, hint = f"Sequential({own}).param()", "Is it one list for all layers?"
            expect_pairs(module.listed_by_network(), count, what, hint)
    for role in ACTIVATIONS:
        if exported(g, role) and (listed := g.session.driven(role).listed()) not in ([], ()):
            raise Failed(f"{role}.param(): expected an empty list, got {describe(listed)}")


def expect_pairs(listed, count: int, what: str, hint: str) -> None:
    if not (isinstance(listed, list | tuple) and len(listed) == count and all(map(is_pair, listed))):
        wanted = "2 pairs" if count == 2 else "1 pair"
        raise Failed(f"{what}: expected {wanted} (parameter, gradient), got {describe(listed)}", hint)


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


@check("conventions", needs=("api.imports",))
def direct(g: Grading):
    """Gradients are had by forward(x) and backward(gradient), which returns the input's"""
    for role in cases.CORE:
        if name_of(g, role):
            g.once(cases.sweep, role)
    notes = conventions(g)["notes"]
    told = [notes[code] for code in UNLIKE if code in notes]
    if told:
        raise Failed(
            "; ".join(told), "Can a module be used by itself: y = m.forward(x), grad_x = m.backward(grad_y)?"
        )


@check("conventions", needs=("api.imports",))
def loss_call(g: Grading):
    """The loss is MSE().forward(prediction, target); its backward() returns the gradient"""
    own = exported(g, "MSE")
    if own is None:
        raise NotApplicable("model.py gives no MSE")
    x, target = torch.rand(2, 2, 3, 3), torch.rand(2, 2, 3, 3)
    mse = g.session.new(own)
    mse.forward(x, target)
    if not isinstance(got := mse.backward(), Tensor):
        raise Failed(f"MSE().backward(): expected a tensor, got {describe(got)}")
    if g.once(takes_target_first):
        raise Failed(TARGET_FIRST, "torch's MSELoss takes the prediction first.")
    if "loss_order" in (notes := conventions(g)["notes"]):
        raise Failed(notes["loss_order"], "torch's MSELoss takes the prediction first.")


@check("conventions", needs=("api.imports",))
def sgd_call(g: Grading):
    """The optimiser is built and used as SGD(net.param(), lr=0.1) and step()"""
    own, one = exported(g, "SGD"), next(iter(with_parameters(g)), None)
    if own is None or one is None:
        raise NotApplicable("model.py gives no SGD")
    module, given = ready(g, one)
    module.forward(given.x)
    try:
        module.backward(given.cotangent)
    except Raised:
        raise NotApplicable("not judged: there is no gradient to step along") from None
    net = g.session.keep(module, "network")
    before = module.parameters()
    g.session.new(own, g.session.keep(net, "param"), lr=0.1).step()
    after = module.parameters()
    if all(torch.equal(before[name], after[name]) for name in before):
        if g.findings["optimiser.sgd_step"].status == FAILED:
            raise Follows("optimiser.sgd_step")
        raise Failed(
            "SGD(net.param(), lr=0.1).step() leaves the weights as they are", "Does it read param()'s pairs?"
        )


@check("conventions", needs=("api.imports",))
def assigned_weights(g: Grading):
    """weight and bias have torch's shapes; new ones that are assigned are used, and listed"""
    tolerance = g.config["tolerance"]["absolute"]

    def assigned(one: cases.Case) -> None:
        own = exported(g, one.module)
        if own is None:
            return
        complete = cases.completed(g.session, one)
        module, other, expected = ready(g, one)[0], cases.make(complete, g.inputs_seed + 1), complete.counterpart()
        for name in ("weight", "bias") if other.bias is not None else ("weight",):
            value = getattr(other, name)
            there = module.attribute(name)
            if not isinstance(there, Tensor):
                raise Failed(f"{own} has no attribute {name}" + called(g, module, name))
            if there.shape != value.shape:
                raise Failed(f"{own}.{name} has the shape {size(there.shape)}, torch's has {size(value.shape)}")
            module.forward(other.x)
            module.set_attribute(name, value.to(there.dtype))
            getattr(expected, name).data.copy_(value)
        with torch.no_grad():
            wanted = expected(other.x.double())
        right = g.once(cases.sweep, one.module)[cases.CORE[one.module].index(one)]
        if right.mismatch("forward", tolerance):
            return  # wrong with its own weights as well, and counted there
        if found := mismatch(module.forward(other.x), wanted, tolerance):
            hint = "Is a copy of the old ones kept somewhere?"
            raise Failed(f"{own} after new weights were assigned: {found.message}", hint)
        if module.lists("weight") is False:
            raise Failed(
                f"{own}.param() does not list the weight that was assigned: it is stale",
                "Is the list made once, at the start, instead of by every call?",
            )

    each(g, assigned, *(one for one in with_parameters(g) if one.module != "NearestConv"))


def called(g: Grading, module: Remote, name: str) -> str:
    own = module.whereabouts(name)
    return f"; it is called {own}" if isinstance(own, str) and own else ""


@check("conventions", needs=("api.imports",))
def default_type(g: Grading):
    """The default type of tensors is left at float32, and the weights are of that type"""
    found = conventions(g)
    if found["dtype"] != "float32":
        raise Failed(f"importing model.py makes {found['dtype']} the default type of the whole process")
    if note := found["notes"].get("weights_type"):
        raise Failed(note, "Tensors that come from elsewhere are float32, as a grader's are.")


@check("conventions", needs=("modules.conv2d_forward",))
def no_bias(g: Grading):
    """Convolutions have a bias, which bias=False leaves out"""
    tolerance = g.config["tolerance"]["absolute"]
    for role in conventions(g)["without_bias"]:
        raise Failed(f"{name_of(g, role)} adds no bias; torch's has one unless bias=False")
    for role in WITH_PARAMETERS[:2]:
        if not name_of(g, role):
            continue
        one = case(role, (3, 2, 6, 7), 2, 3, 3, bias=False)
        outcome, core = cases.run(g, one), g.once(cases.sweep, role)
        for part in outcome.expected:
            found = outcome.mismatch(part, tolerance)
            if found and not any(other.mismatch(part, tolerance) for other in core):
                raise Failed(
                    f"{one}: {found.message}", "Is a bias added all the same? There is none added if bias=False."
                )
