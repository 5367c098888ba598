"""Compare the sources of a class: RESULTS/pairs.json, and a page for each pair that a person is to look at."""

from pathlib import Path

from . import files
from .intake import fingerprint, submission
from .reporters import pairpage
from .similarity import found
from .similarity.compare import Comparison
from .similarity.found import THRESHOLD, Alike


def update(paths: list[Path], out: Path) -> None:
    """Compare the submissions at `paths`, unless what is stored in `out` is about the same sources."""
    names = [path.name.encode("utf-8", "replace").decode() for path in paths]
    sources = [submission.source(submission.find_one(path)) for path in paths]
    texts = dict(zip(names, sources, strict=True))
    key = fingerprint.combined(sorted(texts.items()), fingerprint.of_grader())
    before = found.read(out)
    if before and before.key == key:
        return
    comparison = Comparison(texts)
    pairs = comparison.pairs()
    alike = tuple(pair for pair in pairs if pair.value >= THRESHOLD)
    below = next(iter(pairs[len(alike) :]), None)
    found_now = Alike(alike, below, tuple(comparison.left_out), key)
    (out / found.FOLDER).mkdir(exist_ok=True)
    for pair in alike[: found.MOST]:
        sides = texts[pair.left], texts[pair.right]
        files.write(out / found_now.page(pair), pairpage.render(pair, sides, comparison.shared(pair)))
    found.write(out, found_now)
    for number in range(len(alike), len(before.pairs) if before else 0):  # of pairs that are none any more
        (out / found.FOLDER / f"{number + 1:03}.html").unlink(missing_ok=True)
