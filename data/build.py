"""Photographs → `train_data.pkl` and `val_data.pkl`: same seed, same bytes, on any number of cores."""

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from torch import Generator, Tensor
from tqdm import tqdm

from .files import replacing
from .load import DataError, save_pair
from .noise import BLOCK, clean, corrupt
from .parallel import cores, parallel_map
from .psnr import psnr
from .windows import SIDE, course_window, find_photos, random_windows, read_photo

HERE = Path(__file__).parent
TRAIN_FILE, VAL_FILE, RECORD_FILE = "train_data.pkl", "val_data.pkl", "built.json"
LOT = 64  # pairs made in one go of one photograph: 12 MB of windows


@dataclass
class Photo:
    path: Path
    names: set[str]  # of this and of every identical file
    digest: str  # of the file's content


@dataclass
class Lot:
    """`count` pairs to be made of one photograph, which has made `number` full lots already."""

    path: Path
    number: int
    count: int
    key: str  # seeds it


def build(
    photos: Iterable[str | os.PathLike] = (HERE / "photos",),
    train_pairs: int = 50_000,
    val_pairs: int = 1_000,
    val_list: str | os.PathLike | None = None,
    seed: int = 0,
    out: str | os.PathLike = HERE,
    workers: int | None = None,
    say: Callable[[str], None] = tqdm.write,
) -> dict:
    """Make the two pair files of the photographs in the folders `photos`; write and return the record of it.

    `val_list` names the photographs, by file name and one a line, that form the validation set; without it
    a seeded tenth does. `workers` processes (default: one a core, 8 at most) share the work. `say` gets a
    line for each photograph left out and each choice made. Raises DataError in one sentence. Files are
    replaced only by complete ones, and never if this function did not make them.
    """
    photos, out = list(photos), Path(out)
    if train_pairs < 1 or val_pairs < 1:
        raise DataError(
            f"expected at least one pair each, not {train_pairs} for training and {val_pairs} for validation"
        )
    _check_out(out)
    with parallel_map(workers or cores()) as each:
        train, val = split(read_all(find_photos(photos), each, say), val_list, seed, say)
        pairs = {
            TRAIN_FILE: _make_train(train, train_pairs, seed, each),
            VAL_FILE: validation_pairs(val, val_pairs, seed, each),
        }
    if val_pairs > len(val):
        say(
            f"{val_pairs} validation pairs of {len(val)} photographs: the first {len(val)} are the course's "
            "centre cuts, one of each; the rest are more windows of the same photographs at the same scale"
        )
    for name, pair in pairs.items():
        save_pair(out / name, *pair)
    record = {
        "seed": seed,
        TRAIN_FILE: _describe(out / TRAIN_FILE, train, train_pairs, _noise_psnr(*pairs[TRAIN_FILE], noisy=2)),
        VAL_FILE: _describe(out / VAL_FILE, val, val_pairs, _noise_psnr(*pairs[VAL_FILE], noisy=1)),
    }
    with replacing(out / RECORD_FILE) as partial:
        partial.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return record


