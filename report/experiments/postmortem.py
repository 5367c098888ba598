"""The paper's mistakes, put back one at a time and together."""

import statistics

import torch

from ..delivered import PAPER_WEIGHTS
from . import pairs
from .config import SEEDS, config
from .defects import DEFECTS
from .experiment import Experiment
from .runs import ConfiguredTraining, SummedMSE, network

# Letters of defects.DEFECTS. All but the first are on top of (f), the scale that learns at the paper's rate: without
# it, nothing does.
SETS = ("", "f", "af", "bf", "cf", "df", "Df", "ef", "abf", "acf", "bcf", "bcdef", "abcdef")
BATCH_SIZES = (1, 2, 8, 100)
COSINE_DEFECTS = ("a", "b", "ab", "d", "D")  # the others scale the gradient, or change the function itself


def _variant(defects):
    return config(
        variant="+".join(defects) or "none",
        defects=defects,
        scale="sum" if "f" in defects else "mean",
        epochs=4,
        evaluations=20,
    )


def measure(folder, quick):
    """What a defect does to the weights' gradients: the cosine of the angle to the true one and the ratio of their
    lengths, layer by layer, over several batches and seeds. In three states of the network: the initial one, where
    most of the gradient asks for another mean colour, and nearly any picture's activations will do; stalled, when
    training with (a) has found that colour and what is left to learn differs from picture to picture; and trained.
    """
    states = {
        "initial": [network(config(), seed).state_dict() for seed in SEEDS],
        "stalled": [_stalled(seed, 5 if quick else 500, folder) for seed in SEEDS],
        "trained": [torch.load(PAPER_WEIGHTS, weights_only=True)] * len(SEEDS),
    }
    return {
        "defects": DEFECTS,
        "cosines": [
            {
                "defects": defects,
                "state": state,
                "batch": batch,
                "layer": layer,
                "mean": statistics.fmean(cosines),
                "spread": statistics.stdev(cosines),
                "ratio": statistics.fmean(ratios),
                "count": len(cosines),
            }
            for state, parameters in states.items()
            for defects in COSINE_DEFECTS
            for batch in BATCH_SIZES
            for layer, (cosines, ratios) in _compare(defects, parameters, batch, 2 if quick else 20, folder).items()
        ],
    }


def _stalled(seed, steps, folder):
    """The state of a network trained with (a) for some steps."""
    recipe = config(defects="af", epochs=steps * 100 / 50_000)
    made = network(recipe, seed)
    for _ in ConfiguredTraining(made, recipe, seed).epoch(*(half[: steps * 100] for half in pairs.training(folder))):
        pass
    return made.state_dict()


def _compare(defects, parameters, batch, batches, folder):
    """For each weight's name, the cosines and the ratios over seeds and batches; `parameters` has a state a seed."""
    noisy_in, noisy_out = pairs.training(folder)
    compared = {}
    for seed, state in enumerate(parameters):
        true, defective = network(config(), seed), network(config(defects=defects), seed)
        for made in (true, defective):
            made.load_state_dict(state)
        for i in range(batches):
            start = (seed * batches + i) * max(BATCH_SIZES)
            part = slice(start, start + batch)
            gradients = [_weight_gradients(made, noisy_in[part], noisy_out[part]) for made in (true, defective)]
            for name, (right, wrong) in _both(*gradients):
                if right.norm() and wrong.norm():  # no direction otherwise
                    cosines, ratios = compared.setdefault(name, ([], []))
                    cosines.append(torch.cosine_similarity(right, wrong, 0).item())
                    ratios.append((wrong.norm() / right.norm()).item())
    return compared


def _both(first, second):
    """The entries of two dictionaries by name, in double precision."""
    return ((name, (first[name].double(), second[name].double())) for name in first)


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
    # As long as the paper trained.
    config(variant="a+f, 30 epochs", scale="sum", defects="af", epochs=30, evaluations=30),
    config(variant="a+b+c+d+e+f, 30 epochs", scale="sum", defects="abcdef", epochs=30, evaluations=30),
]
POSTMORTEM = Experiment(
    "postmortem",
    "the paper's mistakes, one at a time and together",
    [_variant(defects) for defects in SETS] + FURTHER,
    measure,
)
