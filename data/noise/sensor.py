"""The noise of sensors: around the clean value, independent from value to value."""

from dataclasses import dataclass
from math import log

import torch

from .base import Noise


@dataclass(frozen=True)
class Gaussian(Noise):
    """y = x + σ·n, n normal: unbiased, neither rounded nor clipped (J. Lehtinen et al., arXiv 1803.04189, 3.1)."""

    name = "gaussian"
    takes = "the standard deviation σ on values 0–255"
    limits = (0.0, 255.0)

    def draw(self, photos, generator=None):
        normal = torch.randn(photos.shape, generator=generator, device=photos.device)
        return normal.mul_(self.strengths(photos, generator)).add_(photos), None


@dataclass(frozen=True)
class Lamplight(Noise):
    """y = x + σ·w·n with w = 1 in blue and ⅙ in red and green, n normal: unbiased. White balance leaves the like of
    lamplight: it has little blue, which is multiplied, and the noise with it.
    """

    name = "lamplight"
    takes = "the standard deviation σ in blue, on values 0–255"
    limits = (0.0, 255.0)
    weights = (1 / 6, 1 / 6, 1.0)

    def draw(self, photos, generator=None):
        normal = torch.randn(photos.shape, generator=generator, device=photos.device)
        weights = torch.tensor(self.weights, device=photos.device).view(3, 1, 1)
        return normal.mul_(self.strengths(photos, generator)).mul_(weights).add_(photos), None


@dataclass(frozen=True)
class Poisson(Noise):
    """y = P(λ·x)/λ for x in 0–1, P a Poisson variable: unbiased, of variance x/λ, neither rounded nor clipped
    (arXiv 1803.04189, 3.2). λ is the number of photons that make white.
    """

    name = "poisson"
    takes = "the photons λ that make white"
    limits = (0.1, 100_000.0)

    def draw(self, photos, generator=None):
        rate = self.strengths(photos, generator) / 255  # photons per unit of value
        return torch.poisson(photos * rate, generator=generator).div_(rate), None


@dataclass(frozen=True)
class Camera(Noise):
    """y = g·P(x/g) + r·n, rounded and clipped as a file of 8 bits is: photons, n the noise of reading them out
    (A. Foi et al., Practical Poissonian-Gaussian noise modeling, IEEE TIP 17 (10), 2008), in the file's own values.

    Every picture draws a gain g and a read noise r of its own, uniform in their logarithms: σ is 0.5 to 36 in the
    middle of the range. Unbiased up to rounding where clipping does not reach: not at black and white.
    """

    name = "camera"
    gains = (0.002, 8.0)  # values per photon
    reads = (0.3, 20.0)  # standard deviations, in values

    def draw(self, photos, generator=None):
        gain, read = (self._between(limits, photos, generator) for limits in (self.gains, self.reads))
        noisy = torch.poisson(photos / gain, generator=generator).mul_(gain)
        noisy += torch.randn(photos.shape, generator=generator, device=photos.device).mul_(read)
        return noisy.round_().clamp_(0, 255), None

    @staticmethod
    def _between(limits, photos, generator):
        low, high = map(log, limits)
        uniform = torch.rand(len(photos), 1, 1, 1, generator=generator, device=photos.device)
        return (low + (high - low) * uniform).exp()
