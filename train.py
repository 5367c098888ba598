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
import os
import sys
import time
from math import isfinite
from pathlib import Path

import torch
from tqdm import tqdm

from data.build import TRAIN_FILE, photo_of_each_pair
from data.files import replacing
from data.fresh import fresh_pairs
from data.load import DataError, load_pair
from data.psnr import psnr
from Proj_2.others.networks import NETWORKS, REDUCTION
from Proj_2.others.precision import has_fast_bfloat16
from Proj_2.others.prediction import predict
from Proj_2.others.training import Training

HELD_OUT = 1000  # pairs that a checkpoint is chosen on
FOR_PHOTOS = ("val_list", "pairs", "windows", "zoom")  # options that say how pairs are made


class UsageError(Exception):
    """Something that whoever called this program can put right."""


def main(argv=None):
    defaults, given = _arguments(argv)
    out = given.get("out", defaults["out"])
    try:
        config = _resumed(out, given) if "resume" in given else _new(out, defaults, given)
        with torch.no_grad():
            run(config, out)
    except (UsageError, DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if (out / "config.json").exists():
            print(f"\ninterrupted; go on with: python train.py --resume --out '{out}'", file=sys.stderr)
        else:
            print("\ninterrupted before the first epoch; nothing was written", file=sys.stderr)
        return 130
    return 0


def run(config, out):
    """Train as `config` says from where `out` stands, and leave everything there."""
    pairs, held_out = _photo_source(config) if config["photos"] else _pair_source(config)
    _write(out / "config.json", lambda path: path.write_text(json.dumps(config, indent=1) + "\n", "utf-8"))
    torch.manual_seed(config["seed"])
    network = NETWORKS[config["network"]]().to("cuda" if torch.cuda.is_available() else "cpu")
    recipe = (config[name] for name in ("epochs", "pairs", "lr", "batch", "seed"))
    training = Training(network, *recipe, mixed=config["precision"] == "mixed")
    rows = _load(out, network, training)
    print(f"{'epoch':>6}{'loss':>10}{'PSNR, dB':>10}{'seconds':>9}", *map(_line, rows), sep="\n")
    best = max((row["psnr"] for row in rows), default=0.0)
    for epoch in range(len(rows) + 1, config["epochs"] + 1):
        start = time.perf_counter()
        loss = _epoch(training, pairs, epoch, f"epoch {epoch}/{config['epochs']}, best {best:.2f} dB")
        score = psnr(predict(network, held_out[0]), held_out[1]).mean().item()
        rows.append({"epoch": epoch, "loss": loss, "psnr": score, "seconds": time.perf_counter() - start})
        if score > best:
            best = score
            _write_state(out / "best.pth", _plain(network))
        _write(out / "log.csv", lambda path: _write_log(path, rows))
        _write(out / "curve.png", lambda path: _plot(path, rows))
        # Last: what counts as done is what this file says.
        _write_state(out / "last.pth", _checkpoint(network, training, rows))
        print(_line(rows[-1]), flush=True)
    chosen = max(rows, key=lambda row: row["psnr"])
    print(f"best: {chosen['psnr']:.3f} dB after epoch {chosen['epoch']}, in {out / 'best.pth'}")


def _photo_source(config):
    """A function from an epoch's number to its pairs, and the pairs that the PSNR is measured on: noisy and clean
    pictures of photographs that are not trained on.
    """
    fresh, held_out = fresh_pairs(
        config["photos"], config["windows"], HELD_OUT, config["val_list"], config["zoom"], config["seed"]
    )
    print(f"PSNR: of {HELD_OUT} pictures of photographs held out")
    return (lambda epoch: fresh.epoch(epoch, config["pairs"])), held_out


def _pair_source(config):
    """The same of a folder of pairs. It has no clean pictures: the PSNR is that to the second noisy version."""
    path = Path(config["data"]) / TRAIN_FILE
    pairs = load_pair(path)
    height, width = pairs[0].shape[2:]
    if height % REDUCTION or width % REDUCTION:
        raise UsageError(f"{path} holds pictures of {height}×{width}; expected multiples of {REDUCTION} a side")
    photo = photo_of_each_pair(path.parent)
    if photo is None:
        photo = torch.arange(len(pairs[0]))  # the course's: every pair is of a picture of its own
    photos = int(photo.max()) + 1
    if photos < 2:
        raise UsageError(f"{path} holds pairs of a single picture; expected 2 at least, one of them to be held out")
    held = photo < max(1, min(HELD_OUT, photos // 10))
    train, held_out = [half[~held] for half in pairs], [half[held][:HELD_OUT] for half in pairs]
    if config["pairs"] not in (None, len(train[0])):
        raise UsageError(f"{path} has changed since this run began: {len(train[0])} pairs, not {config['pairs']}")
    config["pairs"] = len(train[0])
    print(
        f"PSNR: of {len(held_out[0])} pictures held out, to their second noisy version; that is some dB less than "
        "to the clean one, which a folder of pairs lacks"
    )
    return (lambda epoch: train), held_out


def _epoch(training, pairs, number, title):
    """Epoch `number` behind a progress bar, which is shown only where someone may see it; returns its mean loss."""
    losses = []
    with tqdm(total=training.steps_per_epoch, desc=title, unit="step", leave=False, disable=None) as bar:
        for loss in training.epoch(*pairs(number)):
            losses.append(float(loss))
            if not isfinite(losses[-1]):
                raise UsageError(
                    f"the loss is {losses[-1]} at step {len(losses)} of epoch {number}: start again with a --lr "
                    f"below {training.peak_lr:g}"
                )
            bar.set_postfix_str(f"loss {sum(losses[-100:]) / len(losses[-100:]):.5f}", refresh=False)
            bar.update()
    return sum(losses) / len(losses)


def _plain(network):
    return {name: parameter.cpu().contiguous() for name, parameter in network.state_dict().items()}


def _checkpoint(network, training, rows):
    return {"network": _plain(network), "optimizer": training.optimizer.state_dict(), "rows": rows}


def _load(out, network, training):
    """Take up the run that `out` holds, if any; returns the rows of its log."""
    path = out / "last.pth"
    if not path.exists():
        return []
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(state["network"])
        training.optimizer.load_state_dict(state["optimizer"])
        return state["rows"]
    except Exception as error:  # torch's readers raise all sorts on a damaged file
        raise UsageError(f"{path} is damaged or no checkpoint of this run ({_first_line(error)})") from error


def _write(path, write):
    """Have `write` make the file under another name, then put it in place: never half a file."""
    try:
        with replacing(path) as partial:
            write(partial)
    except RuntimeError as error:  # how torch reports a full disk
        raise OSError(f"{path} can't be written ({_first_line(error)})") from error


def _write_state(path, state):
    """Write what torch.load reads. Given an open file, torch leaves its name out of what it writes."""

    def write(partial):
        with open(partial, "wb") as file:
            torch.save(state, file)

    _write(path, write)


def _first_line(error):
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _write_log(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: round(value, 6) for name, value in row.items()} for row in rows)


def _plot(path, rows):
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for axes, name, label in zip(
        figure.subplots(1, 2), ("loss", "psnr"), ("training loss", "PSNR of held-out pictures, dB"), strict=True
    ):
        axes.plot([row["epoch"] for row in rows], [row[name] for row in rows], "o-", color="black", markersize=3)
        axes.set(xlabel="epoch", ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120, format="png")


def _line(row):
    return f"{row['epoch']:>6}{row['loss']:>10.5f}{row['psnr']:>10.3f}{row['seconds']:>9.1f}"


def _new(out, defaults, given):
    """The configuration of a new run; its folder is made."""
    if (out / "last.pth").exists():
        raise UsageError(f"{out} holds a run already; go on with it with --resume, or name another --out")
    config = _plain_values(defaults | given)
    if config["photos"]:
        config["data"] = None
    else:
        for name in FOR_PHOTOS:
            if name in given:
                raise UsageError(f"{_option(name)} is about photographs; it goes with --photos, not with --data")
            config[name] = None
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out} can't be made a folder ({error.strerror}); choose another --out") from error
    if not os.access(out, os.W_OK | os.X_OK):
        raise UsageError(f"{out}: no permission to write there; choose another --out")
    return config


def _resumed(out, given):
    """The configuration of the run in `out`, which no option that was `given` may contradict."""
    try:
        config = json.loads((out / "config.json").read_text("utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"{out} holds no run to go on with: it has no config.json; leave out --resume") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{out / 'config.json'} can't be read ({error})") from error
    names = set(_plain_values(_arguments([])[0]))
    if not isinstance(config, dict) or set(config) != names or config["network"] not in NETWORKS:
        differing = ", ".join(sorted(names ^ set(config))) if isinstance(config, dict) else "everything"
        raise UsageError(
            f"{out / 'config.json'} is not one that this version of train.py wrote; it differs in "
            f"{differing or 'network'}: start a new run in another --out"
        )
    for name, value in _plain_values(given).items():
        if value != config[name]:
            raise UsageError(
                f"the run in {out} has {_option(name)} {config[name]}, not {value}, and goes on as it was "
                "configured; leave the option out, or start a new run in another --out"
            )
    return config


def _plain_values(options):
    """The options as JSON has them, without those that are about this call only."""
    options = {name: value for name, value in options.items() if name not in ("out", "resume")}
    if "photos" in options:
        options["photos"] = [str(folder) for folder in options["photos"] or ()]
    return {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}


def _option(name):
    return f"--{name.replace('_', '-')}"


def _arguments(argv):
    """Every option's default, and the options that were given."""
    parser = _parser()
    defaults = vars(parser.parse_args([]))
    given = vars(parser.parse_args(argv, argparse.Namespace(**dict.fromkeys(defaults))))
    return defaults, {name: value for name, value in given.items() if value is not None}


def _parser():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--photos", nargs="+", type=Path, metavar="DIR", help="folders of photographs")
    source.add_argument(
        "--data", type=Path, default="data", metavar="DIR", help=f"folder of {TRAIN_FILE} (%(default)s)"
    )

    def add(option, kind, metavar, meaning, default=None):
        shown = "" if default is None else " (%(default)s)"
        parser.add_argument(option, type=kind, default=default, metavar=metavar, help=meaning + shown)

    add("--val-list", Path, "FILE", "file names, one a line, of the photographs to hold out; a tenth without it")
    parser.add_argument("--network", choices=NETWORKS, default="large", help="which one to train (%(default)s)")
    parser.add_argument(
        "--precision",
        choices=("float32", "mixed"),
        default="mixed" if has_fast_bfloat16() else "float32",
        help="of the network's arithmetic; mixed: bfloat16 products, where the processor has them (%(default)s here)",
    )
    add("--epochs", _number(int, 1, 100_000), "N", "times that every pair is seen", 20)
    add("--pairs", _number(int, 1, 100_000_000), "N", "noisy pairs an epoch makes of the photographs", 50_000)
    add("--windows", _number(int, 1, 10_000_000), "N", "256×256 windows of the photographs, 0.2 MB each", 12_000)
    add("--zoom", _number(float, 1, 8), "Z", "scale windows up to Z times the course's", 1.25)
    add("--lr", _number(float, 1e-9, 1), "LR", "Adam's learning rate at its peak", 3e-3)
    add("--batch", _number(int, 1, 1_000_000), "N", "pairs a step", 100)
    add("--seed", _number(int, 0, 10**12), "N", "the same seed gives the same weights on the same machine", 0)
    add("--out", Path, "DIR", "folder of everything that is written", "runs/last")
    parser.add_argument("--resume", action="store_true", help="go on with the run in OUT, as it was configured")
    return parser


def _number(kind, low, high):
    """An argparse type: a number from `low` to `high`."""

    def read(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            whole = "whole " if kind is int else ""
            raise argparse.ArgumentTypeError(f"expected a {whole}number from {low:,} to {high:,}, not {text!r}")
        return value

    return read


if __name__ == "__main__":
    sys.exit(main())
