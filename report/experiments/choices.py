"""What the paper chose: channels, learning rate, batch size, initialisation and the number of epochs."""

from .config import config
from .experiment import Experiment
from .runs import INITIALISATIONS

TUNED = {"optimizer": "Adam", "lr": 3e-3, "scale": "mean"}  # the schedule is Proj_2's
EVALUATIONS = 2

CHANNELS = Experiment(
    "channels",
    "channels of the outer and the inner layer, half an epoch",
    [
        config(**TUNED, outer=outer, inner=inner, epochs=0.5, evaluations=EVALUATIONS)
        for outer in (8, 16, 32, 64)
        for inner in (16, 32, 64, 128)
    ],
)

LEARNING_RATE = Experiment(
    "learning_rate",
    "learning rates of both optimisers, one epoch",
    [
        config(optimizer="SGD", lr=lr, momentum=momentum, epochs=1, evaluations=EVALUATIONS)
        for momentum, rates in ((0, (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)), (0.9, (3e-4,)))
        for lr in rates
    ]
    + [config(**TUNED | {"lr": lr}, epochs=1, evaluations=EVALUATIONS) for lr in (1e-3, 3e-3, 1e-2, 4e-2)],
)

# SGD's gradient is the mean over the batch: its scale does not depend on the batch's size. Nor does the rate.
BATCH_SIZE = Experiment(
    "batch_size",
    "batch sizes at the paper's learning rate, half an epoch or 500 steps",
    [
        config(variant="equal epochs", batch=batch, epochs=0.5, evaluations=EVALUATIONS)
        for batch in (10, 20, 50, 100, 200)
    ]
    + [
        config(variant="equal steps", batch=batch, epochs=500 * batch / 50_000, evaluations=EVALUATIONS)
        for batch in (10, 20, 50, 100, 200)
    ],
)

INITIALISATION = Experiment(
    "initialisation",
    "initial weights",
    [
        config(**recipe, initialisation=name, evaluations=5)
        for recipe in ({"optimizer": "SGD", "epochs": 2}, {**TUNED, "epochs": 0.5})
        for name in INITIALISATIONS
    ],
)

# Fewer pairs than the paper's 50,000, so that 100 epochs take minutes: what counts is the ratio of the two lengths.
EPOCHS = Experiment(
    "epochs",
    "30 or 100 epochs, over 1,000 pairs",
    [
        config(**recipe, pairs=1_000, epochs=epochs, evaluations=5)
        for recipe in ({"optimizer": "SGD"}, TUNED)
        for epochs in (30, 100)
    ],
)
