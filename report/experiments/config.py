"""What one training run is: a flat dictionary, of which an experiment varies a few entries."""

SEEDS = (0, 1, 2)
QUICK_STEPS = 60  # of a run made with --quick, which only shows that it works
VALUES = 3 * 32 * 32  # of a picture

DEFAULTS = {
    "variant": "",  # its name in tables, where the rest does not say it
    "outer": 32,  # channels after the first layer and before the last
    "inner": 64,  # channels in the middle
    "initialisation": "torch",  # a key of runs.INITIALISATIONS
    "defects": "",  # the original's mistakes put back, letters of defects.DEFECTS
    "optimizer": "SGD",  # at a constant rate; or Adam, under Proj_2's one-cycle schedule
    "lr": 1e-3,
    "momentum": 0,
    "scale": "sum",  # of the loss's gradient: of the mean over all values, or summed over those of a picture
    "batch": 100,
    "pairs": 50_000,
    "epochs": 1,  # times that every pair is seen; need not be whole
    "targets": "noisy",  # or clean
    "noise": "fixed",  # or fresh: new noise for every epoch
    "windows": "file",  # the pictures: of train_data.pkl, or a pool of windows of the same photographs
    "augmented": False,  # Proj_2's training: eight orientations, the roles of a pair exchanged at random
    "evaluations": 10,  # points of the curve, beside the start
}


def config(**varied):
    """The configuration of a run, which differs from DEFAULTS in `varied`. `steps` follows from epochs, pairs and
    batch.
    """
    unknown = set(varied) - set(DEFAULTS)
    if unknown:
        raise ValueError(f"a configuration has no {', '.join(sorted(unknown))}; it has {', '.join(DEFAULTS)}")
    made = DEFAULTS | varied
    return made | {"steps": round(made["epochs"] * made["pairs"] / made["batch"])}


def quick(made):
    """The same, cut to a few steps."""
    steps = min(made["steps"], QUICK_STEPS)
    return made | {"steps": steps, "epochs": steps * made["batch"] / made["pairs"], "evaluations": 2}
