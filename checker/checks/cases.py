"""Inputs for the modules, torch's answers to them in float64, and the submission's answers."""

import contextlib
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from ..registry import Unjudged
from ..sandbox.child import Raised, Stopped, SubmissionProblem
from .compare import Mismatch, mismatch
from .counterparts import COUNTERPARTS

PARTS = ("forward", "grad_input", "grad_weight", "grad_bias")
STOPS = 2  # crashes or time-outs in one sweep, after which its other cases are not tried


@dataclass(frozen=True)
class Case:
    """One module built with these arguments, on one input of this shape."""

    module: str
    shape: tuple[int, int, int, int]  # N, C, H, W
    args: tuple = ()
    options: tuple[tuple[str, object], ...] = ()
    strided: bool = False  # the input is not contiguous
    scale: float = 1.0  # of the input's values
    weight: float = 1.0  # how much it counts among the cases of its module
    inferred: tuple[tuple[str, object], ...] = ()  # of the counterpart alone: what the module does by itself

    def __str__(self) -> str:
        arguments = ", ".join([*map(str, self.args), *(f"{name}={value}" for name, value in self.options)])
        return f"{self.module}({arguments}) on {'a non-contiguous ' * self.strided}{'×'.join(map(str, self.shape))}"

    def option(self, name: str, default):
        return dict(self.options).get(name, default)

    def counterpart(self) -> nn.Module:
        return COUNTERPARTS[self.module](*self.args, **dict(self.options + self.inferred)).double()

    def counterpart_of(self, weight: Tensor | None, bias: Tensor | None) -> nn.Module:
        """The same with these parameters."""
        module = self.counterpart()
        for name, value in (("weight", weight), ("bias", bias)):
            if value is not None:
                getattr(module, name).data.copy_(value)
        return module


def case(module: str, shape: tuple, *args, strided=False, scale=1.0, weight=1.0, **options) -> Case:
    return Case(module, shape, args, tuple(options.items()), strided, scale, weight)


def convolutions(module: str) -> tuple[Case, ...]:
    """The core geometries of either convolution: k 1–5, stride 1–3, batches of 1 and 3, rests, oblong pictures. Those
    that the course's network is made of count most, single pictures and odd sizes least.
    """
    return (
        case(module, (1, 3, 8, 8), 3, 5, 3, weight=0.5),
        case(module, (3, 3, 8, 8), 3, 5, 3, weight=4),
        case(module, (3, 2, 5, 7), 2, 4, 1),
        case(module, (3, 4, 6, 9), 4, 3, 3, weight=1.5, padding=1),
        case(module, (1, 5, 9, 6), 5, 2, 5, weight=0.25, padding=2),
        case(module, (1, 3, 6, 6), 3, 4, 2, weight=0.5, stride=2),
        case(module, (3, 3, 8, 6), 3, 4, 2, weight=2, stride=2),
        case(module, (3, 2, 9, 11), 2, 3, 3, weight=2, stride=2, padding=1),
        case(module, (3, 4, 8, 10), 4, 3, 3, weight=1.5, stride=2, padding=1),
        case(module, (3, 2, 11, 10), 2, 6, 4, weight=1.5, stride=3, padding=2),
        case(module, (1, 2, 7, 8), 2, 3, 3, weight=0.25, stride=3),
        case(module, (1, 3, 7, 5), 3, 3, 3, weight=0.25, padding=2),
    )


SATURATED = case("Sigmoid", (1, 2, 4, 5), scale=100.0, weight=0.5)  # exp(x) overflows in float32 above 88
CORE = {
    "Conv2d": convolutions("Conv2d"),
    "TransposeConv2d": convolutions("TransposeConv2d"),
    "NearestConv": (
        case("NearestConv", (1, 3, 4, 4), 3, 5, 3, weight=0.5),
        case("NearestConv", (3, 3, 4, 4), 3, 5, 3, weight=3),
        case("NearestConv", (3, 2, 5, 3), 2, 4, 3, weight=3),
        case("NearestConv", (3, 4, 3, 6), 4, 2, 5),
    ),
    "NearestUpsampling": (
        case("NearestUpsampling", (1, 3, 4, 4), 2, weight=0.5),
        case("NearestUpsampling", (3, 2, 5, 3), 2, weight=3),
        case("NearestUpsampling", (3, 3, 6, 6), 2),
    ),
    "ReLU": (case("ReLU", (1, 3, 6, 6)), case("ReLU", (3, 2, 5, 7))),
    "Sigmoid": (case("Sigmoid", (1, 3, 6, 6)), case("Sigmoid", (3, 2, 5, 7), scale=4.0), SATURATED),
}


