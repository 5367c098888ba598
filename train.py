#!/usr/bin/env python3
"""Train a network on photographs, with new noise for every epoch, or on the noisy pairs of a folder.

    python train.py --photos DIR [DIR ...] --network large --epochs 30 --out runs/mine
    python train.py --data data --network paper
    python train.py --resume --out runs/mine

OUT gets config.json, log.csv, curve.png, last.pth (from which --resume goes on) and best.pth, a plain state dict
that can be copied to Proj_2/bestmodel.pth. Ctrl-C or a crash loses at most the epoch under way.
"""

import argparse
import csv
import json
import sys
import time
from pathlib import Path

import torch
from tqdm import tqdm

from data.build import TRAIN_FILE
from data.fresh import fresh_pairs
from data.load import DataError, load_pair
from Proj_2.others.networks import NETWORKS
from Proj_2.others.prediction import predict
from Proj_2.others.training import Training

HELD_OUT = 1000  # pairs that a checkpoint is chosen on


class UsageError(Exception):
    """Something that whoever called this program can put right."""


def main():
    try:
        arguments = _parser().parse_args()
        config = _resumed(arguments.out) if arguments.resume else _new(arguments)
        with torch.no_grad():
            run(config, arguments.out)
    except (UsageError, DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\ninterrupted; go on with: python train.py --resume --out '{arguments.out}'", file=sys.stderr)
        return 130
    return 0


def run(config, out):
    """Train as `config` says from where `out` stands, and leave everything there."""
    torch.manual_seed(config["seed"])
    network = NETWORKS[config["network"]]().to("cuda" if torch.cuda.is_available() else "cpu")
    pairs, held_out = _source(config)
    training = Training(network, config["epochs"], config["pairs"], config["lr"], config["batch"], config["seed"])
    rows = _load(out, network, training)
    best = max((row["psnr"] for row in rows), default=-1.0)
    for epoch in range(len(rows) + 1, config["epochs"] + 1):
        start = time.perf_counter()
        loss = _epoch(training, *pairs(epoch), f"epoch {epoch}/{config['epochs']}, best {best:.2f} dB")
        psnr = _psnr(network, *held_out)
        rows.append({"epoch": epoch, "loss": loss, "psnr": psnr, "seconds": time.perf_counter() - start})
        if psnr > best:
            best = psnr
            _write(out / "best.pth", lambda path: torch.save(_plain(network), path))
        _write(out / "log.csv", lambda path: _write_log(path, rows))
        _write(out / "curve.png", lambda path: _plot(path, rows))
        # Last: what counts as done is what this file says.
        _write(out / "last.pth", lambda path: torch.save(_checkpoint(network, training, rows), path))
    _table(rows, out)


def _source(config):
    """A function from an epoch's number to its pairs, and the held-out pairs that the PSNR is measured on.

    With photographs these are noisy and clean pictures of photographs that are not trained on. A folder of pairs
    has no clean pictures to spare: there the PSNR is against the second noisy version, lower but of like order.
    """
    if config["photos"]:
        fresh, held_out = fresh_pairs(
            config["photos"], config["windows"], HELD_OUT, config["val_list"], config["zoom"], config["seed"]
        )
        return (lambda epoch: fresh.epoch(epoch, config["pairs"])), held_out
    noisy_in, noisy_out = load_pair(Path(config["data"]) / TRAIN_FILE)
    held = min(HELD_OUT, len(noisy_in) // 10)
    if not held:
        raise UsageError(f"{config['data']}/{TRAIN_FILE} holds {len(noisy_in)} pairs; training needs at least 10")
    config["pairs"] = len(noisy_in) - held
    return (lambda epoch: (noisy_in[held:], noisy_out[held:])), (noisy_in[:held], noisy_out[:held])


def _epoch(training, noisy_in, noisy_out, title):
    """One epoch behind a progress bar; returns its mean loss."""
    losses = []
    with tqdm(total=training.steps_per_epoch, desc=title, unit="step", leave=False, mininterval=0.5) as bar:
        for loss in training.epoch(noisy_in, noisy_out):
            losses.append(float(loss))
            bar.set_postfix_str(f"loss {sum(losses[-100:]) / len(losses[-100:]):.5f}", refresh=False)
            bar.update()
    return sum(losses) / len(losses)


def _psnr(network, noisy, target):
    """Mean over pictures of the PSNR in dB."""
    error = (predict(network, noisy) - target) / 255
    return float(-10 * error.square().flatten(1).mean(1).clamp_min(1e-10).log10().mean())


def _plain(network):
    return {name: parameter.cpu().contiguous() for name, parameter in network.state_dict().items()}


def _checkpoint(network, training, rows):
    return {"network": _plain(network), "optimizer": training.optimizer.state_dict(), "rows": rows}


def _load(out, network, training):
    """Take up the run that `out` holds, if any; returns the rows of its log."""
    if not (out / "last.pth").exists():
        return []
    try:
        state = torch.load(out / "last.pth", map_location="cpu", weights_only=True)
        network.load_state_dict(state["network"])
        training.optimizer.load_state_dict(state["optimizer"])
    except Exception as error:
        raise UsageError(f"{out / 'last.pth'} is no checkpoint of this run ({error})") from error
    return state["rows"]


def _write(path, write):
    """Have `write` make the file under another name, then put it in place: never half a file."""
    partial = path.with_name(f".partial.{path.name}")
    write(partial)
    partial.replace(path)


def _write_log(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: round(value, 6) for name, value in row.items()} for row in rows)


def _plot(path, rows):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    epochs = [row["epoch"] for row in rows]
    axes.plot(epochs, [row["psnr"] for row in rows], "o-", color="black", markersize=3)
    axes.set(xlabel="epoch", ylabel="PSNR of held-out pictures, dB")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120, format="png")


