"""The corruption of the course's pictures: one random pixel of each 8×8 block instead of the block's mean.

The noise has zero mean, is independent between pixels, large at edges and textures and absent where the
photograph is flat. The clean picture minimises the expected squared error to a noisy one, so the squared
error is the right loss for training on two noisy versions.
"""

from dataclasses import dataclass

from torch import Generator, Tensor, arange, randint
from torch.nn.functional import avg_pool2d

from .base import Noise

BLOCK = 8  # pixels of the photograph per pixel of the picture, in each direction


def clean(photos: Tensor) -> Tensor:
    """Mean of each 8×8 block, rounded: N×3×H×W in 0–255 → N×3×H/8×W/8 of the same dtype.

    Raises ValueError unless H and W are multiples of 8.
    """
    _check(photos)
    return avg_pool2d(photos.float(), BLOCK).round().to(photos.dtype)


def corrupt(photos: Tensor, generator: Generator | None = None) -> Tensor:
    """One pixel picked uniformly from each 8×8 block: N×3×H×W → N×3×H/8×W/8 of the same dtype.

    The three colours share the position; blocks and pictures draw their own. `generator` lives on the device
    of `photos`. Call it twice for the two versions of a Noise2Noise pair. Raises ValueError as `clean` does.
    """
    _check(photos)
    n, channels, height, width = photos.shape
    rows, columns = height // BLOCK, width // BLOCK
    pick = randint(BLOCK * BLOCK, (n, rows, columns), generator=generator, device=photos.device)
    row = pick // BLOCK + BLOCK * arange(rows, device=photos.device).view(
        -1, 1
    )  # n, rows, columns: row in the photograph
    column = pick % BLOCK + BLOCK * arange(columns, device=photos.device)
    index = (row * width + column).view(n, 1, -1).expand(-1, channels, -1)  # n, channels, rows*columns
    return photos.reshape(n, channels, -1).gather(2, index).view(n, channels, rows, columns)


@dataclass(frozen=True)
class Course(Noise):
    """`clean` and `corrupt` as a noise of the catalogue: its pictures are an eighth of the photographs in size."""

    name = "course"
    block = BLOCK

    def clean(self, photos):
        return clean(photos).float()

    def draw(self, photos, generator=None):
        return corrupt(photos, generator).float(), None


def _check(photos: Tensor) -> None:
    if photos.dim() != 4 or photos.shape[2] % BLOCK or photos.shape[3] % BLOCK:
        raise ValueError(
            f"expected photographs N×3×H×W with H and W multiples of {BLOCK}, received {tuple(photos.shape)}"
        )
