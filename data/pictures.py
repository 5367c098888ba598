"""Picture files of any common kind in, PNG out: what is no colour (transparency, 16 bits, a profile) comes back."""

from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from PIL import Image, ImageOps
from torch import Tensor

from .files import replacing
from .load import DataError
from .windows import SUFFIXES as PHOTO_SUFFIXES

SUFFIXES = PHOTO_SUFFIXES | {".avif", ".jfif", ".jp2", ".pbm", ".pgm", ".pnm", ".tga"}


@dataclass
class Picture:
    """A picture as it was read, upright."""

    values: Tensor  # 1×3×H×W, float32, 0–255; the three are equal in a grey picture
    mode: str = "RGB"  # or L (grey) or I;16 (grey, 16 bits): Pillow's names
    alpha: Image.Image | None = None
    profile: bytes | None = None  # the ICC colour profile
    frames: int = 1  # in the file; this is the first

    def like(self, values: Tensor) -> "Picture":
        """The same picture with other values, 1×3×H×W; grey stays grey."""
        if self.mode != "RGB":
            values = values.mean(1, keepdim=True).expand(-1, 3, -1, -1)
        return Picture(values, self.mode, self.alpha, self.profile, self.frames)

    def image(self) -> Image.Image:
        """As Pillow has it, in this picture's mode."""
        values = self.values[0].clamp(0, 255).permute(1, 2, 0).cpu().numpy()  # H, W, 3
        if self.mode == "I;16":
            return Image.fromarray((values[:, :, 0] * 257).round().astype("uint16"))
        values = values.round().astype("uint8")
        image = Image.fromarray(values[:, :, 0] if self.mode == "L" else values)
        if self.alpha is not None:
            image.putalpha(self.alpha)
        return image


def read_picture(path: Path) -> Picture:
    """Read the picture in a file, upright as its EXIF orientation says. Raises DataError if it can't be read."""
    try:
        with Image.open(path) as image:
            frames = getattr(image, "n_frames", 1)
            picture = _picture(ImageOps.exif_transpose(image))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except Exception as error:  # Pillow's decoders raise all sorts on a damaged file
        raise DataError(f"{path}: not a readable picture ({error or type(error).__name__})") from error
    picture.frames = frames
    return picture


def save_picture(path: Path, image: Image.Image, profile: bytes | None = None) -> None:
    """Write a PNG atomically, its folder too if need be. Raises DataError if it can't be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            image.save(partial, "PNG", icc_profile=profile)
    except OSError as error:
        raise DataError(f"{path}: can't be written ({error.strerror or error})") from error


def _picture(image: Image.Image) -> Picture:
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16"):  # Pillow would clip 16 bits at 255 instead of scaling them
        return Picture(_values(numpy.asarray(image).astype("float32") / 257), "I;16", profile=profile)
    if image.mode in ("I", "F"):
        raise DataError("32-bit values have no agreed range; expected 8 or 16 bits a colour")
    grey = image.mode in ("1", "L", "LA", "La")
    if not grey and image.mode not in ("RGB", "RGBA", "RGBX", "P"):
        profile = None  # of inks or the like, and wrong for the RGB they are turned into
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
    image = image.convert("L" if grey else "RGB")
    return Picture(_values(numpy.asarray(image, "float32")), image.mode, alpha, profile)


def _values(pixels: numpy.ndarray) -> Tensor:
    """H×W or H×W×3 → 1×3×H×W."""
    values = torch.from_numpy(numpy.atleast_3d(pixels).copy()).permute(2, 0, 1)[None]
    return values.expand(-1, 3, -1, -1).contiguous()
