"""What the sources of a class have in common, by copydetect."""

import io
from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import numpy
from copydetect import CodeFingerprint, compare_files
from copydetect.utils import find_fingerprint_overlap, get_copied_slices
from tqdm import tqdm

from .found import Pair

LENGTH = 25  # characters of the shortest run that counts; copydetect's own default
FEWEST = 800  # such characters besides the handout's: with fewer, nothing can be said
MOST = 200_000  # characters of a source; in a larger one somebody has to look for himself
HANDOUT = Path(__file__).with_name("handout.txt")

Stretches = tuple[tuple[int, int], ...]  # (first, past the last) character of each


class Comparison:
    """The sources of a class, {name: text}, of which those in `left_out` are too small or too large to compare."""

    def __init__(self, texts: dict[str, str]):
        handout = numpy.array(sorted(fingerprint(HANDOUT.read_text(encoding="utf-8"), []).hashes))
        self.texts = texts
        small = {name: text for name, text in texts.items() if len(text) <= MOST}
        read = tqdm(small.items(), desc="sources read", disable=None)
        prints = {name: fingerprint(text, handout) for name, text in read}
        self.prints = {name: one for name, one in prints.items() if one.token_coverage >= FEWEST}
        self.left_out = sorted(texts.keys() - self.prints.keys())

    def pairs(self) -> list[Pair]:
        """Every pair, the one that shares most first."""
        both = list(combinations(sorted(self.prints), 2))
        found = []
        for left, right in tqdm(both, desc="pairs compared", disable=None):
            shares = compare_files(self.prints[left], self.prints[right])[1]
            found.append(Pair(left, right, tuple(min(1.0, round(float(share), 4)) for share in shares)))
        return sorted(found, key=lambda pair: (-pair.value, -min(pair.shares), pair.left, pair.right))

    def shared(self, pair: Pair) -> tuple[Stretches, Stretches, list[int]]:
        """What both have, as stretches of the left text and of the right one; and for each of the left ones the
        number of the right one that has most of it.
        """
        left, right = self.prints[pair.left], self.prints[pair.right]
        places = find_fingerprint_overlap(left.hashes, right.hashes, left.hash_idx, right.hash_idx)
        starts = [get_copied_slices(found, LENGTH)[0] for found in places]
        common = [Counter() for _ in starts[0]]
        for run in left.hashes & right.hashes:
            there = {number_of(place, starts[1]) for place in right.hash_idx[run]}
            for here in left.hash_idx[run]:
                common[number_of(here, starts[0])].update(there)
        partner = [max(sorted(counts), key=counts.__getitem__) for counts in common]
        sides = (tuple((int(a), int(b)) for a, b in found.T) for found in compare_files(left, right)[2])
        return *sides, partner


def number_of(place: int, starts: numpy.ndarray) -> int:
    return int(numpy.searchsorted(starts, place, side="right")) - 1


def fingerprint(text: str, handout: Iterable[int]) -> CodeFingerprint:
    found = CodeFingerprint("model.py", LENGTH, 1, handout, language="python", fp=io.StringIO(text))
    if len(found.offsets):  # how much was left out so far; copydetect 0.5 starts anew at the name of a class
        found.offsets[:, 1] = numpy.maximum.accumulate(found.offsets[:, 1])
    return found
