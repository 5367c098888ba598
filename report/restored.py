"""What the U-Nets make of the field's pictures: which weights are measured on which noise, and the measuring."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from benchmarks import restoration, timing
from data.build import file_digest
from data.load import DataError
from Proj_2.model import WEIGHTS

from .delivered import UNETS
from .experiments.photographs import BENCHMARKS, SETS, check_sets
from .measured import Measured


@dataclass(frozen=True)
class Restoration:
    """A noise, and the weights of a network that removes it."""

    noise: str
    weights: str  # the name of a file in weights/, or "shipped", the assignment's network
    network: str = "unet"

    def path(self, folder: Path = UNETS) -> Path:
        """The file of the weights, those of the U-Nets in `folder`."""
        return WEIGHTS if self.weights == "shipped" else folder / f"{self.weights}.pth"

    def mean(self, measured: Measured, pictures: str) -> dict | None:
        """The means over a set of pictures; None if it was not measured. Raises MissingResult if of other weights."""
        found = measured.restored(pictures, self.noise, self.path(measured.weights))
        return found and found["mean"]


BLIND = "gaussian5-50"  # the weights of the one network for all strengths of Gaussian noise
RESTORATIONS = (
    Restoration("gaussian:25", BLIND),
    Restoration("gaussian:25", "shipped", "large"),
    Restoration("poisson:30", "poisson30"),
    Restoration("poisson:30", "shipped", "large"),
    Restoration("gaussian:5-50", BLIND),
)


def measure(again: bool = False) -> int:
    """Measure all of RESTORATIONS whose weights are there, and say which are not; what has been measured with the
    same weights is skipped, unless `again`. Returns the status that the command ends with.

    Raises DataError if the environment does not say where the pictures are.
    """
    folder = os.environ.get(BENCHMARKS)
    if not folder:
        raise DataError(f"expected the environment variable {BENCHMARKS}: a folder that holds {' and '.join(SETS)}")
    check_sets()
    for kept in RESTORATIONS:
        path = kept.path()
        if not path.exists():
            tqdm.write(f"{path} is not there yet: {kept.noise} is left out")
            continue
        for pictures in (Path(folder) / name for name in SETS):
            if not again and _is_measured(pictures, kept):
                tqdm.write(f"{pictures.name}, {kept.noise}, {path.name}: measured already")
                continue
            tqdm.write(f"\n{pictures.name}, {kept.noise}, {path.name}")
            options = ["--noise", kept.noise, "--weights", str(path), "--network", kept.network]
            status = restoration.main([str(pictures), *options])
            if status:
                return status
    return 0


def _is_measured(pictures, kept):
    name = restoration.default_name(pictures, kept.noise, kept.path())
    try:
        found = json.loads((timing.RESULTS / f"{name}.json").read_text("utf-8"))
        return found["sha256"] == file_digest(kept.path())
    except (OSError, ValueError, KeyError):
        return False