def split(
    photos: list[Photo],
    val_list: str | os.PathLike | None = None,
    seed: int = 0,
    say: Callable[[str], None] = tqdm.write,
    most: int | None = None,
) -> tuple[list[Photo], list[Photo]]:
    """Divide the photographs into those for training and those for validation; none is in both.

    Without `val_list` a seeded tenth validates, or up to 20 of few photographs, a quarter at most, and never more
    than `most`. Raises DataError if either side would be empty.
    """
    if val_list is not None:
        names = _read_names(Path(val_list))
        missing = names.difference(*(photo.names for photo in photos))
        problem = f"{val_list}: {len(missing)} of its {len(names)} photographs were not found"
        val = {i for i, photo in enumerate(photos) if photo.names & names}
        if missing and val:
            say(f"{problem}, {min(missing)} for one; the other {len(val)} form the validation set")
    else:
        problem = "a split needs at least 2 different photographs"
        count = min(max(1, len(photos) // 10, min(20, len(photos) // 4)), most or len(photos))
        val = set(torch.randperm(len(photos), generator=keyed_generator(f"{seed} split"))[:count].tolist())
    if not 0 < len(val) < len(photos):
        raise DataError(
            f"{problem}: of {len(photos)}, {len(val)} would be for validation and {len(photos) - len(val)} "
            "for training, and both need some"
        )
    return [p for i, p in enumerate(photos) if i not in val], [p for i, p in enumerate(photos) if i in val]


def leave_out(
    photos: list[Photo], exclude: str | os.PathLike | None, say: Callable[[str], None] = tqdm.write
) -> list[Photo]:
    """The photographs whose names `exclude` does not hold: a file of names, one a line, or a folder of pictures. The
    suffix does not count, so that a photograph can be left out that lies elsewhere in another format.

    Raises DataError if there is no photograph by any of the names, since then it is most likely the wrong list.
    """
    if exclude is None:
        return photos
    exclude = Path(exclude)
    names = {path.name for path in find_photos([exclude])} if exclude.is_dir() else _read_names(exclude)
    stems = {Path(name).stem for name in names}
    kept = [photo for photo in photos if not stems & {Path(name).stem for name in photo.names}]
    if len(kept) == len(photos):
        raise DataError(
            f"{exclude}: none of its {len(names)} names is that of a photograph; nothing would be excluded"
        )
    say(f"{len(photos) - len(kept)} photographs are excluded by the {len(stems)} names of {exclude}")
    return kept


def _read_names(val_list: Path) -> set[str]:
    try:
        return {line.strip() for line in val_list.read_text(encoding="utf-8").splitlines()} - {""}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{val_list}: can't be read as a list of file names, one a line ({error})") from error


def read_all(paths: list[Path], each: Callable, say: Callable) -> list[Photo]:
    """Read every photograph once; say which can't be read, and count identical files as one."""
    photos: dict[str, Photo] = {}
    results = tqdm(each(_inspect, paths), "reading", len(paths), unit="photo", mininterval=0.5)
    for path, (digest, problem) in zip(paths, results, strict=True):
        if problem:
            say(f"skipped {problem}")
        elif digest in photos:
            photos[digest].names.add(path.name)
            say(f"skipped {path}: the same file as {photos[digest].path}")
        else:
            photos[digest] = Photo(path, {path.name}, digest)
    return list(photos.values())


def _inspect(path: Path) -> tuple[str, str]:
    try:
        read_photo(path)
        return file_digest(path), ""
    except DataError as error:
        return "", str(error)


def _make_train(photos: list[Photo], pairs: int, seed: int, each: Callable) -> tuple[Tensor, Tensor]:
    # Pairs of one photograph are scattered over the file: consecutive ones may end up in one batch.
    return deal(_train_lot, "training", photos, training_order(pairs, seed), seed, each)


def training_order(pairs: int, seed: int) -> Tensor:
    """The places in the training file in the order in which they are dealt to the photographs."""
    return torch.randperm(pairs, generator=keyed_generator(f"{seed} order"))


def photo_of_each_pair(folder: str | os.PathLike) -> Tensor | None:
    """For every pair of the folder's training file the number of the photograph that it was made of.

    None if `build` did not make the file: then nobody can tell.
    """
    try:
        record = json.loads((Path(folder) / RECORD_FILE).read_text(encoding="utf-8"))
        made, seed = record[TRAIN_FILE], record["seed"]
        if made["sha256"] != file_digest(Path(folder) / TRAIN_FILE):
            return None
        pairs, photos = made["pairs"], len(made["photos"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    photo = torch.empty(pairs, dtype=torch.long)
    photo[training_order(pairs, seed)] = torch.arange(pairs) % photos
    return photo


def validation_pairs(photos: list[Photo], pairs: int, seed: int, each: Callable) -> tuple[Tensor, Tensor]:
    """`pairs` noisy and clean pictures of the photographs, uint8 pairs×3×32×32: first the course's cut of each."""
    return deal(_val_lot, "validation", photos, torch.arange(pairs), seed, each)


def deal(
    make: Callable, name: str, photos: list[Photo], order: Tensor, seed: int, each: Callable
) -> tuple[Tensor, Tensor]:
    """Deal the places in the file, in `order`, to the photographs in turn, and have `make` fill them."""
    lots, places = [], []
    for i, photo in enumerate(photos[: len(order)]):  # the first get the only pairs if there are few
        for number, place in enumerate(order[i :: len(photos)].split(LOT)):
            lots.append(Lot(photo.path, number, len(place), f"{seed} {name} {photo.digest} {number}"))
            places.append(place)
    first, second = torch.empty(2, len(order), 3, SIDE // BLOCK, SIDE // BLOCK, dtype=torch.uint8)
    with tqdm(total=len(order), desc=name, unit="pair", mininterval=0.5) as bar:
        for place, (a, b) in zip(places, each(make, lots), strict=True):
            first[place], second[place] = torch.from_numpy(a), torch.from_numpy(b)
            bar.update(len(place))
    return first, second


def _train_lot(lot: Lot) -> tuple[numpy.ndarray, numpy.ndarray]:
    generator = keyed_generator(lot.key)
    windows = random_windows(read_photo(lot.path), lot.count, generator)
    return corrupt(windows, generator).numpy(), corrupt(windows, generator).numpy()


def _val_lot(lot: Lot) -> tuple[numpy.ndarray, numpy.ndarray]:
    generator = keyed_generator(lot.key)
    photo = read_photo(lot.path)
    windows = random_windows(photo, lot.count, generator, zoom=1)
    if lot.number == 0:
        windows[0] = course_window(photo)
    return corrupt(windows, generator).numpy(), clean(windows).numpy()


def keyed_generator(key: str) -> Generator:
    """A generator that draws the same for the same `key`, and unlike that of any other."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:7])
    return Generator().manual_seed(seed)


def _check_out(out: Path) -> None:
    """Make the folder. Refuse to replace files that `build` did not make: the course's can't be had again."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{out}: can't be made a folder ({error.strerror})") from error
    if not os.access(out, os.W_OK | os.X_OK):
        raise DataError(f"{out}: no permission to write there; choose another folder with --out")
    try:
        record = json.loads((out / RECORD_FILE).read_text(encoding="utf-8"))
        made = {record[name]["sha256"] for name in (TRAIN_FILE, VAL_FILE)}
    except (OSError, ValueError, KeyError, TypeError):
        made = set()
    for path in (out / TRAIN_FILE, out / VAL_FILE):
        if path.exists() and file_digest(path) not in made:
            raise DataError(
                f"{path} was not made by this command, so it is kept; move it away or choose another folder "
                "with --out"
            )


def _describe(path: Path, photos: list[Photo], pairs: int, noise_psnr: float) -> dict:
    names = [photo.path.name for photo in photos]
    return {"pairs": pairs, "noise_psnr": round(noise_psnr, 2), "sha256": file_digest(path), "photos": names}


def _noise_psnr(first: Tensor, second: Tensor, noisy: int) -> float:
    """Mean over pictures of the noise's PSNR in dB; `noisy` of the pair's two versions are noisy."""
    parts = zip(first.split(1000), second.split(1000), strict=True)
    return sum(psnr(a, b).sum().item() for a, b in parts) / len(first) + 10 * math.log10(noisy)


def file_digest(path: str | os.PathLike) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
