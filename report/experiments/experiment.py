"""What an experiment is: the runs that it wants, and how one is made."""

from collections.abc import Callable
from dataclasses import dataclass, field

from . import pairs, runs
from .config import SEEDS, quick


@dataclass
class Experiment:
    """`configs`, each to be run with every one of `seeds`, and `measure(folder, quick)`, which returns what is not a
    run. The runs are of the paper's network on the course's pairs, unless other functions say otherwise.
    """

    name: str
    title: str
    configs: list[dict] = field(default_factory=list)
    measure: Callable | None = None
    seeds: tuple[int, ...] = SEEDS
    run: Callable = runs.run  # (config, seed, folder) -> the record of a run
    describe: Callable = pairs.describe  # folder -> the data, in words that tell it from any other
    shortened: Callable = quick  # config -> the same, cut to a few steps
