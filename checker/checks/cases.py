"""Inputs for the modules, torch's answers to them in float64, and the submission's answers."""

import contextlib
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from ..sandbox.child import Raised, Stopped, SubmissionProblem
from ..driving import adapt
from .compare import Mismatch, mismatch

PARTS = ("forward", "grad_input", "grad_weight", "grad_bias")
STOPS = 2  # crashes or time-outs in one sweep, after which its other cases are not tried

COUNTERPARTS = {
    "Conv2d": nn.Conv2d,
    "TransposeConv2d": nn.ConvTranspose2d,
    "NearestUpsampling": lambda scale_factor: nn.Upsample(scale_factor=scale_factor, mode="nearest"),
    "ReLU": nn.ReLU,
    "Sigmoid": nn.Sigmoid,
}


@dataclass(frozen=True)
class Case:
    """One module built with these arguments, on one input of this shape."""

    module: str
    shape: tuple[int, int, int, int]  # N, C, H, W
    args: tuple = ()
    options: tuple[tuple[str, object], ...] = ()
    strided: bool = False  # the input is not contiguous
    scale: float = 1.0  # of the input's values

    def __str__(self) -> str:
        arguments = ", ".join([*map(str, self.args), *(f"{name}={value}" for name, value in self.options)])
        layout = "a non-contiguous " if self.strided else ""
        return f"{self.module}({arguments}) on {layout}{'×'.join(map(str, self.shape))}"

    def option(self, name: str, default):
        return dict(self.options).get(name, default)

    def counterpart(self) -> nn.Module:
        return COUNTERPARTS[self.module](*self.args, **dict(self.options)).double()


def case(module: str, shape: tuple, *args, strided: bool = False, scale: float = 1.0, **options) -> Case:
    return Case(module, shape, args, tuple(options.items()), strided, scale)


def convolutions(module: str) -> tuple[Case, ...]:
    """The core geometries of either convolution: k 1–5, stride 1–3, batches of 1 and 3, rests, oblong pictures."""
    return (
        case(module, (1, 3, 8, 8), 3, 5, 3),
        case(module, (3, 3, 8, 8), 3, 5, 3),
        case(module, (3, 2, 5, 7), 2, 4, 1),
        case(module, (3, 4, 6, 9), 4, 3, 3, padding=1),
        case(module, (1, 5, 9, 6), 5, 2, 5, padding=2),
        case(module, (1, 3, 6, 6), 3, 4, 2, stride=2),
        case(module, (3, 3, 8, 6), 3, 4, 2, stride=2),
        case(module, (1, 2, 10, 9), 2, 3, 3, stride=2),
        case(module, (3, 4, 8, 10), 4, 3, 3, stride=2, padding=1),
        case(module, (3, 2, 11, 10), 2, 6, 4, stride=3, padding=1),
        case(module, (1, 2, 7, 8), 2, 3, 3, stride=3),
        case(module, (1, 3, 7, 5), 3, 3, 3, padding=2),
    )


