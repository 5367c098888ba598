#!/usr/bin/env python3
"""Train a network on photographs, with new noise for every epoch, or on noisy pairs, such as your own.

    python train.py --photos DIR [DIR ...] --network large --epochs 30 --out runs/mine
    python train.py --photos DIR [DIR ...] --noise gaussian:25 --out runs/mine
    python train.py --noisy FIRST SECOND --out runs/mine
    python train.py --data data --network paper
    python train.py --resume --out runs/mine
    torchrun --standalone --nproc-per-node N train.py ...

The noise is the course's, which makes photographs small, unless --noise says another; then crops of the photographs
at full size are trained on. OUT gets config.json, log.csv, curve.png, last.pth (from which --resume goes on) and
best.pth, a plain state dict (of the course's noise, one that can be copied to Proj_2/bestmodel.pth; else of 16 bits).
Ctrl-C or a crash loses at most the epoch under way. Several processes, each with a part of every batch, come to the
weights that one would, and may go on where another number of them stopped.
"""

import io
import json
import signal
import sys
import time
from contextlib import redirect_stderr
from functools import partial
from math import isfinite
from pathlib import Path

import torch
from tqdm import tqdm

from data.build import TRAIN_FILE, photo_of_each_pair
from data.crops import Crops
from data.fresh import fresh_pairs
from data.load import DataError, load_pair
from data.noise import noise
from data.psnr import psnr
from data.scenes import noisy_scenes, photo_scenes
from Proj_2.others.loss import LOSSES
from Proj_2.others.networks import NETWORKS
from Proj_2.others.prediction import predict
from Proj_2.others.reach import reduction
from Proj_2.others.training import BatchTraining, Training, one_cycle, trapezoid
from training.buckets import Buckets
from training.options import UsageError, arguments, kind, new, resumed, same_options
from training.record import (
    checkpoint,
    plain,
    plot,
    read_checkpoint,
    read_state,
    take_up,
    write,
    write_log,
    write_state,
)
from training.team import Lost, checksum, joined, same

HELD_OUT = 1000  # pairs that a checkpoint is chosen on
MIDDLE = 256  # pixels a side, at most, of what is measured of a photograph held out
COLLAPSE = 3  # dB: after such a fall from its best, a network has broken down, and does not recover
SAME_MACHINES = "compute on machines of one kind, and go on with --resume"
SAME_FILES = "train on the same files everywhere"
WARMUP = 200  # steps in which the learning rate of a trapezoid rises, or a twentieth of a short run


def main(argv=None):
    try:
        with joined() as team:
            return _main(argv, team)
    except (UsageError, Lost) as error:  # before they met
        print(f"error: {error}", file=sys.stderr)
        return 2


def _main(argv, team):
    defaults, given = _arguments(argv, team)
    out = given.get("out", defaults["out"])
    try:
        same_options(team.gather(given))
        config = team.first(lambda: resumed(out, given) if "resume" in given else new(out, defaults, given))
        with torch.no_grad():
            run(config, out, team)
    except (UsageError, DataError, OSError) as error:
        team.say(f"error: {error}")
        return 2
    except Lost as error:
        team.say(f"error: {error}; {_way_on(out, team)}")
        return 1
    except KeyboardInterrupt:
        team.say(f"\ninterrupted; {_way_on(out, team)}")
        return 130
    return 0


def _arguments(argv, team):
    """The options, by default and as given; what argparse has to say about them is said once."""
    complaint = io.StringIO()
    try:
        with redirect_stderr(complaint):
            return arguments(argv, __doc__)
    except SystemExit as end:
        if end.code:
            team.say(complaint.getvalue().rstrip())
        raise


def _way_on(out, team):
    if team.rank == 0 and not (out / "config.json").exists():  # the others may have no such folder
        return "nothing was written"
    if team.size == 1:
        return f"go on with: python train.py --resume --out '{out}'"
    return (
        "at most the epoch under way is lost; go on, with as many processes as you like, with: "
        f"torchrun … train.py --resume --out '{out}'"
    )


def run(config, out, team):
    """Train as `config` says from where `out` stands, and leave everything there."""
    if team.size > config["batch"]:
        raise UsageError(
            f"a --batch of {config['batch']} can't be divided among {team.size} processes; start at most "
            f"{config['batch']} of them, or a new run with a larger --batch"
        )
    sources = {"pairs": _pair_source, "windows": _photo_source, "crops": _crop_source}
    pairs, held_out = sources[kind(config)](config, team)
    at_full_size = kind(config) == "crops"
    text = json.dumps(config, indent=1) + "\n"
    team.first(lambda: write(out / "config.json", lambda path: path.write_text(text, "utf-8")))
    torch.manual_seed(config["seed"])
    network = _network(config)
    if config["init"] and team.rank == 0:
        read_state(config["init"], network)
    training = _training(network, config, team)
    start = team.first(lambda: read_checkpoint(out / "last.pth") or checkpoint(network, training, []))
    rows = take_up(start, network, training)
    print(f"{'epoch':>6}{'loss':>10}{'PSNR, dB':>10}{'seconds':>9}", *map(_line, rows), sep="\n", flush=True)
    measured = _network(config) if training.average else network

    def finish(epoch, loss, start):
        """Measure and keep what an epoch came to."""
        best = _best(rows)
        if training.average:
            measured.load_state_dict(training.average.state_dict())
        score = _score(measured, held_out, training.mixed) if at_full_size else _score(measured, [held_out], False)
        if score < best - COLLAPSE:
            raise UsageError(
                f"the PSNR fell from {best:.2f} to {score:.2f} dB in epoch {epoch}, whose weights are not kept; "
                f"begin a new run with --init '{out / 'best.pth'}' and a --lr below {training.peak_lr:g}"
            )
        row = {"epoch": epoch, "loss": loss, "psnr": score, "seconds": time.perf_counter() - start}
        done = [*rows, row]
        if score > best:
            write_state(out / "best.pth", plain(measured.state_dict(), torch.float16 if at_full_size else None))
        write(out / "log.csv", lambda path: write_log(path, done))
        write(out / "curve.png", lambda path: plot(path, done))
        # Last: what counts as done is what this file says.
        write_state(out / "last.pth", checkpoint(network, training, done))
        print(_line(row), flush=True)
        return row

    for epoch in range(len(rows) + 1, config["epochs"] + 1):
        start = time.perf_counter()
        loss = _epoch(training, pairs, epoch, f"epoch {epoch}/{config['epochs']}, best {_best(rows):.2f} dB")
        same(team, f"weights after epoch {epoch}", partial(_checksum, network, training), SAME_MACHINES)
        rows.append(team.first(partial(finish, epoch, loss, start)))
    chosen = max(rows, key=lambda row: row["psnr"])
    print(f"best: {chosen['psnr']:.3f} dB after epoch {chosen['epoch']}, in {out / 'best.pth'}")


