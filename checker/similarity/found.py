"""What was found about a class, and its file: RESULTS/pairs.json."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import files

FILE, FOLDER = "pairs.json", "pairs"
MOST = 200  # pairs that get a page; the others are named all the same
THRESHOLD = 0.5  # of the smaller side: from here on a pair is shown to a person


@dataclass(frozen=True)
class Pair:
    """Two names, and the share of either's own code that the other one has too."""

    left: str
    right: str
    shares: tuple[float, float]

    @property
    def value(self) -> float:
        """By which pairs are sorted: the larger share, that of the side with less besides."""
        return max(self.shares)

    def other(self, name: str) -> str:
        return self.right if name == self.left else self.left


@dataclass(frozen=True)
class Alike:
    """The pairs from the threshold on, the one that shares most first; the first pair below it; the submissions that
    hold too little or too much to be compared. `key` is the digest of all that it depends on.
    """

    pairs: tuple[Pair, ...] = ()
    below: Pair | None = None
    left_out: tuple[str, ...] = ()
    key: str = ""

    def page(self, pair: Pair) -> str:
        """Where the page of a pair is, as seen from the folder of the results; empty if it has none."""
        place = self.pairs.index(pair)
        return f"{FOLDER}/{place + 1:03}.html" if place < MOST else ""

    def of(self, name: str) -> list[Pair]:
        return [pair for pair in self.pairs if name in (pair.left, pair.right)]


def read(out: Path) -> Alike | None:
    """What is stored; None if there is nothing that can be read, which then has to be compared anew."""
    try:
        values = json.loads((out / FILE).read_text(encoding="utf-8"))
        pairs = tuple(map(pair_of, values["pairs"]))
        below = values["below"] and pair_of(values["below"])
        return Alike(pairs, below, tuple(map(str, values["left_out"])), str(values["key"]))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def pair_of(values: dict) -> Pair:
    first, second = values["shares"]
    return Pair(str(values["left"]), str(values["right"]), (float(first), float(second)))


def write(out: Path, alike: Alike) -> None:
    files.write(out / FILE, json.dumps(asdict(alike), indent=1) + "\n")
