"""Every experiment by name, the most important first: the order in which they run."""

from .choices import BATCH_SIZE, CHANNELS, EPOCHS, INITIALISATION, LEARNING_RATE
from .course_unet import COURSE_UNET
from .noise import FRESH_NOISE, NOISE2NOISE
from .postmortem import POSTMORTEM
from .restoring import GAUSSIAN, IMPULSE, TEXT
from .results import RESULTS
from .scale import PAPER

EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        POSTMORTEM,
        PAPER,
        RESULTS,
        NOISE2NOISE,
        INITIALISATION,
        BATCH_SIZE,
        LEARNING_RATE,
        CHANNELS,
        FRESH_NOISE,
        EPOCHS,
        GAUSSIAN,
        TEXT,
        IMPULSE,
        COURSE_UNET,
    )
}
