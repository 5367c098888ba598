"""The pairs that a run trains on and the ones that it is judged by. Each process reads them once."""

import json
from functools import cache
from pathlib import Path

import torch

from data.build import (
    HERE,
    RECORD_FILE,
    TRAIN_FILE,
    VAL_FILE,
    deal,
    file_digest,
    keyed_generator,
    read_all,
    split,
    training_order,
)
from data.fresh import FreshPairs, fresh_pairs
from data.load import DataError, load_pair, save_pair
from data.noise import clean, corrupt
from data.parallel import parallel_map
from data.windows import ZOOM, find_photos, random_windows, read_photo

PHOTOS = HERE / "photos"
CACHE = Path(__file__).parents[2] / "runs" / "report"
POOL = 2000  # windows of which fresh noise is drawn, 0.4 GB


def source(config, folder):
    """A function from the number of an epoch to its pairs: inputs and targets, uint8 N×3×32×32."""
    count = config["pairs"]
    if config["windows"] == "pool":
        windows = FreshPairs(pool()[:: POOL // count][:count], seed=0)
        return lambda epoch: windows.epoch(epoch if config["noise"] == "fresh" else 0, count)
    noisy_in, targets = training(folder)
    if len(noisy_in) < count:
        raise DataError(f"{folder / TRAIN_FILE} holds {len(noisy_in)} pairs; this experiment needs {count}")
    if config["targets"] == "clean":
        targets = clean_targets(folder)
    return lambda epoch: (noisy_in[:count], targets[:count])


@cache
def training(folder):
    return load_pair(folder / TRAIN_FILE)


@cache
def validation(folder):
    """Noisy and clean pictures."""
    return load_pair(folder / VAL_FILE)


@cache
def pool():
    """256×256 windows of the photographs that the training pairs are made of, uint8 POOL×3×256×256."""
    return fresh_pairs([PHOTOS], POOL, 1, say=lambda line: None)[0].windows


@cache
def clean_targets(folder):
    """The clean pictures behind the training file's pairs, made again as `data.build` made the noisy ones.

    A minute of work, so they are kept in a file. Raises DataError if the training file is not one that
    `python -m data build` makes of the photographs in data/photos.
    """
    path = CACHE / f"clean-{digest(folder / TRAIN_FILE)[:16]}.pkl"
    if not path.exists():
        noisy_in = training(folder)[0]
        try:
            seed = json.loads((folder / RECORD_FILE).read_text("utf-8"))["seed"]
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{folder / RECORD_FILE} can't be read ({error}); run `python -m data build`") from error
        with parallel_map(1) as each:
            photos, _ = split(read_all(find_photos([PHOTOS]), each, lambda line: None), seed=seed)
            targets, again = deal(_clean_lot, "training", photos, training_order(len(noisy_in), seed), seed, each)
        if not torch.equal(again, noisy_in):
            raise DataError(
                f"{folder / TRAIN_FILE} was not made of the photographs in data/photos, so its clean pictures "
                "can't be made again; run `python -m data build --out DIR` and name that folder with --data"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        save_pair(path, targets, again)
    return load_pair(path)[0]


def _clean_lot(lot):
    """What `data.build` draws for a lot of training pairs: clean pictures, and the first noisy ones as a proof."""
    generator = keyed_generator(lot.key)
    windows = random_windows(read_photo(lot.path), lot.count, generator, ZOOM)
    return clean(windows).numpy(), corrupt(windows, generator).numpy()


def describe(folder):
    """The two files, in words that tell them from any others."""
    files = {"train": (TRAIN_FILE, training(folder)), "validation": (VAL_FILE, validation(folder))}
    return {
        role: f"{name}, {len(pair[0])} pairs, sha256 {digest(folder / name)[:16]}"
        for role, (name, pair) in files.items()
    }


digest = cache(file_digest)
