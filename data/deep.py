"""Pictures of 16 bits a colour, which Pillow reads and writes as 8."""

import struct
import sys
import zlib
from pathlib import Path

import numpy
from PIL import Image
from PIL.PngImagePlugin import putchunk

ROWS = 256  # compressed at a time
BITS_PER_SAMPLE = 258  # a tag of TIFF
LOW = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}  # what takes the low byte for the high
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # of a PNG file, by the number of channels: grey and RGB, with alpha or not


def is_deep(image: Image.Image) -> bool:
    """Whether the file of an image, opened but not yet loaded, holds 16 bits a colour that Pillow would cut to 8."""
    tiff = getattr(image, "tag_v2", {}).get(BITS_PER_SAMPLE, 8)
    deep = any(";16" in _raw_mode(tile) for tile in image.tile) or tiff in (16, (16,) * 3, (16,) * 4)
    return deep and not image.mode.startswith("I")


def low_bytes(path: Path) -> Image.Image | None:
    """The lower eight bits of the colours in the file, upright or not as they lie there; None if Pillow can't tell.

    It takes the higher byte of each colour. Told that the file has the other order of bytes, it takes the lower one.
    """
    image = Image.open(path)
    if "transparency" in image.info or not all(_raw_mode(tile)[:-1] in ("RGB;16", "RGBA;16") for tile in image.tile):
        image.close()
        return None
    image.tile = [_low(tile) for tile in image.tile]
    return image


def write_png(path: Path, pixels: numpy.ndarray, profile: bytes | None = None, exif: bytes | None = None) -> None:
    """Write a PNG file of 16 bits a colour: uint16 H×W×C, grey, grey and alpha, RGB or RGB and alpha."""
    height, width, channels = pixels.shape
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        putchunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, COLOUR_TYPES[channels], 0, 0, 0))
        if profile:
            putchunk(file, b"iCCP", b"ICC Profile\0\0", zlib.compress(profile))
        if exif:
            putchunk(file, b"eXIf", exif.removeprefix(b"Exif\0\0"))
        compressor, above = zlib.compressobj(), numpy.zeros((1, width * channels * 2), "uint8")
        for start in range(0, height, ROWS):
            rows = pixels[start : start + ROWS].astype(">u2").reshape(-1, width * channels).view("uint8")
            lines = numpy.empty((len(rows), 1 + rows.shape[1]), "uint8")
            lines[:, 0] = 2  # the filter "up": what is stored is the difference to the row above
            numpy.subtract(rows, numpy.concatenate([above, rows[:-1]]), out=lines[:, 1:])
            above = rows[-1:]
            _put_data(file, compressor.compress(lines))
        _put_data(file, compressor.flush())
        putchunk(file, b"IEND")


def _put_data(file, data):
    if data:
        putchunk(file, b"IDAT", data)


def _low(tile):
    raw = _raw_mode(tile)
    raw = raw[:-1] + LOW[raw[-1]]
    return tile._replace(args=raw if isinstance(tile.args, str) else (raw, *tile.args[1:]))


def _raw_mode(tile):
    args = tile.args if isinstance(tile.args, str) else (tile.args or ("",))[0]
    return args if isinstance(args, str) else ""