def _network(config):
    return NETWORKS[config["network"]]().to("cuda" if torch.cuda.is_available() else "cpu")


def _training(network, config, team):
    """The training that `config` asks for, at its beginning."""
    schedule = one_cycle
    if config["schedule"] == "trapezoid":
        steps = config["epochs"] * -(-config["pairs"] // config["batch"])
        schedule = partial(trapezoid, warmup=min(0.05, WARMUP / steps), decay=config["decay"])
    made = BatchTraining if kind(config) == "crops" else Training
    return made(
        network,
        *(config[name] for name in ("epochs", "pairs", "lr", "batch", "seed")),
        mixed=config["precision"] == "mixed",
        exchange=config.get("versions") in (None, 2),
        loss=LOSSES[config["loss"]](),
        schedule=schedule,
        clip=config["clip"],
        average=config["average"],
        beta2=config["beta2"],
        muon=config["optimizer"] == "muon",
        team=Buckets(network, team) if team.size > 1 else None,
    )


def _checksum(network, training):
    """A number that tells how this process goes on: equal in all that train together."""
    state = checkpoint(network, training, [])
    states = [state["network"], *state["optimizer"]["state"], state.get("average", {})]
    return checksum(tensor for tensors in states for tensor in tensors.values())


def _best(rows):
    return max((row["psnr"] for row in rows), default=0.0)


def _photo_source(config, team):
    """A function from an epoch's number to its pairs, and the pairs that the PSNR is measured on: noisy and clean
    pictures of photographs that are not trained on.
    """
    fresh, held_out = fresh_pairs(
        config["photos"],
        config["windows"],
        HELD_OUT,
        config["val_list"],
        config["zoom"],
        config["seed"],
        config.get("exclude"),
        config["versions"],
    )
    same(team, "photographs", lambda: checksum([fresh.windows]), SAME_FILES)
    print(f"PSNR: of {HELD_OUT} pictures of photographs held out")
    return (lambda epoch: fresh.epoch(epoch, config["pairs"])), held_out


def _crop_source(config, team):
    """The same at full size: a function from an epoch's number to its batches, and what the PSNR is measured on."""
    grid = reduction(_network(config))
    if config["crop"] % grid:
        raise UsageError(f"--crop is {config['crop']}, but the network {config['network']} needs multiples of {grid}")
    if config["noisy"]:
        train, held_out = noisy_scenes(config["noisy"], config["crop"])
        print(f"PSNR: of {len(held_out)} scenes held out, to their other noisy pictures; less than to clean ones")
        kept = None
    else:
        train, held_out = photo_scenes(config["photos"], config["crop"], config["val_list"], config["exclude"])
        print(f"PSNR: of {len(held_out)} photographs held out; {len(train)} are trained on")
        kept = noise(config["noise"])
    same(team, "pictures", lambda: checksum(picture for scene in train for picture in scene), SAME_FILES)
    crops = Crops(train, kept, config["crop"], config["seed"], config["targets"] == "clean")
    middles = list(Crops(held_out, kept).middles(MIDDLE))
    return (lambda epoch: (crops.epoch(epoch, config["pairs"], config["batch"], team.part),)), middles


def _pair_source(config, team):
    """The same of a folder of pairs. It has no clean pictures: the PSNR is that to the second noisy version."""
    path = Path(config["data"]) / TRAIN_FILE
    pairs = load_pair(path)
    height, width = pairs[0].shape[2:]
    grid = reduction(_network(config))
    if height % grid or width % grid:
        raise UsageError(f"{path} holds pictures of {height}×{width}; expected multiples of {grid} a side")
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
    same(team, "pairs", lambda: checksum(train), SAME_FILES)
    print(
        f"PSNR: of {len(held_out[0])} pictures held out, to their second noisy version; that is some dB less than "
        "to the clean one, which a folder of pairs lacks"
    )
    return (lambda epoch: train), held_out


def _score(network, pairs, mixed):
    """The mean PSNR in dB of what the network makes of the noisy one of each pair, noisy and clean."""
    scores = [psnr(predict(network, noisy, mixed).clamp_(0, 255), clean) for noisy, clean in pairs]
    return torch.cat(scores).mean().item()


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


def _line(row):
    return f"{row['epoch']:>6}{row['loss']:>10.5f}{row['psnr']:>10.3f}{row['seconds']:>9.1f}"


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C does
    sys.exit(main())
