"""The measure of the results."""

from torch import Tensor


def psnr(pictures: Tensor, clean: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each picture in dB: −10·log₁₀ of its mean squared error, values scaled to 0–1.

    Both N×…, values 0–255; returns N values, 100 dB for equal pictures.
    """
    error = (pictures.float() - clean.float()).div(255).square().flatten(1).mean(1)
    return -10 * error.clamp_min(1e-10).log10()
