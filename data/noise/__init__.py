"""The noises, by name: what `--noise NAME[:VALUES]` may say. VALUES is a number, or a range from which every picture
draws its own: `gaussian:25`, `gaussian:5-50`.

    course                 one random pixel of each 8×8 block of the photograph     unbiased
    gaussian:σ             x + σ·n on values 0–255                                  unbiased
    lamplight:σ            the same in blue, a sixth of it in red and green         unbiased
    poisson:λ              P(λ·x)/λ on values 0–1                                   unbiased
    camera                 photons and read noise, strengths random, in 8 bits      unbiased but where it is clipped
    bernoulli[:p]          a part p of the pixels is lost, which is known           unbiased where it is known
    text[:p]               words cover a part p of the picture                      the median is the clean colour
    impulse[:p]            a part p of the pixels has random colours                the mode is the clean colour

Formulas and sources are at the classes.
"""

from ..load import DataError
from .base import Noise
from .course import BLOCK, Course, clean, corrupt
from .lost import Bernoulli, Impulse, Text
from .sensor import Camera, Gaussian, Lamplight, Poisson

__all__ = ["BLOCK", "NOISES", "Noise", "clean", "corrupt", "noise"]

NOISES = {kind.name: kind for kind in (Course, Gaussian, Lamplight, Poisson, Camera, Bernoulli, Text, Impulse)}


def noise(text: str) -> Noise:
    """The noise that `text` says, NAME or NAME:VALUE or NAME:LOW-HIGH. Raises DataError if it says none."""
    name, colon, values = text.partition(":")
    kind = NOISES.get(name)
    if kind is None:
        raise DataError(f"there is no noise {name!r}; expected one of {', '.join(NOISES)}")
    if not kind.takes:
        if colon:
            raise DataError(f"the noise {name} takes no values, not {values!r}")
        return kind()
    if not colon and kind.default:
        return kind(*kind.default)
    try:
        low, _, high = values.partition("-")
        low, high = float(low), float(high or low)
    except ValueError:
        low, high = 1.0, 0.0
    least, most = kind.limits
    if not least <= low <= high <= most:
        raise DataError(
            f"the noise {name} needs {kind.takes}: a number from {least:g} to {most:g}, or a range like "
            f"{name}:{_example(kind)}; not {values!r}"
        )
    return kind(low, high)


def _example(kind):
    low, high = kind.default or (5, 50)
    return f"{low:g}-{high:g}"
