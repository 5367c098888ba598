"""The paper's configuration as it should have been, and how the scale of the loss's gradient decides over it."""

from .config import config
from .experiment import Experiment

EPOCHS = 30

PAPER = Experiment(
    "paper",
    "the paper's network and recipe, its modules repaired",
    [
        config(variant="mean", scale="mean", epochs=EPOCHS, evaluations=EPOCHS),
        config(variant="sum", scale="sum", epochs=EPOCHS, evaluations=EPOCHS),
        config(
            variant="tuned",
            scale="mean",
            optimizer="Adam",
            lr=3e-3,
            augmented=True,
            epochs=EPOCHS,
            evaluations=EPOCHS,
        ),
    ],
)