def _table(rows, out):
    print(f"\n{'epoch':>6}{'loss':>10}{'PSNR, dB':>10}{'seconds':>9}")
    for row in rows:
        print(f"{row['epoch']:>6}{row['loss']:>10.5f}{row['psnr']:>10.3f}{row['seconds']:>9.1f}")
    best = max(rows, key=lambda row: row["psnr"])
    print(f"\nbest: {best['psnr']:.3f} dB after epoch {best['epoch']}, in {out / 'best.pth'}")


def _new(arguments):
    """The configuration of a new run, written to its folder."""
    out = arguments.out
    if (out / "last.pth").exists():
        raise UsageError(f"{out} holds a run already; go on with it with --resume, or name another --out")
    for name in ("epochs", "pairs", "windows", "batch"):
        if getattr(arguments, name) < 1:
            raise UsageError(f"--{name} must be at least 1, not {getattr(arguments, name)}")
    config = vars(arguments) | {"photos": [str(folder) for folder in arguments.photos or ()]}
    config = {name: str(value) if isinstance(value, Path) else value for name, value in config.items()}
    del config["out"], config["resume"]
    out.mkdir(parents=True, exist_ok=True)
    _write(out / "config.json", lambda path: path.write_text(json.dumps(config, indent=1) + "\n", "utf-8"))
    return config


def _resumed(out):
    """The configuration of the run in `out`."""
    try:
        return json.loads((out / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{out} holds no run to go on with ({error}); start one without --resume") from error


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--photos", nargs="+", type=Path, metavar="DIR", help="folders of photographs")
    source.add_argument("--data", type=Path, default="data", metavar="DIR", help=f"folder that holds {TRAIN_FILE}")
    add("--val-list", type=Path, metavar="FILE", help="file names, one a line, of the photographs to hold out")
    add("--network", choices=NETWORKS, default="large")
    add("--epochs", type=int, default=20, metavar="N")
    add("--pairs", type=int, default=50_000, metavar="N", help="noisy pairs an epoch makes of the photographs")
    add(
        "--windows",
        type=int,
        default=12_000,
        metavar="N",
        help="256×256 windows of the photographs kept in memory, 0.2 MB each",
    )
    add("--zoom", type=float, default=1.25, metavar="Z", help="scale windows up to Z times the course's")
    add("--lr", type=float, default=3e-3, metavar="LR", help="Adam's learning rate at its peak")
    add("--batch", type=int, default=100, metavar="N", help="pairs a step")
    add("--seed", type=int, default=0, metavar="N")
    add("--out", type=Path, default="runs/last", metavar="DIR")
    add("--resume", action="store_true", help="go on with the run in OUT, as it was configured")
    return parser


if __name__ == "__main__":
    sys.exit(main())
