"""Whether there is anything to learn from noisy pictures, and whether what was learnt is worth keeping.

Both are judged without a clean picture, on windows of the noisy ones: N×3×side×side, values 0–255.
"""

from math import sqrt

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from data.build import keyed_generator
from Proj_2.others.container import Sequential
from Proj_2.others.prediction import predict

from .denoiser import on_cpu_mixed

KNOWN = "the noise is of the kind that the network knows, normal and equal in the colours"
DEPENDENT = "the noise is not independent from pixel to pixel, as that of most JPEG files is not"

# The correlation from which neighbours tell of each other's noise: in what the network takes off it is −0.2 to 0
# where noise is independent, and 0.07 to 0.5 after JPEG with its colours in half the size.
APART = 0.05
ALIKE = 1.3  # how far what is measured of known noise may lie from what is expected of it, as a ratio
CLIPPED = 1.5  # standard deviations from black and white within which noise is clipped, and has another form
ENOUGH = 0.1  # the part of a window that has to be left then
NORMAL = 3.0  # the kurtosis of a normal distribution
GRID = 3  # of this many pixels in each direction one at a time is hidden,
HIDDEN = ((0, 1), (2, 0))  # namely, in turn, those at these places of each square of GRID×GRID
BLOCK = 32  # pixels a side of what is compared with itself, before and after
SURE = 3.0  # standard errors by which a gain has to differ from none
# What a gain has to be at least, as a part: whoever guesses hidden pixels a little better may make worse use of those
# that are not hidden. On Gaussian noise, which the blind network knows, a gain of 1 % went with a loss of 0.1 dB.
LEAST = 0.02


def nothing_to_learn(network: Sequential, windows: Tensor) -> str:
    """Why nothing is to be learnt from the windows, if that is so; else an empty text. It is seen from what the
    network takes for their noise.

    Where that is normal, equal in the colours and independent from one to the other, the network was trained on it:
    there is little to learn, and something to lose. Noise of another kind gives itself away by a colour with more of
    it, by colours that have it in common, or by tails: the fourth moment is beyond that of the normal distribution
    where few pixels have most of the noise.
    """
    denoised = as_file(network, windows)
    noise = windows - denoised
    if float(_likeness(noise).median()) > APART:
        return DEPENDENT
    margin = CLIPPED * noise.square().mean((1, 2, 3), keepdim=True).sqrt()
    shown = ((denoised > margin) & (denoised < 255 - margin)).all(1)
    ratios = [_ratios(part[:, mask]) for part, mask in zip(noise, shown, strict=True) if mask.float().mean() > ENOUGH]
    known = bool(ratios) and bool((torch.stack(ratios).median(0).values <= ALIKE).all())
    return KNOWN if known else ""


def _likeness(noise):
    """The correlation of neighbours in every window's noise."""
    rows, columns = noise[:, :, 1:] * noise[:, :, :-1], noise[..., 1:] * noise[..., :-1]
    return (rows.mean((1, 2, 3)) + columns.mean((1, 2, 3))) / (2 * noise.square().mean((1, 2, 3)) + 1e-9)


def _ratios(noise):
    """Of a window's noise, 3×pixels: the strongest to the weakest colour; the variance of the colours' mean to that
    of independent ones; and the kurtosis to the normal one.
    """
    spread = noise.square().mean(1)
    common = 3 * noise.mean(0).square().mean() / spread.mean()
    kurtosis = noise.pow(4).mean() / noise.square().mean() ** 2
    return torch.stack([(spread.max() / spread.min()).sqrt(), common, kurtosis / NORMAL])


class Judge:
    """Compares a network with what it was, at pixels that are hidden from it.

    Each pixel in turn is hidden by one of its neighbours (A. Krull et al., Noise2Void, arXiv 1811.10980), and the
    network is asked for it: what it says cannot come from the noise that the pixel has. The mean squared difference
    to what is there is, but for a constant, the noise of what is there, that to the clean picture.
    """

    def __init__(self, network: Sequential, windows: Tensor):
        self.windows = windows
        self.first = self._errors(network)

    def gain(self, network: Sequential) -> float:
        """By which part the squared error has fallen, the noise of the hidden pixels included; 0 unless that is more
        than chance over the blocks of the windows, and enough.
        """
        gains = self.first - self._errors(network)
        gain = float(gains.mean() / self.first.mean())
        sure = float(gains.mean()) > SURE * float(gains.std()) / sqrt(len(gains))
        return gain if gain > LEAST and sure else 0.0

    def _errors(self, network):
        """The mean squared difference at the hidden pixels of every block."""
        generator = keyed_generator("hidden")  # the same for all weights
        sides = torch.stack([self.windows.roll(shift, axis) for shift in (-1, 1) for axis in (2, 3)])
        errors = 0.0
        for top, left in HIDDEN:
            hidden = torch.zeros(self.windows.shape[2:], dtype=torch.bool)
            hidden[top::GRID, left::GRID] = True
            which = torch.randint(len(sides), (1, len(self.windows), 1, *hidden.shape), generator=generator)
            neighbours = sides.gather(0, which.expand(-1, -1, 3, -1, -1))[0]
            predicted = as_file(network, torch.where(hidden, neighbours, self.windows))
            squared = (predicted - self.windows).square().mean(1, keepdim=True)
            errors = errors + avg_pool2d(squared * hidden, BLOCK) / avg_pool2d(hidden[None].float(), BLOCK)
        return errors.flatten() / len(HIDDEN)


def as_file(network: Sequential, windows: Tensor) -> Tensor:
    """The windows as the network denoises them, clipped as a file is."""
    device = network.param()[0][0].device
    return predict(network, windows.to(device), on_cpu_mixed(network)).clamp_(0, 255).to(windows.device)
