"""What the words of supplement.tex rest on, as ../claims.py has it for the report's."""

from ..measured import Measured
from .goals import speeds, step_result


def _targets_level(measured: Measured):
    """All of the second half of the training, so that no lucky end decides."""
    noisy, clean = (measured.run("gaussian", targets=targets)["curve"] for targets in ("noisy", "clean"))
    half = len(noisy) // 2
    return all(abs(a[1] - b[1]) < 0.3 for a, b in zip(noisy[half:], clean[half:], strict=True))


def _text(measured: Measured):
    fit, unfit, clean = (
        measured.run("text", targets=targets, loss=loss)["psnr"]
        for targets, loss in (("noisy", "l1"), ("noisy", "l2"), ("clean", "l1"))
    )
    return fit > unfit + 1 and clean - fit < fit - unfit


def _impulse(measured: Measured):
    fit, middling, unfit = (
        measured.run("impulse", targets="noisy", loss=loss)["psnr"] for loss in ("l0", "l1", "l2")
    )
    return unfit + 1 < fit < middling


def _speed(measured: Measured):
    mixed, *_ = speeds(measured)
    return mixed > 1


def _memory(measured: Measured):
    peaks = step_result(measured)["peak bytes"]
    return peaks["ours"] <= 1.1 * min(peaks["torch eager"], peaks["torch eager, channels_last"])


CLAIMS = {
    "noisy and clean targets stay within 0.3 dB of each other over the second half of the training": _targets_level,
    "noisy targets and L1 lead clearly further than noisy targets and L2 where words cover the picture": _text,
    "where colours are random, noisy targets and L0 lead clearly further than L2, and L1 still further": _impulse,
    "in bfloat16 a step takes less time than PyTorch's in float32": _speed,
    "a step needs about as much memory as PyTorch's, or less": _memory,
}
