"""The results of a class as files: RESULTS/submissions/NAME.json, one for each submission, written whole."""

import difflib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from . import files, regrade
from .reporters import json as json_report
from .results import ERROR, PASSED, Report

FOLDER = "submissions"
CLOSE = 5  # names that are suggested


class Unreadable(ValueError):
    """A file that holds no result, in one sentence."""


@dataclass(frozen=True)
class Stored:
    """One result: the report, the digest of what it depends on, and what its marks depend on besides."""

    report: Report
    key: str
    marking: dict

    def with_marks(self, marking: dict) -> "Stored":
        return Stored(regrade.again(self.report, self.marking, marking), self.key, marking)


def read(path: Path) -> Stored:
    """The result in a file. Raises Unreadable."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        stored = Stored(json_report.from_dict(values), str(values["key"]), dict(values["marking"]))
        float(stored.report.score + stored.report.possible)  # TypeError if a number is none
        return stored
    except OSError as error:
        raise Unreadable(f"{path} can't be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        said = error if "format" in str(error) else "damaged, or of another program"
        raise Unreadable(f"{path} holds no result that can be read ({said}): grade that submission again") from None


def write(path: Path, stored: Stored) -> None:
    values = json_report.to_dict(stored.report) | {"key": stored.key, "marking": stored.marking}
    files.write(path, json_report.dumps(values))


@dataclass(frozen=True)
class Entry:
    """One submission of the class: where it is, where its result goes, the digest that the result must carry, and
    what its marks depend on besides.
    """

    path: Path
    result: Path
    key: str
    marking: dict

    def report(self, passed_only: bool = False) -> Report | None:
        """Its result, if there is one, it is whole, up to date, and a verdict; with the marks of today.

        `passed_only`: its result if that is PASSED, whatever has changed since.
        """
        try:
            stored = read(self.result)
        except Unreadable:
            return None
        today = stored.with_marks(self.marking)
        wanted = today.report.verdict == PASSED if passed_only else stored.key == self.key
        if not wanted or today.report.verdict == ERROR:
            return None
        if today != stored:
            write(self.result, today)
        return today.report

    def write(self, report: Report) -> None:
        named = replace(report, submission=self.path.name)
        write(self.result, Stored(named, self.key, self.marking))


def names(out: Path) -> list[str]:
    """The submissions that have a result. Raises ValueError if there is none."""
    if not out.is_dir():
        raise NotADirectoryError(f"{out}: there is no such folder of results")
    found = sorted(path.stem for path in (out / FOLDER).glob("*.json"))
    if not found:
        raise ValueError(f"{out} holds no results: expected {FOLDER}/NAME.json, as test.py --all writes them")
    return found


def read_all(out: Path) -> tuple[dict[Path, Stored], list[str]]:
    """Every result by its file, and a sentence for each file that holds none."""
    found, problems = {}, []
    for name in names(out):
        path = out / FOLDER / f"{name}.json"
        try:
            found[path] = read(path)
        except Unreadable as problem:
            problems.append(str(problem))
    return found, problems


def find(out: Path, name: str) -> Stored:
    """The result of a submission by its name, with or without .zip. Raises ValueError, with names like it."""
    known = names(out)
    match = next((one for one in (name, f"{name}.zip") if one in known), None)
    if match is None:
        lowered = {one.lower(): one for one in known}
        close = difflib.get_close_matches(name.lower(), lowered, CLOSE)
        meant = (
            f"did you mean {', '.join(lowered[one] for one in close)}?" if close else f"there are {len(known)} others"
        )
        raise ValueError(f"{out} holds no result of {name!r}: {meant}")
    return read(out / FOLDER / f"{match}.json")
