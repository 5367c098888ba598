"""What two submissions have in common: runs of `LENGTH` tokens that both have, wherever they stand.

These are the k-grams of Schleimer, Wilkerson and Aiken, "Winnowing: Local Algorithms for Document Fingerprinting"
(2003), all of them: what is handed in is short enough not to be thinned out, and so nothing depends on a hash. Runs
that the handout has too are taken out on both sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

from .tokens import END, Token, parse, tokens

LENGTH = 16  # tokens of a run, about two lines
THRESHOLD = 0.4  # of the shorter side: from here on a pair is shown to a person
FEWEST = 300  # tokens on each side besides the handout's: with fewer, nothing can be said
HANDOUT = Path(__file__).with_name("handout.txt")

Run = tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """One submission: its files' names and texts, and what is left of its tokens."""

    name: str
    files: tuple[tuple[str, str], ...]
    tokens: tuple[Token, ...]

    @cached_property
    def runs(self) -> dict[Run, list[int]]:
        """Where each run begins; the handout's are left out."""
        return {run: places for run, places in runs(self.tokens).items() if run not in handout()}

    @cached_property
    def own(self) -> int:
        """How many tokens are in a run that is not the handout's."""
        return len(covered(self.runs.values()))


@dataclass(frozen=True)
class Pair:
    """Two submissions with what they share: the share of each side, the longest part in tokens, and the places."""

    left: Source
    right: Source
    shares: tuple[float, float]
    longest: int
    places: tuple[frozenset[int], frozenset[int]]

    @property
    def value(self) -> float:
        """By which pairs are sorted: the larger share, that of the side with less besides."""
        return max(self.shares)


def source(name: str, files: Sequence[tuple[str, str]]) -> Source:
    """Of (name, text) of its files, each of which can be parsed."""
    return Source(name, tuple(files), tuple(tokens([parse(text.encode()) for _, text in files])))


def runs(found: Sequence[Token]) -> dict[Run, list[int]]:
    """Where each run of LENGTH tokens begins. None goes on from one file, or one definition, into the next."""
    kinds, places = [token.kind for token in found], {}
    last = [0] * (len(kinds) + 1)  # the first place at or after this one from which no run can go on
    for i in reversed(range(len(kinds))):
        stops = kinds[i] == END or i + 1 == len(kinds) or found[i].file != found[i + 1].file
        last[i] = i + 1 if stops else last[i + 1]
    for i in range(len(kinds) - LENGTH + 1):
        if i + LENGTH <= last[i]:
            places.setdefault(tuple(kinds[i : i + LENGTH]), []).append(i)
    return places


_HANDOUT: list[frozenset[Run]] = []


def handout() -> frozenset[Run]:
    """The runs of the handout's own skeleton, a file that is read, never run."""
    if not _HANDOUT:
        _HANDOUT.append(frozenset(runs(tokens([parse(HANDOUT.read_bytes())]))))
    return _HANDOUT[0]


def covered(begins) -> frozenset[int]:
    return frozenset(i for places in begins for begin in places for i in range(begin, begin + LENGTH))


def compare(left: Source, right: Source) -> Pair:
    shared = left.runs.keys() & right.runs.keys()
    places = tuple(covered(side.runs[run] for run in shared) for side in (left, right))
    shares = tuple(len(found) / max(1, side.own) for found, side in zip(places, (left, right), strict=True))
    return Pair(left, right, shares, longest(left, right, shared), places)


def longest(left: Source, right: Source, shared) -> int:
    """Tokens of the longest part that stands in both in one piece."""
    best, before = 0, {}
    starts = {i: right.runs[run] for run in shared for i in left.runs[run]}
    for i in sorted(starts):
        ends = {j: before.get((i - 1, j - 1), LENGTH - 1) + 1 for j in starts[i]}
        best = max(best, *ends.values())
        before = {(i, j): length for j, length in ends.items()}
    return best


def pairs(sources: Sequence[Source]) -> list[Pair]:
    """Every pair of those with enough to compare, the one that shares most first."""
    enough = [one for one in sources if one.own >= FEWEST]
    found = [compare(one, other) for one, other in combinations(enough, 2)]
    return sorted(found, key=lambda pair: (-pair.value, -min(pair.shares), pair.left.name, pair.right.name))
