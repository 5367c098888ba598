"""The time from random weights to a PSNR, against the same recipe, order of the pictures and all, in torch.nn.

    python -m benchmarks.time_to_quality [--data DIR] [--network NAME] [--psnr DB]

Only training steps are timed; the PSNR on DIR's `val_data.pkl` is taken every 50 of them. The contenders take turns.
"""

import argparse
import time
from pathlib import Path

import torch

from data.build import TRAIN_FILE, VAL_FILE
from data.load import load_pair
from data.psnr import psnr
from Proj_2.others.networks import NETWORKS
from Proj_2.others.prediction import predict
from Proj_2.others.training import Training

from .contenders import DEVICE, TorchTraining
from .timing import write

EVERY = 50


def race(runners, pairs, validation, goal):
    """Let `runners`, name -> training, take turns of EVERY steps until each has reached `goal` dB or its schedule's
    end; returns rows of name, seconds, steps and dB.
    """
    rows = []
    lanes = {name: training.epoch(*pairs) for name, training in runners.items()}
    seconds = dict.fromkeys(runners, 0.0)
    while lanes:
        for name in list(lanes):
            start = time.perf_counter()
            done = sum(1 for _, _ in zip(range(EVERY), lanes[name], strict=False))
            seconds[name] += time.perf_counter() - start
            reached = quality(runners[name], *validation)
            print(
                f"{name:32} step {runners[name].optimizer.steps:5}  {seconds[name]:7.1f} s  {reached:6.2f} dB",
                flush=True,
            )
            if reached >= goal or done < EVERY:
                steps = runners[name].optimizer.steps
                rows.append({"name": name, "seconds": seconds[name], "steps": steps, "psnr": reached})
                del lanes[name]
    return rows


def quality(training, noisy, clean):
    """The PSNR in dB of what `training` has trained so far."""
    if isinstance(training, TorchTraining):
        training.network.load_state_dict(training.model.state_dict())
    return float(psnr(predict(training.network, noisy), clean).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default="data")
    parser.add_argument("--network", choices=NETWORKS, default="large")
    parser.add_argument("--psnr", type=float, default=23.0)
    arguments = parser.parse_args()
    pairs, validation = (load_pair(arguments.data / name) for name in (TRAIN_FILE, VAL_FILE))
    recipe = (1, len(pairs[0]))
    kinds = {
        "ours": (Training, {}),
        "ours, bfloat16 products": (Training, {"mixed": True}),
        "torch eager": (TorchTraining, {}),
        "torch eager, channels_last": (TorchTraining, {"channels_last": True}),
        "torch.compile, channels_last": (TorchTraining, {"channels_last": True, "compiled": True}),
    }
    runners = {}
    for name, (kind, options) in kinds.items():
        torch.manual_seed(0)  # the same initial weights for all
        runners[name] = kind(NETWORKS[arguments.network]().to(DEVICE), *recipe, **options)
    with torch.no_grad():
        rows = race(runners, pairs, validation, arguments.psnr)
    rows.sort(key=lambda row: row["seconds"])
    print(f"\n{'to ' + format(arguments.psnr, '.1f') + ' dB':32}{'seconds':>9}{'steps':>7}{'dB':>8}")
    for row in rows:
        print(f"{row['name']:32}{row['seconds']:9.1f}{row['steps']:7}{row['psnr']:8.2f}")
    write("time_to_quality", {"network": arguments.network, "goal": arguments.psnr, "rows": rows})


if __name__ == "__main__":
    main()
