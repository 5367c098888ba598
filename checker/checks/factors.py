"""The constant by which values differ from what they should be, by the name of what was forgotten or is too much."""

from collections.abc import Iterator

from torch import Tensor

from .cases import Outcome
from .compare import mismatch


def common_factor(wrong: list[Outcome], part: str, tolerance: float) -> str:
    """The constant by which the values of all these cases differ from what they should be, by name; or nothing."""
    named = [factor_names(o, part, tolerance) for o in wrong]
    return next((name for name in named[-1] if all(name in names for names in named)), "")


def factor_names(outcome: Outcome, part: str, tolerance: float) -> list[str]:
    """The names of the constant by which the values differ from what they should be; empty if there is none."""
    got, expected = outcome.got[part].double(), outcome.expected[part]
    factor = factor_of(got, expected, tolerance)
    if factor is None:
        return []
    return [name for name, value in constants(outcome) if abs(factor / value - 1) < 1e-3] + [f"{factor:.4g} times"]


def factor_of(got: Tensor, expected: Tensor, tolerance: float) -> float | None:
    """The number that `expected` has to be multiplied with to give `got`; None if there is none."""
    power = (expected * expected).sum().item()
    factor = (got * expected).sum().item() / power if power > 0 else 0.0
    if abs(factor) < 1e-9 or mismatch(got / factor, expected, 10 * tolerance) is not None:
        return None
    return factor


def loss_factor(factor: float, shape: tuple, tolerance: float) -> str | None:
    """The name of a factor of the mean square's gradient that comes of another sum, or half of it, over `shape`; None
    if it has none.
    """
    n, c, h, w = shape
    sums = {"": 1, "N": n, "H·W": h * w, "C·H·W": c * h * w, "N·C": n * c, "N·C·H·W": n * c * h * w, "half": 0.5}
    name = next((name for name, value in sums.items() if abs(abs(factor) / value - 1) < tolerance), None)
    return name if name is None or factor > 0 else f"−{name or 1}"


def constants(outcome: Outcome) -> Iterator[tuple[str, float]]:
    """(name, value) of the factors that are forgotten, or one too many, most often."""
    yield "minus", -1.0
    yield "twice", 2.0
    yield "half", 0.5
    x, grad_y = outcome.given.x, outcome.given.cotangent
    factors = {"N": x.shape[0]}
    for where, (_, c, h, w) in (("input", x.shape), ("output", grad_y.shape)):
        sizes = {"C": c, "H·W": h * w, "C·H·W": c * h * w, "N·H·W": len(x) * h * w, "N·C·H·W": len(x) * c * h * w}
        factors |= {f"{name} of the {where}": size for name, size in sizes.items()}
    if outcome.given.weight is not None:
        factors["the kernel's area"] = outcome.given.weight.shape[2:].numel()
    if outcome.case.module in ("NearestUpsampling", "NearestConv"):
        factors["the factor squared"] = grad_y.shape[2:].numel() // x.shape[2:].numel()
    for name, value in factors.items():
        if value > 1:
            yield f"{name} times", float(value)
            yield f"1/{name} times" if name == "N" else f"1/({name}) times", 1.0 / value
