"""The options of a run, what they are by default for each kind of run, and the configuration that a run keeps."""

import argparse
import json
import os
from pathlib import Path

from data.build import TRAIN_FILE
from data.noise import NOISES, noise
from Proj_2.others.loss import LOSSES
from Proj_2.others.networks import NETWORKS
from Proj_2.others.precision import has_fast_bfloat16

# A run trains on one of three things: `pairs` that a file holds; `windows` of photographs, made small by the course's
# noise; or `crops` of photographs at full size, or of noisy pictures. What an option is if it is not given:
DEFAULTS = {
    "pairs": {
        "network": "large",
        "epochs": 20,
        "lr": 3e-3,
        "batch": 100,
        "loss": "l2",
        "schedule": "one-cycle",
        "decay": 0.2,
        "clip": 0.0,
        "average": 0.0,
        "beta2": 0.999,
        "optimizer": "adam",
    },
    "crops": {
        "network": "unet",
        "epochs": 100,
        "pairs": 8_000,
        "crop": 64,
        "targets": "noisy",
        "lr": 1e-3,
        "batch": 16,
        "loss": "l2",
        "schedule": "trapezoid",
        "decay": 0.5,
        "clip": 0.2,
        "average": 0.999,
        "beta2": 0.98,  # at 0.999, deep networks break down at such a rate
        "optimizer": "adam",
    },
}
DEFAULTS["windows"] = DEFAULTS["pairs"] | {
    "noise": "course",
    "pairs": 50_000,
    "windows": 12_000,
    "zoom": 1.25,
    "versions": 2,
}
# Options that are not about every run: what they are about, and what they go with.
ABOUT = {
    "noise": ("photographs", "--photos"),
    "val_list": ("photographs", "--photos"),
    "exclude": ("photographs", "--photos"),
    "pairs": ("photographs", "--photos or --noisy"),
    "windows": ("photographs with the course's noise", "--photos and --noise course"),
    "zoom": ("photographs with the course's noise", "--photos and --noise course"),
    "versions": ("photographs with the course's noise", "--photos and --noise course"),
    "targets": ("photographs at full size", "--photos and a --noise other than the course's"),
    "crop": ("pictures at full size", "--noisy, or --photos and a --noise other than the course's"),
}
# And for each source of pictures which of them have a meaning.
MEANT = {
    "pairs": (),
    "windows": ("noise", "val_list", "exclude", "pairs", "windows", "zoom", "versions"),
    "crops": ("noise", "val_list", "exclude", "pairs", "targets", "crop"),
    "noisy": ("pairs", "crop"),
}


class UsageError(Exception):
    """Something that whoever called this program can put right."""


def kind(config):
    """What the run trains on: pairs, windows or crops."""
    if config["noisy"] or (config["photos"] and config["noise"] not in (None, "course")):
        return "crops"
    return "windows" if config["photos"] else "pairs"


def new(out, defaults, given):
    """The configuration of a new run; its folder is made."""
    if (out / "last.pth").exists():
        raise UsageError(f"{out} holds a run already; go on with it with --resume, or name another --out")
    config = plain_values(defaults | given)
    _check_kind(config, given)
    config |= DEFAULTS[kind(config)] | plain_values(given)
    if config["photos"] or config["noisy"]:
        config["data"] = None
    if config["noise"]:
        config["loss"] = given.get("loss", noise(config["noise"]).loss)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out} can't be made a folder ({error.strerror}); choose another --out") from error
    if not os.access(out, os.W_OK | os.X_OK):
        raise UsageError(f"{out}: no permission to write there; choose another --out")
    return config


def _check_kind(config, given):
    """Raise UsageError if an option was given that has no meaning for such a run."""
    for name, (subject, goes_with) in ABOUT.items():
        if name in given and name not in MEANT["noisy" if config["noisy"] else kind(config)]:
            raise UsageError(f"{_option(name)} is about {subject}; it goes with {goes_with}")


