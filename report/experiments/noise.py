"""Noise2Noise itself: what noisy targets cost against clean ones, and fixed noise against fresh."""

from .choices import TUNED
from .config import config
from .experiment import Experiment
from .pairs import POOL

STEPS = 800


def _run(pairs, **varied):
    """Runs of equal length, whatever the number of pairs."""
    return config(**TUNED, **varied, pairs=pairs, epochs=STEPS * 100 / pairs, evaluations=5)


NOISE2NOISE = Experiment(
    "noise2noise",
    f"noisy against clean targets, {STEPS} steps",
    [_run(pairs, targets=targets) for targets in ("noisy", "clean") for pairs in (500, 2_000, 10_000, 50_000)],
)

FRESH_NOISE = Experiment(
    "fresh_noise",
    f"fixed pairs against new noise for every epoch, {STEPS} steps",
    [_run(pairs, noise=noise, windows="pool") for noise in ("fixed", "fresh") for pairs in (POOL // 4, POOL)],
)
