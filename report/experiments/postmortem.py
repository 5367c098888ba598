"""The paper's mistakes, put back one at a time and together."""

import math
import statistics
from pathlib import Path

import torch

from . import pairs
from .config import SEEDS, Experiment, config
from .defects import DEFECTS
from .runs import SummedMSE, network

# Letters of defects.DEFECTS. All but the first are on top of (f), the scale that learns at the paper's rate: without
# it, nothing does.
SETS = ("", "f", "af", "bf", "cf", "df", "Df", "ef", "abf", "acf", "bcf", "bcdef", "abcdef")
BATCH_SIZES = (1, 2, 8, 100)
COSINE_DEFECTS = ("a", "b", "ab", "d", "D")  # the others scale the gradient, or change the function itself
TRAINED = Path(__file__).parents[1] / "weights" / "paper.pth"


def _variant(defects):
    return config(
        variant="+".join(defects) or "none",
        defects=defects,
        scale="sum" if "f" in defects else "mean",
        epochs=4,
        evaluations=20,
    )


def measure(folder, quick):
    """What a defect does to the weights' gradients: the cosine of the angle to the true one, layer by layer, at the
    start and after training, over several batches and seeds.
    """
    return {
        "defects": DEFECTS,
        "cosines": [
            {
                "defects": defects,
                "state": state,
                "batch": batch,
                "layer": layer,
                "mean": statistics.fmean(values),
                "spread": statistics.stdev(values),
                "count": len(values),
            }
            for defects in COSINE_DEFECTS
            for state in ("initial", "trained")
            for batch in BATCH_SIZES
            for layer, values in _cosines(defects, state, batch, 2 if quick else 20, folder).items()
        ],
    }


def _cosines(defects, state, batch, batches, folder):
    """For each weight's name, the cosines over seeds and batches."""
    noisy_in, noisy_out = pairs.training(folder)
    cosines = {}
    for seed in SEEDS:
        true, defective = network(config(), seed), network(config(defects=defects), seed)
        if state == "trained":
            for made in (true, defective):
                made.load_state_dict(torch.load(TRAINED, weights_only=True))
        for i in range(batches):
            start = (seed * batches + i) * max(BATCH_SIZES)
            part = slice(start, start + batch)
            gradients = [_weight_gradients(made, noisy_in[part], noisy_out[part]) for made in (true, defective)]
            for name, gradient in gradients[0].items():
                cosine = torch.cosine_similarity(gradient.double(), gradients[1][name].double(), 0).item()
                if math.isfinite(cosine):
                    cosines.setdefault(name, []).append(cosine)
    return cosines


def _weight_gradients(made, noisy_in, noisy_out):
    """The flattened gradient of every weight, by its name."""
    loss = SummedMSE()
    device = made.param()[0][0].device
    x, target = (half.to(device).float() / 255 for half in (noisy_in, noisy_out))
    made.zero_grad()
    loss.forward(made.forward(x), target)
    made.accumulate(loss.backward())
    return {
        name: gradient.reshape(-1).clone()
        for name, (_, gradient) in made.named_param().items()
        if name.endswith("weight")
    }


# Whether it is the batch or the optimiser that makes (a) fatal: 2,000 steps of 10 pictures, and Adam.
FURTHER = [
    config(variant="f, batch 10", scale="sum", defects="f", batch=10, epochs=0.4, evaluations=20),
    config(variant="a+f, batch 10", scale="sum", defects="af", batch=10, epochs=0.4, evaluations=20),
    config(variant="none, Adam", scale="mean", optimizer="Adam", lr=3e-3, epochs=2, evaluations=20),
    config(variant="a, Adam", scale="mean", optimizer="Adam", lr=3e-3, defects="a", epochs=2, evaluations=20),
    config(variant="b, Adam", scale="mean", optimizer="Adam", lr=3e-3, defects="b", epochs=2, evaluations=20),
]
POSTMORTEM = Experiment(
    "postmortem",
    "the paper's mistakes, one at a time and together",
    [_variant(defects) for defects in SETS] + FURTHER,
    measure,
)