def resumed(out, given):
    """The configuration of the run in `out`, which no option that was `given` may contradict."""
    try:
        config = json.loads((out / "config.json").read_text("utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"{out} holds no run to go on with: it has no config.json; leave out --resume") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{out / 'config.json'} can't be read ({error})") from error
    names = set(plain_values(arguments([])[0]))
    # A run that began before there was some option goes on without it: see DEFAULTS of pairs and windows.
    if not isinstance(config, dict) or not set(config) <= names or config["network"] not in NETWORKS:
        differing = ", ".join(sorted(set(config) - names)) if isinstance(config, dict) else "everything"
        raise UsageError(
            f"{out / 'config.json'} is not one that this version of train.py wrote; it differs in "
            f"{differing or 'network'}: start a new run in another --out"
        )
    config = dict.fromkeys(names) | DEFAULTS[kind(dict.fromkeys(names) | config)] | config
    for name, value in plain_values(given).items():
        if value != config[name]:
            raise UsageError(
                f"the run in {out} has {_option(name)} {config[name]}, not {value}, and goes on as it was "
                "configured; leave the option out, or start a new run in another --out"
            )
    return config


def same_options(everyones):
    """Raise UsageError if not all processes were given the same options."""

    def shown(given, name):
        value = given.get(name)
        if value is None:
            return f"without {_option(name)}"
        return f"with {_option(name)} {' '.join(map(str, value)) if isinstance(value, list) else value}"

    for rank, given in enumerate(everyones):
        for name in given | everyones[0]:
            if given.get(name) != everyones[0].get(name):
                raise UsageError(
                    f"process {rank} was started {shown(given, name)}, but process 0 {shown(everyones[0], name)}; "
                    "start all with the same options"
                )


def plain_values(options):
    """The options as JSON has them, without those that are about this call only."""
    options = {name: value for name, value in options.items() if name not in ("out", "resume")}
    for name in ("photos", "noisy"):
        if name in options:
            options[name] = [str(folder) for folder in options[name] or ()]
    return {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}


def _option(name):
    return f"--{name.replace('_', '-')}"


def arguments(argv, description=None):
    """Every option's default, and the options that were given."""
    parser = _parser(description)
    defaults = vars(parser.parse_args([]))
    given = vars(parser.parse_args(argv, argparse.Namespace(**dict.fromkeys(defaults))))
    return defaults, {name: value for name, value in given.items() if value is not None}


def _parser(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--photos", nargs="+", type=Path, metavar="DIR", help="folders of photographs")
    source.add_argument(
        "--noisy",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="your own noisy pictures: two folders with pictures of equal names, or one with a sub-folder of two or "
        "more pictures for every scene",
    )
    source.add_argument(
        "--data", type=Path, default="data", metavar="DIR", help=f"folder of {TRAIN_FILE} (%(default)s)"
    )

    def add(option, kind, metavar, meaning, default=None):
        parser.add_argument(
            option, type=kind, default=default, metavar=metavar, help=meaning + _shown(option, default)
        )

    def choose(option, choices, meaning, default=None):
        parser.add_argument(option, choices=choices, default=default, help=meaning + _shown(option, default))

    add("--noise", str, "NAME[:VALUES]", f"what is laid over the photographs: {', '.join(NOISES)}")
    choose("--targets", ("noisy", "clean"), "what the network is trained towards")
    add("--val-list", Path, "FILE", "file names, one a line, of the photographs to hold out; a tenth without it")
    add(
        "--exclude",
        Path,
        "PATH",
        "file of names, one a line, or folder of pictures: photographs so named are left out",
    )
    choose("--network", tuple(NETWORKS), "which one to train")
    add("--init", Path, "FILE", "weights to begin with, such as another run's best.pth")
    choose(
        "--precision",
        ("float32", "mixed"),
        "of the network's arithmetic; mixed: bfloat16 products, where the processor has them",
        "mixed" if has_fast_bfloat16() else "float32",
    )
    add("--epochs", _number(int, 1, 100_000), "N", "times that every pair is seen")
    add("--pairs", _number(int, 1, 100_000_000), "N", "pairs an epoch makes")
    add("--windows", _number(int, 1, 10_000_000), "N", "256×256 windows of the photographs, 0.2 MB each")
    add("--zoom", _number(float, 1, 8), "Z", "scale windows up to Z times the course's")
    add(
        "--versions",
        _number(int, 2, 1000),
        "N",
        "noisy versions of a picture, of which one is the input and the mean of the others the target",
    )
    add("--crop", _number(int, 8, 4096), "N", "pixels a side of a crop, a multiple of the network's reduction")
    choose("--loss", tuple(LOSSES), "the noise's own unless given")
    choose("--optimizer", ("adam", "muon"), "muon takes the weights between hidden channels a longer way in a step")
    add("--lr", _number(float, 1e-9, 1), "LR", "the learning rate at its peak")
    choose("--schedule", ("one-cycle", "trapezoid"), "how the learning rate rises and falls")
    add("--decay", _number(float, 0, 1), "PART", "the last part of a trapezoid, in which the rate falls; 0: never")
    add("--clip", _number(float, 0, 1e9), "NORM", "largest norm of a step's gradients; 0: any")
    add("--average", _number(float, 0, 0.99999), "DECAY", "keep an average of the weights, and measure it; 0: none")
    add("--beta2", _number(float, 0, 0.99999), "BETA", "Adam's memory of the size of the gradients")
    add("--batch", _number(int, 1, 1_000_000), "N", "pairs a step")
    add("--seed", _number(int, 0, 10**12), "N", "the same seed gives the same weights on the same machine", 0)
    add("--out", Path, "DIR", "folder of everything that is written", "runs/last")
    parser.add_argument("--resume", action="store_true", help="go on with the run in OUT, as it was configured")
    return parser


def _shown(option, default):
    """How the help ends that says what an option is if it is not given."""
    name = option[2:].replace("-", "_")
    values = [default] if default is not None else [DEFAULTS[kind].get(name) for kind in ("windows", "crops")]
    shown = dict.fromkeys(str(value) for value in values if value is not None)
    return f" ({'; at full size: '.join(shown)})" if shown else ""


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