@dataclass(frozen=True)
class Given:
    """What goes into a module, in float32; `cotangent` is the gradient with respect to its output."""

    x: Tensor
    cotangent: Tensor
    weight: Tensor | None = None
    bias: Tensor | None = None


@dataclass(frozen=True)
class Outcome:
    """The submission's answers to a case beside torch's, by part: a value, or the problem that came instead."""

    case: Case
    given: Given
    expected: dict[str, Tensor]
    got: dict[str, object] = field(default_factory=dict)
    built: dict[str, Tensor] = field(default_factory=dict)  # weight and bias before they were assigned

    @property
    def located(self) -> bool:
        """Whether the module's weight was found, or it needs none."""
        return self.given.weight is None or "weight" in self.built or not isinstance(self.got["forward"], Tensor)

    def mismatch(self, part: str, tolerance: float) -> Mismatch | None:
        return mismatch(self.got[part], self.expected[part], tolerance)


def make(case: Case, seed: int) -> Given:
    """Random float32 inputs of order 1, weights such that outputs are too."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape):
        return torch.randn(shape, generator=generator)

    module, x = case.counterpart(), random(*case.shape) * case.scale
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    if weight is not None:
        weight = random(*weight.shape) * (weight.shape[0] / weight.numel()) ** 0.5
    if bias is not None:
        bias = random(*bias.shape)
    with torch.no_grad():
        cotangent = random(*module(x.double()).shape)
    return Given(x, cotangent, weight, bias)


def reference(case: Case, given: Given) -> dict[str, Tensor]:
    """torch's values in float64, by part."""
    module, x = case.counterpart_of(given.weight, given.bias), given.x.double().detach().requires_grad_()
    y = module(x)
    y.backward(given.cotangent.double())
    values = {"forward": y.detach(), "grad_input": x.grad}
    values |= {f"grad_{name}": parameter.grad for name, parameter in module.named_parameters()}
    return values


def run(grading, case: Case) -> Outcome:
    """Ask the submission for all parts of a case; a problem takes the place of the parts that it prevents.

    Fresh memory over there holds NaN, so that whoever relies on its content always shows.
    """
    session, got, built = grading.session, {}, {}
    given = None
    try:
        with poisoned(session):
            case = completed(session, case)
            given = make(case, grading.inputs_seed)
            module = session.driven(case.module, *case.args, **dict(case.options), input_shape=case.shape)
            built = module.parameters() if given.weight is not None else {}
            given = assign(module, given)
            x, cotangent = given.x, given.cotangent
            if case.strided:
                x, cotangent = session.strided(x), session.strided(cotangent)
            got["forward"] = module.forward(x)
            try:
                got["grad_input"] = module.backward(cotangent)
            except Raised as raised:
                got["grad_input"] = raised
            if given.weight is not None:
                got |= gradients(module, given)
            if isinstance(got["grad_input"], Raised):  # the others count if they were computed before it
                got = {part: value if is_computed(value) else got["grad_input"] for part, value in got.items()}
    except SubmissionProblem as problem:
        got |= {part: problem for part in PARTS if part not in got}
    given = given or make(case, grading.inputs_seed)
    return Outcome(case, given, reference(case, given), got, built)


def is_computed(value) -> bool:
    return isinstance(value, Tensor) and bool(value.any())


