"""The weights that the repository holds, and how each came about: a run of train.py, taken over with its own log."""

import csv
import json
from pathlib import Path
from pickle import UnpicklingError

import torch

from data.build import file_digest
from data.files import replacing
from data.load import DataError
from training.record import plain, write_state

from .delivered import UNETS


def keep(run: Path, name: str, folder: Path = UNETS) -> None:
    """Write the best weights of the run of `train.py` in the folder `run` to FOLDER/NAME.pth, in 16 bits, and to
    NAME.json what it was told and what it logged. Of paths only the last part is kept. Raises DataError if it is no
    such run.
    """
    try:
        config = json.loads((run / "config.json").read_text("utf-8"))
        with open(run / "log.csv", newline="", encoding="utf-8") as file:
            log = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
        weights = torch.load(run / "best.pth", map_location="cpu", weights_only=True)
        for key in ("photos", "noisy"):
            config[key] = [Path(path).name for path in config[key]]
        for key in ("data", "exclude", "val_list"):
            config[key] = config[key] and Path(config[key]).name
        config["init"] = config["init"] and Path(config["init"]).resolve().parent.name
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, UnpicklingError) as error:
        raise DataError(f"{run} is no run of train.py that can be kept ({type(error).__name__}: {error})") from error
    folder.mkdir(parents=True, exist_ok=True)
    write_state(folder / f"{name}.pth", plain(weights, torch.float16))
    with replacing(folder / f"{name}.json") as partial:
        content = {"sha256": file_digest(folder / f"{name}.pth"), "config": config, "log": log}
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def record(name: str, folder: Path = UNETS) -> dict | None:
    """What `keep` wrote of the weights of that name; None if there is nothing, or if it is of other weights."""
    try:
        found = json.loads((folder / f"{name}.json").read_text("utf-8"))
        return found if file_digest(folder / f"{name}.pth") == found["sha256"] else None
    except OSError:
        return None
