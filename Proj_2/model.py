"""The denoiser, and the names that a grader looks for."""

import time
from pathlib import Path

import torch

from .others.activation import LeakyReLU, ReLU, Sigmoid
from .others.container import Sequential
from .others.conv import Conv2d
from .others.loss import MSE
from .others.networks import large
from .others.optim import SGD, Adam
from .others.pooling import MaxPool2d
from .others.precision import has_fast_bfloat16
from .others.prediction import predict
from .others.skip import Residual, SkipConnection
from .others.training import Training
from .others.upsampling import NearestUpsampling, TransposeConv2d, Upsampling

__all__ = [
    "MSE",
    "SGD",
    "Adam",
    "Conv2d",
    "LeakyReLU",
    "MaxPool2d",
    "Model",
    "NearestUpsampling",
    "ReLU",
    "Residual",
    "Sequential",
    "Sigmoid",
    "SkipConnection",
    "TransposeConv2d",
    "Upsampling",
]

WEIGHTS = Path(__file__).with_name("bestmodel.pth")
SECONDS_PER_50000 = 280  # for an epoch, of the 300 that the assignment allows


class Model:
    """Removes the noise of 32×32 pictures, and of larger ones; learns to from pairs of noisy pictures alone.

    `network` is the Sequential that it trains and applies, on CUDA where there is one.
    """

    def __init__(self):
        self.network = large().to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        self.epochs_done = 0

    def load_pretrained_model(self):
        """Load the weights of `bestmodel.pth`, next to this file.

        Raises FileNotFoundError if it is missing and ValueError if it holds anything but this network's weights;
        the weights are then what they were.
        """
        if not WEIGHTS.is_file():
            raise FileNotFoundError(f"{WEIGHTS} is missing: put the trained weights there, or call train()")
        try:
            state = torch.load(WEIGHTS, map_location="cpu", weights_only=True)
            self.network.load_state_dict(state)
        except Exception as error:
            raise ValueError(
                f"{WEIGHTS} is not a file of this network's weights ({_first_line(error)}); "
                "fetch it again, or save the state_dict() of a trained network there"
            ) from error
        self.epochs_done = 1

    def train(self, noisy_in, noisy_out, num_epochs=1):
        """Train for `num_epochs` epochs, going on from the present weights.

        `noisy_in`, `noisy_out`: N×3×H×W with H and W multiples of 4, uint8 or float, values 0–255: each other's
        noisy versions of the same pictures. Both are left as they are. Prints a line per epoch. An epoch that would
        take longer than the assignment allows (280 seconds, and as much for every 50,000 pairs) leaves pairs out.
        Raises ValueError if they are anything else; the weights are then what they were.
        """
        for name, pictures in (("noisy_in", noisy_in), ("noisy_out", noisy_out)):
            _check_pictures(name, pictures)
            if not pictures.shape[0] or pictures.shape[2] % 4 or pictures.shape[3] % 4 or not pictures.numel():
                raise ValueError(
                    f"{name} has shape {tuple(pictures.shape)}; training needs at least one picture, with a height "
                    "and width that are multiples of 4"
                )
        if noisy_in.shape != noisy_out.shape:
            raise ValueError(
                f"noisy_in has shape {tuple(noisy_in.shape)} and noisy_out {tuple(noisy_out.shape)}; they must hold "
                "two noisy versions of the same pictures"
            )
        if not isinstance(num_epochs, int) or num_epochs < 0:
            raise ValueError(f"num_epochs must be a whole number of at least 0, not {num_epochs!r}")
        training = Training(
            self.network,
            num_epochs,
            len(noisy_in),
            peak_lr=2e-4 if self.epochs_done else 5e-3,  # weights that are good already take small steps only
            seed=self.epochs_done,
            mixed=_mixed(),
            seconds=SECONDS_PER_50000 * max(1, len(noisy_in) / 50_000),
        )
        for epoch in range(1, num_epochs + 1):
            start = time.perf_counter()
            losses = [float(loss) for loss in training.epoch(noisy_in.detach(), noisy_out.detach())]
            loss, seconds = sum(losses) / len(losses), time.perf_counter() - start
            self.epochs_done += 1
            seen = len(losses) / training.steps_per_epoch
            short = "" if seen == 1 else f", of {seen:.0%} of the pairs: no time for more"
            print(f"epoch {epoch}/{num_epochs}  loss {loss:.5f}  {seconds:.1f} s{short}", flush=True)

    def predict(self, noisy):
        """The denoised pictures: float32, values 0–255, same shape and device.

        `noisy`: N×3×H×W with any N, H and W, uint8 or float, values 0–255. Raises ValueError if it isn't.
        """
        _check_pictures("noisy", noisy)
        return predict(self.network, noisy.detach(), mixed=_mixed())


def _mixed():
    """Whether to compute in bfloat16: three times as fast; it moves predict by 0.0003 dB, five epochs by 0.006."""
    return has_fast_bfloat16() and not torch.cuda.is_available()


def _check_pictures(name, pictures):
    """Raise ValueError unless `pictures` is a tensor N×3×H×W with values from 0 to 255."""
    if not isinstance(pictures, torch.Tensor):
        raise ValueError(f"{name} must be a tensor N×3×H×W, not {type(pictures).__name__}")
    if pictures.dim() != 4 or pictures.shape[1] != 3:
        raise ValueError(f"{name} has shape {tuple(pictures.shape)}; expected N×3×H×W")
    if not pictures.is_floating_point() and str(pictures.dtype) != "torch.uint8":
        raise ValueError(f"{name} has type {pictures.dtype}; expected uint8 or floating point")
    if pictures.numel():
        low, high = (float(limit) for limit in pictures.detach().aminmax())
        if not (low >= 0 and high <= 255):  # a NaN makes both comparisons false
            raise ValueError(f"{name} has values from {low:g} to {high:g}; expected 0 to 255")


def _first_line(error):
    return str(error).strip().split("\n")[0][:200] or type(error).__name__
