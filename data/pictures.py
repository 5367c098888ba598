"""Picture files of any common kind in, PNG out: transparency, 16 bits, colour profile and EXIF come back."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy
import torch
from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile, get_sampling
from torch import Tensor

from .deep import is_deep, low_bytes, write_png
from .files import replacing
from .load import DataError
from .windows import SUFFIXES as PHOTO_SUFFIXES

SUFFIXES = PHOTO_SUFFIXES | {".avif", ".jfif", ".jp2", ".pbm", ".pgm", ".pnm", ".tga"}
ALL = slice(None)


@dataclass
class Picture:
    """A picture as it was read, upright: of 50 megapixels in RGB it takes 150 MB, of 16 bits 300."""

    pixels: numpy.ndarray  # H×W×3, or H×W×1 if it is grey; uint8 or uint16
    alpha: numpy.ndarray | None = None  # H×W, of the same type
    profile: bytes | None = None  # the ICC colour profile
    exif: bytes | None = None
    notes: tuple[str, ...] = ()  # what whoever gave the file should know
    halved: bool = False  # the file, JPEG, held the colours in half the size

    @property
    def size(self) -> str:
        return f"{self.pixels.shape[1]}×{self.pixels.shape[0]}"

    @property
    def unit(self) -> float:
        """What 1 of the values 0–255 is in the pixels."""
        return numpy.iinfo(self.pixels.dtype).max / 255

    def values(self, rows: slice = ALL, columns: slice = ALL) -> Tensor:
        """1×3×h×w of a part, float32, 0–255; the three are equal in a grey picture."""
        part = torch.from_numpy(self.pixels[rows, columns].astype("float32"))
        return part.div_(self.unit).permute(2, 0, 1)[None].expand(-1, 3, -1, -1)

    def put(self, values: Tensor, rows: slice = ALL, columns: slice = ALL) -> None:
        """Round 1×3×h×w to the pixels of a part; a grey picture takes the mean of the three."""
        if self.pixels.shape[2] == 1:
            values = values.mean(1, keepdim=True)
        part = (values[0].clamp(0, 255) * self.unit).round_().permute(1, 2, 0)
        self.pixels[rows, columns] = part.cpu().numpy().astype(self.pixels.dtype)

    def blank(self) -> "Picture":
        """The same picture with pixels yet to be put."""
        return replace(self, pixels=numpy.empty_like(self.pixels))

    def image(self) -> Image.Image:
        """As Pillow has it, in 8 bits: L, LA, RGB or RGBA."""
        channels = self.pixels if self.alpha is None else numpy.dstack([self.pixels, self.alpha])
        if channels.dtype != "uint8":
            channels = (channels // 257).astype("uint8")
        return Image.fromarray(channels[:, :, 0] if channels.shape[2] == 1 else channels)


def read_picture(path: Path) -> Picture:
    """Read the picture in a file, upright as its EXIF orientation says. Raises DataError if it can't be read."""
    try:
        with Image.open(path) as image:
            frames = getattr(image, "n_frames", 1)
            picture = _deep_picture(image, path) if is_deep(image) else _picture(ImageOps.exif_transpose(image))
            picture.halved = isinstance(image, JpegImageFile) and get_sampling(image) > 0
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except Exception as error:  # Pillow's decoders raise all sorts on a damaged file
        raise DataError(f"{path}: not a readable picture ({error or type(error).__name__})") from error
    if frames > 1:
        picture.notes += (f"the first of its {frames} frames is used",)
    return picture


def save_picture(path: Path, picture: Picture) -> None:
    """Write a PNG as `save_image` does, with all that the picture has."""
    if picture.pixels.dtype == "uint8":
        save_image(path, picture.image(), icc_profile=picture.profile, exif=picture.exif)
        return
    pixels = picture.pixels if picture.alpha is None else numpy.dstack([picture.pixels, picture.alpha])
    _write(path, lambda partial: write_png(partial, pixels, picture.profile, picture.exif))


def save_image(path: Path, image: Image.Image, **options) -> None:
    """Write a PNG atomically, its folder too if need be. Raises DataError if it can't be written."""
    options = {name: value for name, value in options.items() if value}
    _write(path, lambda partial: image.save(partial, "PNG", **options))


def write_text(path: Path, parts) -> None:
    """Write a text, given in parts, in the same manner."""

    def how(partial):
        with open(partial, "w", encoding="utf-8") as file:
            file.writelines(parts)

    _write(path, how)


def _write(path, how):
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            how(partial)
    except (FileExistsError, NotADirectoryError) as error:
        raise DataError(f"{path}: can't be written, since a file lies where its folder should be") from error
    except OSError as error:
        raise DataError(f"{path}: can't be written ({error.strerror or error})") from error


def _deep_picture(image, path):
    """The picture of a file with 16 bits a colour; of 8 if Pillow can't do otherwise."""
    low = low_bytes(path)
    if low is None:
        picture = _picture(ImageOps.exif_transpose(image))
        picture.notes += ("its 16 bits a colour are read as 8",)
        return picture
    upright = ImageOps.exif_transpose(image)
    pixels = numpy.asarray(upright).astype("uint16")
    pixels <<= 8
    with low:
        pixels |= numpy.asarray(ImageOps.exif_transpose(low))
    return Picture(pixels[:, :, :3], _alpha(pixels), upright.info.get("icc_profile"), upright.info.get("exif"))


def _picture(image: Image.Image) -> Picture:
    kept = {"profile": image.info.get("icc_profile"), "exif": image.info.get("exif")}
    if image.mode.startswith("I;16"):  # Pillow would clip 16 bits at 255 instead of scaling them
        return Picture(numpy.asarray(image).astype("uint16")[:, :, None], **kept)
    if image.mode in ("I", "F"):
        raise DataError("32-bit values have no agreed range; expected 8 or 16 bits a colour")
    grey = image.mode in ("1", "L", "LA", "La")
    if not grey and image.mode not in ("RGB", "RGBA", "RGBX", "P"):
        kept["profile"] = None  # of inks or the like, and wrong for the RGB they are turned into
    if image.has_transparency_data:
        pixels = numpy.asarray(image.convert("LA" if grey else "RGBA"))
        return Picture(pixels[:, :, :-1], pixels[:, :, -1], **kept)
    return Picture(numpy.atleast_3d(numpy.asarray(image.convert("L" if grey else "RGB"))), **kept)


def _alpha(pixels):
    return pixels[:, :, 3] if pixels.shape[2] == 4 else None
