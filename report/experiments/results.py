"""What is delivered: the PSNR of the weights that the repository holds."""

import os
from pathlib import Path

from data.build import VAL_FILE
from data.load import load_pair
from data.psnr import psnr
from Proj_2.others.prediction import predict

from ..delivered import DELIVERED, delivered
from . import pairs
from .experiment import Experiment

COURSE = "N2N_COURSE_DATA"  # the environment variable that names a folder with the course's val_data.pkl, or its like


def measure(folder, quick):
    """Mean PSNR over pictures, in dB. Without the course's data, `course` is None."""
    course = os.environ.get(COURSE)
    return {
        "sha256": {name: pairs.digest(path) for name, path in DELIVERED.items()},
        "default": _scores(pairs.validation(folder), folder),
        "course": _scores(load_pair(Path(course) / VAL_FILE), folder) if course else None,
    }


def _scores(validation, folder):
    noisy, clean = validation
    colour = pairs.training(folder)[0].float().mean((0, 2, 3))  # of the training pictures: the best guess, blindly
    own = clean.float().mean((0, 2, 3))
    small, shipped = delivered()
    pictures = {
        "noisy": noisy,
        "constant": colour.view(1, 3, 1, 1).expand(clean.shape),
        "constant_best": own.view(1, 3, 1, 1).expand(clean.shape),  # of these very pictures: a bound of the above
        "paper": predict(small, noisy),
        "shipped": predict(shipped, noisy),
    }
    scores = {name: psnr(picture, clean).mean().item() for name, picture in pictures.items()}
    return {"pictures": len(clean), **scores}


RESULTS = Experiment("results", "what is delivered", measure=measure)
