"""Noise2Noise's point on photographs: noisy targets do what clean ones do, if the loss fits the noise.

The mean of what a pixel may be is the clean colour where noise is added, the median where words cover less than half
of the picture, and the mode where pixels get random colours: L2, L1 and L0 (J. Lehtinen et al., arXiv 1803.04189).
"""

from functools import partial

from . import photographs
from .experiment import Experiment
from .photographs import config

SHORTER = {"steps": 700, "evaluations": 5}  # losses differ by decibels, targets above by hundredths of one

on_photographs = partial(
    Experiment,
    seeds=(0,),
    run=photographs.run,
    describe=photographs.describe,
    shortened=photographs.quick,
)

GAUSSIAN = on_photographs(
    "gaussian",
    "noisy against clean targets over training time, Gaussian noise",
    [config(targets=targets, steps=12_000) for targets in ("noisy", "clean")],
)

TEXT = on_photographs(
    "text",
    "which loss noisy targets want where words cover the picture",
    [
        config(noise="text", test="text:0.25", targets=targets, loss=loss, **SHORTER)
        for targets, loss in (("noisy", "l2"), ("noisy", "l1"), ("clean", "l1"), ("clean", "l2"))
    ],
)

IMPULSE = on_photographs(
    "impulse",
    "which loss noisy targets want where pixels have random colours",
    [
        config(noise="impulse", test="impulse:0.5", targets=targets, loss=loss, **SHORTER)
        for targets, loss in (("noisy", "l2"), ("noisy", "l1"), ("noisy", "l0"), ("clean", "l2"))
    ],
)
