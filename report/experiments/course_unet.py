"""What the U-Net for the course's pictures reaches, whose weights the repository holds."""

import os
from pathlib import Path

import torch

from data.build import VAL_FILE
from data.load import DataError, load_pair
from data.psnr import psnr
from Proj_2.others.networks import unet_course
from Proj_2.others.prediction import predict
from training.options import UsageError
from training.record import read_state

from ..delivered import UNETS
from . import pairs
from .experiment import Experiment
from .results import COURSE


def measure(folder, quick):
    """Mean PSNR over pictures, in dB. Without the course's data, `course` is None."""
    network = unet_course()
    try:
        read_state(UNETS / "unet_course.pth", network)
    except UsageError as error:
        raise DataError(str(error)) from error
    course = os.environ.get(COURSE)
    return {
        "sha256": pairs.digest(UNETS / "unet_course.pth"),
        "default": _score(network, pairs.validation(folder)),
        "course": _score(network, load_pair(Path(course) / VAL_FILE)) if course else None,
    }


def _score(network, validation):
    noisy, clean = validation
    with torch.no_grad():
        return {
            "pictures": len(clean),
            "noisy": psnr(noisy, clean).mean().item(),
            "unet": psnr(predict(network, noisy).clamp_(0, 255), clean).mean().item(),
        }


COURSE_UNET = Experiment("course_unet", "the U-Net on the course's pictures", measure=measure)
