"""Photographs and the 256×256 windows cut from them.

The course scales a photograph so that its shorter side is 256 (bicubic) and cuts it to 256×256. Every window
here is a square of that scaled photograph, or of one scaled a little larger; it is resampled straight from
the photograph's own pixels, which costs only the window.
"""

import os
from pathlib import Path

import numpy
import torch
from PIL import Image, ImageOps
from torch import Generator, Tensor

from .load import DataError

SIDE = 256  # pixels of a window, and of the shorter side of the course's scaled photograph
# The noise at scales up to a quarter above the course's is that of the course's. Measured on 367 photographs:
# 21.2 to 21.3 dB at zoom 1 and 1.25, 21.8 at 2 and 22.7 at 3, where windows turn smooth.
ZOOM = 1.25
SMALLEST = 32  # photographs with a shorter side under this hold less than a 32×32 picture
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".gif"}


def find_photos(folders: list[str | os.PathLike]) -> list[Path]:
    """Every picture file in the folders and below them, hidden ones left out, sorted by name.

    Raises DataError if a folder is missing or if there is no picture at all.
    """
    photos = set()
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder; --photos expects folders of photographs")
        photos.update(
            path
            for path in folder.rglob("*")
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
        )
    if not photos:
        raise DataError(
            f"no photograph in {', '.join(map(str, folders))}; expected files ending in {', '.join(sorted(SUFFIXES))}"
        )
    return sorted(photos, key=lambda path: (path.name, str(path)))


def read_photo(path: str | os.PathLike) -> Image.Image:
    """Read a photograph as 8-bit RGB, upright as its EXIF orientation says.

    Transparency is laid over white; 16 bits become 8. Raises DataError if it can't be read or is too small.
    """
    try:
        with Image.open(path) as image:
            photo = _rgb(ImageOps.exif_transpose(image))
    except Exception as error:  # Pillow's decoders raise all sorts on a damaged file
        raise DataError(f"{path}: not a readable photograph ({error or type(error).__name__})") from error
    if min(photo.size) < SMALLEST:
        width, height = photo.size
        raise DataError(f"{path}: {width}×{height} is too small, expected at least {SMALLEST} pixels a side")
    return photo


def course_window(photo: Image.Image) -> Tensor:
    """The course's cut: shorter side to 256, then the centre. Returns uint8 3×256×256."""
    width, height = _scaled(photo, SIDE)
    return _cut(photo, SIDE, round((width - SIDE) / 2), round((height - SIDE) / 2))


def random_windows(photo: Image.Image, count: int, generator: Generator, zoom: float = ZOOM) -> Tensor:
    """Windows at random places, each turned to one of the 8 flips and rotations. Returns uint8 N×3×256×256.

    For each, the shorter side is scaled to between 256 and 256·`zoom` (uniform in its logarithm).
    """
    # A photograph far larger than needed is first averaged down, as Pillow's own `reducing_gap` does: the
    # windows of a 24-megapixel photograph take seconds otherwise.
    photo = photo.reduce(max(1, int(min(photo.size) / (3 * SIDE * zoom))))
    windows = torch.empty(count, 3, SIDE, SIDE, dtype=torch.uint8)
    for window in windows:
        window.copy_(_random_window(photo, generator, zoom))
    return windows


def _random_window(photo: Image.Image, generator: Generator, zoom: float) -> Tensor:
    scale, x, y = torch.rand(3, generator=generator, dtype=torch.float64).tolist()
    side = round(SIDE * zoom**scale)
    width, height = _scaled(photo, side)
    window = _cut(photo, side, round(x * (width - SIDE)), round(y * (height - SIDE)))
    turns = int(torch.randint(8, (), generator=generator))
    return (window.flip(2) if turns % 2 else window).rot90(turns // 2, (1, 2))


def _scaled(photo: Image.Image, side: int) -> tuple[int, int]:
    """Width and height once the shorter of them is `side`."""
    shorter = min(photo.size)
    return tuple(length * side // shorter for length in photo.size)


def _cut(photo: Image.Image, side: int, x: int, y: int) -> Tensor:
    """The window whose corner is (x, y) in the photograph scaled to a shorter side of `side`."""
    (width, height), (to_width, to_height) = photo.size, _scaled(photo, side)
    box = (
        x * width / to_width,
        y * height / to_height,
        (x + SIDE) * width / to_width,
        (y + SIDE) * height / to_height,
    )
    window = photo.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box)
    return torch.from_numpy(numpy.array(window)).permute(2, 0, 1)  # 256, 256, 3 -> 3, 256, 256


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # Pillow would clip 16 bits at 255 instead of scaling them
        return Image.fromarray((numpy.asarray(image) // 257).astype("uint8")).convert("RGB")
    if image.mode in ("I", "F"):
        raise DataError("32-bit values have no agreed range")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")
