"""A network, and what it makes of a whole picture, in a bounded amount of memory."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from data.pictures import Picture
from Proj_2.model import Model
from Proj_2.others.container import Sequential
from Proj_2.others.networks import unet
from Proj_2.others.precision import has_fast_bfloat16
from Proj_2.others.prediction import predict, tiles
from training.options import UsageError
from training.record import read_state

WEIGHTS = Path(__file__).parent.parent / "weights" / "gaussian5-50.pth"  # of the network for photographs
TILE = 1024  # pixels a side that it works on together: 600 MB; smaller ones would overlap in more of their pixels
# A picture with less noise than the first has nothing to gain from a network that may take some texture for noise,
# one with more than the second is denoised in full: standard deviations, in values of 0–255.
QUIET, NOISY = 2.6, 4.0
# What makes the denoised part of a picture of the network as a function, the noisy part, and the name of its place.
Way = Callable[..., Tensor]


def photo_network(weights: Path | None = None) -> Sequential:
    """The U-Net for photographs with the weights in the file, by default those that come with it.

    Raises UsageError if they are missing or another network's.
    """
    network = unet().to("cuda" if torch.cuda.is_available() else "cpu")
    if weights is None and not WEIGHTS.is_file():
        raise UsageError(f"{WEIGHTS} is missing: fetch it again, or name the weights of a U-Net of yours, --weights")
    read_state(weights or WEIGHTS, network)
    return network


def course_network() -> Sequential:
    """The network for the course's pictures. Raises UsageError if its weights are missing or damaged."""
    model = Model()
    try:
        model.load_pretrained_model()
    except (OSError, ValueError) as error:
        raise UsageError(error) from error
    return model.network


def on_cpu_mixed(network: Sequential) -> bool:
    """Whether the network computes in bfloat16: where it is faster."""
    return has_fast_bfloat16() and network.param()[0][0].device.type == "cpu"


def needed(level: float | None) -> float:
    """How much, from 0 to 1, of what the network would change a picture with noise of this strength needs; None: of a
    strength that is not known.
    """
    if level is None:
        return 1.0
    return min(1.0, max(0.0, (level - QUIET) / (NOISY - QUIET)))


def denoise(
    network: Sequential,
    picture: Picture,
    amount: float = 1.0,
    progress: Callable[[int], None] = lambda pixels: None,
    way: Way | None = None,
) -> Picture:
    """The picture with `amount` of its noise taken away; at 0 it is the picture itself. `progress` is told of the
    pixels that are done. Beside the two pictures and a tile there is nothing in memory. `way` is how else
    than directly the network is asked for a part of the picture.
    """
    height, width = picture.pixels.shape[:2]
    if amount == 0:
        progress(height * width)
        return picture
    result, device = picture.blank(), network.param()[0][0].device

    def ask(x):
        return predict(network, x.to(device), on_cpu_mixed(network), TILE).cpu()

    for seen, used, out in tiles(network, height, width, TILE):
        noisy = picture.values(*seen)
        denoised = way(ask, noisy, place=f"{seen}") if way else ask(noisy)
        result.put(noisy.lerp(denoised, amount)[:, :, *used], *out)
        progress(denoised[0, 0, *used].numel())
    return result
