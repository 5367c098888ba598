"""Compare what a submission returned with the reference, and say in one sentence how they differ."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..sandbox.child import SubmissionProblem
from ..sandbox.values import Opaque


@dataclass(frozen=True)
class Mismatch:
    """How a value differs from its reference. `got` is None unless it has the right shape and finite values."""

    message: str
    expected: Tensor
    got: Tensor | None = None


def mismatch(got, expected: Tensor, tolerance: float) -> Mismatch | None:
    """None if `got` agrees with `expected` (float64), else the first complaint: type, shape, dtype, values.

    The error is absolute where values are of order 1 and relative to the largest value where that is larger.
    """
    if isinstance(got, SubmissionProblem):
        return Mismatch(str(got), expected)
    complaint = wrong_form(got, tuple(expected.shape))
    if complaint:
        return Mismatch(complaint, expected)
    got = got.double()
    if not got.isfinite().all():
        return Mismatch(not_finite(got, expected), expected)
    if got.numel() == 0:
        return None
    error = (got - expected).abs()
    scale = max(1.0, expected.abs().max().item())
    if error.max().item() <= tolerance * scale:
        return None
    wrong = error > tolerance * scale
    index = tuple(int(i) for i in (error == error.max()).nonzero()[0])
    e, g = expected[index].item(), got[index].item()
    relative = error[index].item() / divisor if (divisor := max(abs(e), tolerance)) else float("inf")
    share = wrong.double().mean().item()
    message = (
        f"expected {e:.5g}, got {g:.5g}{at(index)}, relative error {relative:.2g}"
        f" ({max(share, 0.01):.0%} of the values differ)"
    )
    return Mismatch(message, expected, got)


def wrong_form(got, shape: tuple[int, ...]) -> str | None:
    """What is wrong with the type, shape or dtype of a value that should be a real tensor of that shape."""
    if got is None:
        return "expected a tensor, got None"
    if not isinstance(got, Tensor):
        name = got.type if isinstance(got, Opaque) else type(got).__name__
        return f"expected a tensor, got {name}"
    if tuple(got.shape) != shape:
        return f"expected the shape {size(shape)}, got {size(got.shape)}"
    if got.dtype not in (torch.float32, torch.float64):
        return f"expected float32, got {str(got.dtype).removeprefix('torch.')}"
    return None


def not_finite(got: Tensor, expected: Tensor) -> str:
    index = tuple(int(i) for i in (~got.isfinite()).nonzero()[0])
    count = int((~got.isfinite()).sum())
    values = f"expected {expected[index].item():.5g}, got {got[index].item()}{at(index)}"
    return f"{values} ({count} values are not finite)"


def at(index: tuple[int, ...]) -> str:
    return f" at index {index}" if index else ""


def size(shape) -> str:
    """3×5×7, as a student writes it; a scalar is ()."""
    return "×".join(map(str, shape)) or "()"