CORE = {
    "Conv2d": convolutions("Conv2d"),
    "TransposeConv2d": convolutions("TransposeConv2d"),
    "NearestUpsampling": (
        case("NearestUpsampling", (1, 3, 4, 4), 2),
        case("NearestUpsampling", (3, 2, 5, 3), 2),
        case("NearestUpsampling", (3, 3, 3, 4), 3),
        case("NearestUpsampling", (1, 2, 4, 5), scale_factor=4),
    ),
    "ReLU": (case("ReLU", (1, 3, 6, 6)), case("ReLU", (3, 2, 5, 7))),
    "Sigmoid": (case("Sigmoid", (1, 3, 6, 6)), case("Sigmoid", (3, 2, 5, 7), scale=4.0)),
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
    module, x = case.counterpart(), given.x.double().requires_grad_()
    with torch.no_grad():
        for name in ("weight", "bias"):
            if getattr(given, name) is not None:
                getattr(module, name).copy_(getattr(given, name))
    y = module(x)
    y.backward(given.cotangent.double())
    values = {"forward": y.detach(), "grad_input": x.grad}
    values |= {f"grad_{name}": parameter.grad for name, parameter in module.named_parameters()}
    return values


def run(grading, case: Case) -> Outcome:
    """Ask the submission for all parts of a case; a problem takes the place of the parts that it prevents.

    Fresh memory over there holds NaN, so that whoever relies on its content always shows.
    """
    given = make(case, grading.seed)
    session, got, built = grading.session, {}, {}
    try:
        with poisoned(session):
            module = adapt.new(session, case.module, *case.args, **dict(case.options))
            given, built = assign(session, module, given)
            x, cotangent = given.x, given.cotangent
            if case.strided:
                x, cotangent = session.strided(x), session.strided(cotangent)
            got["forward"] = module.forward(x)
            try:
                got["grad_input"] = module.backward(cotangent)
            except Raised as raised:
                got["grad_input"] = raised
            if given.weight is not None:
                got |= gradients(module.param(), given)
            if isinstance(got["grad_input"], Raised):  # the others count if they were computed before it
                got = {part: value if is_computed(value) else got["grad_input"] for part, value in got.items()}
    except SubmissionProblem as problem:
        got |= {part: problem for part in PARTS if part not in got}
    return Outcome(case, given, reference(case, given), got, built)


def is_computed(value) -> bool:
    return isinstance(value, Tensor) and bool(value.any())


@contextlib.contextmanager
def poisoned(session):
    """Fresh memory over there is filled with NaN."""
    session.poison(True)
    try:
        yield
    finally:
        if not session.child.problem:
            session.poison(False)


def assign(session, module, given: Given) -> tuple[Given, dict[str, Tensor]]:
    """Give a module the weights of `given`; returns what it has then, and what it was built with.

    Where no attribute can be found to assign to, it keeps its own, and the mathematics is judged with those.
    """
    built = {}
    for name in ("weight", "bias"):
        value = getattr(given, name)
        if value is None:
            continue
        own, built_with = adapt.attribute(session, module, name)
        if built_with is not None:
            built[name] = built_with
            same_size = name == "bias" and built_with.numel() == value.numel()
            session.set(module, own, value.view(built_with.shape) if same_size else value)
        elif listed := [p for p, _ in adapt.pairs(module.param()) if p.shape == value.shape]:
            given = replace(given, **{name: listed[0].float()})
        else:
            session.set(module, name, value)
    return given, built


def gradients(listed, given: Given) -> dict[str, object]:
    """The gradients in what param() returned, told apart by their parameters: the bias has one dimension, or the
    size of one.
    """
    found: dict[str, object] = {}
    for name in ("weight", "bias"):
        parameter = getattr(given, name)
        if parameter is None:
            continue
        mine = [gradient for p, gradient in adapt.pairs(listed) if is_named(name, p, parameter)]
        problem = SubmissionProblem(f"param() lists no ({name}, gradient) pair with a {name} of its shape")
        found[f"grad_{name}"] = mine[0] if mine else problem
        if name == "bias" and isinstance(mine and mine[0], Tensor) and mine[0].numel() == parameter.numel():
            found["grad_bias"] = mine[0].reshape(parameter.shape)
    return found


def is_named(name: str, listed: Tensor, parameter: Tensor) -> bool:
    if name == "weight":
        return listed.dim() == 4 and listed.numel() == parameter.numel()
    return listed.numel() == max(listed.shape, default=0) == parameter.numel()


def sweep(grading, module: str) -> list[Outcome]:
    """The outcomes of a module's core cases; after a few crashes or time-outs the rest is not tried."""
    outcomes, stops = [], 0
    for one in CORE[module]:
        outcomes.append(run(grading, one))
        stops += any(isinstance(value, Stopped) for value in outcomes[-1].got.values())
        if stops == STOPS:
            break
    return outcomes


def part_of(given: Given, pictures: slice) -> Given:
    """The same, with some pictures of the batch only."""
    return replace(given, x=given.x[pictures], cotangent=given.cotangent[pictures])
