"""Photographs and noisy pictures of the same scenes, read into memory for `Crops`."""

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy
import torch
from torch import Tensor
from tqdm import tqdm

from .build import keyed_generator, leave_out, read_all, split
from .load import DataError
from .parallel import cores, parallel_map
from .windows import find_photos, read_photo

MEMORY = 4e9  # bytes that the pictures may take
HELD_OUT = 48  # scenes at most

Scenes = list[list[Tensor]]  # of every scene its pictures, uint8 3×H×W of one size


def photo_scenes(
    photos: Iterable[str | os.PathLike],
    side: int,
    val_list: str | os.PathLike | None = None,
    exclude: str | os.PathLike | None = None,
    say: Callable[[str], None] = tqdm.write,
) -> tuple[Scenes, Scenes]:
    """The photographs in the folders `photos`, those for training and those held out; every photograph is a scene.

    `val_list` and `exclude`: which to hold out and which to leave out, as for `split` and `leave_out`. Photographs of
    less than `side` pixels a side are left out. Raises DataError in one sentence.
    """
    with parallel_map(cores()) as each:
        found = leave_out(read_all(find_photos(list(photos)), each, say), exclude, say)
        sides = split(found, val_list, say=say, most=HELD_OUT)
        paths = [[[photo.path] for photo in photos] for photos in sides]
        return tuple(_read(some, side, each, say, share=len(found)) for some in paths)


def noisy_scenes(
    folders: list[str | os.PathLike], side: int, say: Callable[[str], None] = tqdm.write
) -> tuple[Scenes, Scenes]:
    """A person's own noisy pictures, the scenes for training and those held out (a tenth): either two folders with
    pictures of equal names, or one folder with a sub-folder of two or more pictures for every scene.

    Raises DataError in one sentence, also if the pictures of a scene differ in size.
    """
    folders = list(map(Path, folders))
    if len(folders) > 2:
        raise DataError(
            f"{len(folders)} folders of noisy pictures; expected one with a sub-folder for every scene, or two"
        )
    paths = _bursts(folders[0]) if len(folders) == 1 else _equal_names(folders, say)
    if len(paths) < 2:
        raise DataError(f"{_listed(folders)}: a single scene; expected 2 at least, one of them to be held out")
    count = max(1, min(HELD_OUT, len(paths) // 10))
    order = torch.randperm(len(paths), generator=keyed_generator("scenes")).tolist()
    sides = [paths[i] for i in sorted(order[count:])], [paths[i] for i in sorted(order[:count])]
    with parallel_map(cores()) as each:
        return tuple(_read(some, side, each, say, share=sum(map(len, paths))) for some in sides)


def _bursts(folder: Path) -> list[list[Path]]:
    paths: dict[Path, list[Path]] = {}
    for path in find_photos([folder]):
        paths.setdefault(path.parent, []).append(path)
    for parent, pictures in paths.items():
        if parent == folder or len(pictures) < 2:
            raise DataError(
                f"{parent}: expected a sub-folder for every scene with two or more pictures of it, not "
                f"{pictures[0].name} " + ("beside them" if parent == folder else "alone")
            )
    return [paths[parent] for parent in sorted(paths)]


def _equal_names(folders: list[Path], say: Callable) -> list[list[Path]]:
    named = [{path.relative_to(folder).with_suffix(""): path for path in find_photos([folder])} for folder in folders]
    both = sorted(set.intersection(*map(set, named)))
    if not both:
        raise DataError(f"{_listed(folders)} have no two pictures of equal names; a pair needs one in each")
    alone = set.union(*map(set, named)) - set(both)
    if alone:
        say(
            f"{len(alone)} pictures have none of the same name in the other folder and are left out, "
            f"{min(alone)} for one"
        )
    return [[pictures[name] for pictures in named] for name in both]


def _read(paths: list[list[Path]], side: int, each: Callable, say: Callable, share: int) -> Scenes:
    """The pictures; `share`: how many there are in all to share the memory."""
    scenes = []
    most = int(MEMORY / 3 / share)
    for pictures, note in tqdm(
        each(partial(_read_scene, side=side, most=most), paths), "loading", len(paths), unit="scene"
    ):
        if note:
            say(note)
        else:
            scenes.append([torch.from_numpy(picture) for picture in pictures])
    if not scenes:
        raise DataError(f"none of {len(paths)} pictures has {side} pixels a side or more; choose a smaller --crop")
    return scenes


def _read_scene(paths: list[Path], side: int, most: int) -> tuple[list[numpy.ndarray], str]:
    """The pictures of a scene, uint8 3×H×W, or why there are none. Of more than `most` pixels, the middle is kept."""
    photos = [read_photo(path) for path in paths]
    sizes = [photo.size for photo in photos]
    for path, size in zip(paths, sizes, strict=True):
        if size != sizes[0]:
            raise DataError(
                f"{path} is {size[0]}×{size[1]}, but {paths[0]} {sizes[0][0]}×{sizes[0][1]}; the pictures of a "
                "scene have one size, and show it from one place"
            )
    if min(sizes[0]) < side:
        return [], f"skipped {paths[0]}: {sizes[0][0]}×{sizes[0][1]} is less than a crop of {side}×{side}"
    arrays = [_middle(numpy.asarray(photo), side, most) for photo in photos]
    return [numpy.ascontiguousarray(array.transpose(2, 0, 1)) for array in arrays], ""


def _middle(pixels: numpy.ndarray, side: int, most: int) -> numpy.ndarray:
    """Of H×W×3, the middle in about the same shape: `most` pixels, but not less than `side` a side."""
    scale = min(1, (most / (pixels.shape[0] * pixels.shape[1])) ** 0.5)
    sizes = [max(side, int(scale * length)) for length in pixels.shape[:2]]
    (top, height), (left, width) = (((length - n) // 2, n) for length, n in zip(pixels.shape, sizes, strict=False))
    return pixels[top : top + height, left : left + width]


def _listed(folders: list[Path]) -> str:
    return " and ".join(map(str, folders))
