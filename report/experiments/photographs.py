"""Runs on photographs at their full size: a small U-Net, any noise, any loss, noisy or clean targets.

They train on the photographs of data/photos, and are judged on those of them that are held out. If the environment
variable N2N_BENCHMARKS names a folder with the field's pictures, they are measured on these, too, in the end.
"""

import math
import os
import time
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

import numpy
import torch

from benchmarks import restoration
from data.build import read_all, split
from data.crops import Crops
from data.load import DataError
from data.noise import noise
from data.psnr import psnr
from data.windows import find_photos, read_photo
from Proj_2.others.loss import LOSSES
from Proj_2.others.networks import NETWORKS
from Proj_2.others.prediction import predict
from Proj_2.others.training import BatchTraining, trapezoid
from training.options import DEFAULTS as OPTIONS

from .pairs import PHOTOS
from .runs import record

BENCHMARKS = "N2N_BENCHMARKS"  # the environment variable that names the folder in which these are
SETS = ("Kodak", "BSD300_test")
MIDDLE = 256  # pixels a side, at most, of what is measured of a photograph held out
RECIPE = {
    name: OPTIONS["crops"][name] for name in ("crop", "batch", "decay", "clip", "average", "beta2")
}  # train.py's
QUICK_STEPS = 6

DEFAULTS = {
    "network": "unet_small",
    "noise": "gaussian:25",  # of the training
    "test": "gaussian:25",  # and of what is measured
    "targets": "noisy",  # or clean
    "loss": "l2",
    "steps": 1_200,
    "optimizer": "muon",
    "lr": 4e-3,
    "evaluations": 12,  # points of the curve, beside the start
    **RECIPE,
}


def config(**varied):
    """The configuration of a run, which differs from DEFAULTS in `varied`."""
    unknown = set(varied) - set(DEFAULTS)
    if unknown:
        raise ValueError(f"a configuration has no {', '.join(sorted(unknown))}; it has {', '.join(DEFAULTS)}")
    return DEFAULTS | varied


def quick(made):
    """The same, cut to a few steps."""
    return made | {"steps": QUICK_STEPS, "evaluations": 2}


def describe(folder):
    """The photographs, in words that tell them from any others. The folder of pairs has no part in these runs."""
    sides = zip(("train", "validation"), _photos(), strict=True)
    return {
        role: f"data/photos, {len(photos)} photographs, "
        f"sha256 {sha256(' '.join(photo.digest for photo in photos).encode()).hexdigest()[:16]}"
        for role, photos in sides
    }


@cache
def _photos():
    """Those to train on and those held out."""

    def quiet(line):
        pass

    return split(read_all(find_photos([PHOTOS]), map, quiet), say=quiet)


@cache
def _scenes():
    """The same, as `Crops` wants them: each a scene of one picture, uint8 3×H×W."""
    return [
        [[torch.from_numpy(numpy.array(read_photo(p.path))).permute(2, 0, 1)] for p in side] for side in _photos()
    ]


def run(config, seed, folder):
    """Train as `config` says and return the record of it; the folder of pairs has no part in it.

    A point of `curve` is the number of steps, the PSNR in dB that the average of the weights then has on the
    photographs held out, and the seconds of one core's time that these steps took.
    """
    start = time.perf_counter()
    train, held_out = _scenes()
    torch.manual_seed(seed)
    network, measured = (NETWORKS[config["network"]]() for _ in range(2))
    training = BatchTraining(
        network,
        1,
        config["steps"] * config["batch"],
        config["lr"],
        config["batch"],
        seed,
        loss=LOSSES[config["loss"]](),
        schedule=partial(trapezoid, warmup=0.05, decay=config["decay"]),
        clip=config["clip"],
        average=config["average"],
        beta2=config["beta2"],
        muon=config["optimizer"] == "muon",
    )
    crops = Crops(train, noise(config["noise"]), config["crop"], seed, config["targets"] == "clean")
    middles = list(Crops(held_out, noise(config["test"])).middles(MIDDLE))

    def score():
        measured.load_state_dict(training.average.state_dict())
        return torch.cat([psnr(predict(measured, noisy).clamp_(0, 255), clean) for noisy, clean in middles]).mean()

    marks = {round(config["steps"] * i / config["evaluations"]) for i in range(1, config["evaluations"] + 1)}
    curve, losses, times = [[0, score().item(), 0.0]], [], []
    before = time.process_time()
    for loss in training.epoch(crops.epoch(0, config["steps"] * config["batch"], config["batch"])):
        losses.append(float(loss))
        times.append(time.process_time() - before)
        if not math.isfinite(losses[-1]) or len(losses) in marks:
            curve.append([len(losses), score().item(), sum(times)])
        if not math.isfinite(losses[-1]):
            break
        before = time.process_time()
    steps = OPTIONS["crops"]["pairs"] / config["batch"]  # of an epoch, as train.py counts
    return record(config, seed, curve, losses, times, steps, start) | {"sets": _on_sets(measured, config)}


def _on_sets(network, config):
    """The means of PSNR and SSIM on each of the field's sets of pictures, if they are here."""
    folder = os.environ.get(BENCHMARKS)
    if not folder:
        return {}
    kept, means = noise(config["test"]), {}
    for name in SETS:
        paths = find_photos([Path(folder) / name])
        pictures = [restoration.measure(network, kept, path, number) for number, path in enumerate(paths)]
        means[name] = {"pictures": len(pictures), **restoration.means(pictures)}
    return means


def check_sets():
    """Raises DataError if the environment names a folder for the field's pictures that lacks them."""
    folder = os.environ.get(BENCHMARKS)
    if folder and any(not (Path(folder) / name).is_dir() for name in SETS):
        raise DataError(f"{BENCHMARKS} is {folder}, which lacks a folder {' or '.join(SETS)}; expected both in it")
