"""The files that a run leaves. Each is written whole or not at all."""

import csv
from pickle import UnpicklingError

import torch

from data.files import replacing

from .options import UsageError


def plain(state, dtype=None):
    """The tensors of a state as a file should hold them; in `dtype` if given."""
    return {name: x.to("cpu", dtype).contiguous() for name, x in state.items()}


def read_state(path, network):
    """Load the plain state dict in `path`, of 32 or 16 bits, into the network.

    Raises UsageError if it does not fit.
    """
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except OSError as error:
        raise UsageError(f"{path} can't be read ({error.strerror or error})") from error
    except UnpicklingError as error:  # torch's message is long, and about another matter
        raise UsageError(f"{path} does not hold weights of this network: torch can't read it") from error
    except Exception as error:  # torch's readers raise all sorts on a damaged file
        raise UsageError(f"{path} does not hold weights of this network ({_first_line(error)})") from error


def checkpoint(network, training, rows):
    """What a run goes on from."""
    average = {"average": plain(training.average.state_dict())} if training.average else {}
    optimizer = training.optimizer.state_dict()
    return {
        "network": plain(network.state_dict()),
        "optimizer": optimizer | {"state": [plain(state) for state in optimizer["state"]]},
        "rows": rows,
        **average,
    }


def read_checkpoint(path):
    """The checkpoint in `path`, None if there is none."""
    if not path.exists():
        return None
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's readers raise all sorts on a damaged file
        raise UsageError(f"{path} is damaged ({_first_line(error)})") from error


def take_up(state, network, training):
    """Go on from a checkpoint; returns the rows of its log."""
    try:
        network.load_state_dict(state["network"])
        training.optimizer.load_state_dict(state["optimizer"])
        if training.average:
            training.average.load_state_dict(state["average"])
        return state["rows"]
    except Exception as error:  # whatever a file may hold that another program wrote
        raise UsageError(f"last.pth is no checkpoint of this run ({_first_line(error)})") from error


def write(path, how):
    """Have `how` make the file under another name, then put it in place: never half a file."""
    try:
        with replacing(path) as partial:
            how(partial)
    except RuntimeError as error:  # how torch reports a full disk
        raise OSError(f"{path} can't be written ({_first_line(error)})") from error


def write_state(path, state):
    """Write what torch.load reads. Given an open file, torch leaves its name out of what it writes."""

    def how(partial):
        with open(partial, "wb") as file:
            torch.save(state, file)

    write(path, how)


def write_log(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: round(value, 6) for name, value in row.items()} for row in rows)


def plot(path, rows):
    """The curves of loss and PSNR."""
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


def _first_line(error):
    return (str(error).strip() or type(error).__name__).splitlines()[0]