def completed(session, case: Case) -> Case:
    """The case with what a module that leaves it open does by itself: by how much it enlarges, and how it pads; and
    without a bias where it has none at all.
    """
    if case.module not in ("Conv2d", "NearestConv", "TransposeConv2d"):
        return case
    module = session.driven(case.module, *case.args, **dict(case.options), input_shape=case.shape)
    facts = session.facts()
    if case.module in facts["without_bias"]:
        case = replace(case, inferred=(("bias", False),))
    if case.module == "Conv2d":
        return case
    stride = facts["fixed"].get(case.module, {}).get("stride")
    if case.module == "TransposeConv2d" and (stride is None or case.option("padding", 0)):
        return case
    if stride and case.args[2] < stride:
        why = f"with a stride of {stride} the kernel does not reach every pixel"
        raise Raised({"type": "Unsupported", "text": why, "undriven": True})
    y = module.forward(torch.zeros(case.shape))
    if not isinstance(y, Tensor) or y.dim() != 4:
        return case
    if case.module == "TransposeConv2d":
        lacking = (case.shape[2] - 1) * stride + case.args[2] - y.shape[2]
        padding = max(0, (lacking + 1) // 2)
        inferred = {"stride": stride, "padding": padding, "output_padding": 2 * padding - lacking}
        return replace(case, inferred=(*case.inferred, *inferred.items()))
    factor = facts["factors"].get(case.module, 2)
    padding = max(0, (y.shape[2] - factor * case.shape[2] + case.args[2] - 1) // 2)
    return replace(case, inferred=(*case.inferred, ("scale_factor", factor), ("padding", padding)))


@contextlib.contextmanager
def poisoned(session):
    """Fresh memory over there is filled with NaN."""
    session.poison(True)
    try:
        yield
    finally:
        if not session.child.problem:
            session.poison(False)


def assign(module, given: Given) -> Given:
    """Give a driven module the weights of `given`; returns what it has then: where nothing can be found to assign
    to, it keeps its own, and the mathematics is judged with those.
    """
    values = {name: value for name in ("weight", "bias") if (value := getattr(given, name)) is not None}
    if not values:
        return given
    has = module.assign(values)
    fitting = {
        name: has[name].float()
        for name, value in values.items()
        if isinstance(has, dict) and isinstance(has.get(name), Tensor) and has[name].shape == value.shape
    }
    return replace(given, **fitting)


def gradients(module, given: Given) -> dict[str, object]:
    """The gradients of a driven module's parameters, by part."""
    found, there = {}, module.gradients()
    for name in ("weight", "bias"):
        if getattr(given, name) is not None:
            gradient = there.get(name) if isinstance(there, dict) else None
            problem = SubmissionProblem(f"param() lists no ({name}, gradient) pair with a {name} of its shape")
            found[f"grad_{name}"] = problem if gradient is None else gradient
    return found


def sweep(grading, module: str) -> list[Outcome]:
    """The outcomes of a module's core cases; after a few crashes or time-outs the rest is not tried."""
    outcomes, stops = [], 0
    for one in (*CORE[module], *of_the_model(grading, module)):
        outcomes.append(run(grading, one))
        stops += any(isinstance(value, Stopped) for value in outcomes[-1].got.values())
        if stops == STOPS:
            break
    driven = [outcome for outcome in outcomes if not any(map(is_undriven, outcome.got.values()))]
    if not driven:
        problem = next(filter(is_undriven, outcomes[0].got.values()))
        raise Unjudged(f"the grader found no way to use {module}: it {problem}")
    return driven


def of_the_model(grading, module: str) -> list[Case]:
    """Transposed convolutions as the submission's own network has them, where they have an output padding: what the
    assignment does not ask for, but what this network is made of.
    """
    if module != "TransposeConv2d":
        return []
    found = [one for one in grading.session.facts()["enlarging"] if 0 < one["output_padding"] < one["stride"] < 8]
    usable = [one for one in found if 0 < one["kernel_size"] < 8 and 0 <= one["padding"] < one["kernel_size"]]
    kernels = {tuple(sorted(one.items())): dict(one) for one in usable}.values()
    return [case(module, (3, 2, 5, 4), 2, 3, one.pop("kernel_size"), weight=4, **one) for one in kernels]


def is_undriven(value) -> bool:
    """Whether the grader could not ask for it: no manner works, or there is no argument for what is asked."""
    return isinstance(value, Raised) and value.undriven


def part_of(given: Given, pictures: slice) -> Given:
    """The same, with some pictures of the batch only."""
    return replace(given, x=given.x[pictures], cotangent=given.cotangent[pictures])
