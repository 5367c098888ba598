"""Read what was measured, `report/results/*.json` and `benchmarks/results/*.json`, and what others published."""

import json
import math
import statistics
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.restoration import default_name
from data.build import file_digest

from .delivered import UNETS
from .experiments.store import RESULTS

HERE = Path(__file__).parent
BENCHMARKS = HERE.parent / "benchmarks" / "results"
PUBLISHED = HERE / "published.json"
MEASURE = "N2N_BENCHMARKS=FOLDER python -m report measure"
SEEDS = 3  # that a difference needs to be claimed


class MissingResult(Exception):
    """A result that isn't there, in one sentence with the command that makes it."""


@dataclass
class Spread:
    """Some values of one quantity, one a seed; those that are not finite are counted only."""

    values: list[float]
    diverged: int = 0

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values) if self.values else math.nan

    @property
    def deviation(self) -> float:
        """The sample's standard deviation."""
        return statistics.stdev(self.values) if len(self.values) > 1 else math.nan

    def __sub__(self, other: "Spread") -> "Spread":
        """The differences seed by seed: both have the same seeds."""
        return Spread([a - b for a, b in zip(self.values, other.values, strict=True)], self.diverged + other.diverged)


class Measured:
    """The results in a folder, each file read once and when it is first asked for."""

    def __init__(
        self,
        results: Path = RESULTS,
        benchmarks: Path = BENCHMARKS,
        published: Path = PUBLISHED,
        weights: Path = UNETS,
    ):
        self.results, self.benchmarks, self.weights = Path(results), Path(benchmarks), Path(weights)
        self.published = json.loads(Path(published).read_text(encoding="utf-8"))
        self.experiment, self.benchmark = cache(self._experiment), cache(self._benchmark)

    def _experiment(self, name: str) -> dict:
        """The file of an experiment. Raises MissingResult."""
        return _read(self.results / f"{name}.json", f"python -m report run {name}")

    def _benchmark(self, name: str, command: str = "") -> dict:
        """The file of a benchmark, made by `command` unless by its namesake. Raises MissingResult."""
        return _read(self.benchmarks / f"{name}.json", command or f"python -m benchmarks.{name}")

    @staticmethod
    def needed(value, what: str, command: str):
        """`value`, unless it is None: then raises MissingResult."""
        if value is None:
            raise MissingResult(f"{what} is missing: make it with `{command}`")
        return value

    def measures(self, experiment: str):
        """What an experiment measured beside its runs."""
        return self.experiment(experiment)["measures"]

    def runs(self, experiment: str, **wanted) -> list[dict]:
        """The runs of the one configuration that has the values `wanted`, in the order of their seeds.

        Raises MissingResult if there are fewer than SEEDS, and ValueError if `wanted` fits several configurations.
        """
        runs = [run for run in self.experiment(experiment)["runs"] if wanted.items() <= run["config"].items()]
        configs = _distinct(run["config"] for run in runs)
        if len(configs) > 1:
            raise ValueError(f"{wanted} fits {len(configs)} configurations of the experiment {experiment}")
        if len(runs) < SEEDS:
            said = ", ".join(f"{key} {value}" for key, value in wanted.items())
            raise MissingResult(
                f"{self.results / experiment}.json holds {len(runs)} of the {SEEDS} runs with {said}: make them with "
                f"`python -m report run {experiment}`"
            )
        return sorted(runs, key=lambda run: run["seed"])

    def run(self, experiment: str, **wanted) -> dict:
        """The only run that has the values `wanted`, of an experiment with one seed. Raises MissingResult."""
        runs = [run for run in self.experiment(experiment)["runs"] if wanted.items() <= run["config"].items()]
        said = ", ".join(f"{key} {value}" for key, value in wanted.items())
        command = f"python -m report run {experiment}"
        return self.needed(runs[0] if len(runs) == 1 else None, f"the run of {experiment} with {said}", command)

    def restored(self, folder: str, noise: str, weights: Path) -> dict | None:
        """What `benchmarks.restoration` found: of the set of pictures of that name; None if it did not measure it.

        Raises MissingResult if it measured other weights than are in the file now.
        """
        path = self.benchmarks / f"{default_name(Path(folder), noise, weights)}.json"
        if not path.exists():
            return None
        found = _read(path, MEASURE)
        if weights.exists() and file_digest(weights) != found["sha256"]:
            raise MissingResult(f"{path} is of other weights than {weights}: measure these with `{MEASURE}`")
        return found

    def configs(self, experiment: str, **wanted) -> list[dict]:
        """The configurations that have the values `wanted`, in the order of the file."""
        runs = self.experiment(experiment)["runs"]
        return _distinct(run["config"] for run in runs if wanted.items() <= run["config"].items())

    def psnr(self, experiment: str, **wanted) -> Spread:
        """The final PSNR in dB of the configuration with the values `wanted`."""
        return self.spread("psnr", experiment, **wanted)

    def spread(self, key: str, experiment: str, **wanted) -> Spread:
        """The entry `key` of the runs of the configuration with the values `wanted`."""
        values = [run[key] for run in self.runs(experiment, **wanted)]
        finite = [value for value in values if value is not None]
        return Spread(finite, len(values) - len(finite))


def _read(path: Path, command: str) -> dict:
    if not path.exists():
        raise MissingResult(f"{path} is missing: make it with `{command}`")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise MissingResult(f"{path} can't be read ({error}): make it again with `{command}`") from error


def _distinct(configs) -> list[dict]:
    distinct = []
    for config in configs:
        if config not in distinct:
            distinct.append(config)
    return distinct
