"""What is written about a class as a whole: tables for machines, and pages for the staff."""

from collections.abc import Iterator
from pathlib import Path

from . import files, stored
from .reporters import classpage, csv, html, text
from .results import Report
from .similarity import found

PAGE = "class.html"
NAMES = ("scores.csv", "leaderboard.txt", PAGE, found.FILE)


def check(out: Path) -> None:
    """Make the folders. Raises OSError, before the long work, if anything can't be written."""
    for folder in (out, out / stored.FOLDER, out / found.FOLDER):
        files.check_folder(folder)
    for name in NAMES:
        files.check_writable(out / name)


def write(out: Path, reports: list[Report], settings: dict) -> None:
    """The tables, a page for each submission, and the page of the class, in this order. Raises OSError."""
    try:
        for name, content in contents(out, reports, settings):
            files.write(out / name, content)
    except OSError as error:
        kept = f"the results in {out / stored.FOLDER} are kept, and the same command writes it"
        raise OSError(f"{out / name} can't be written ({error.strerror}): {kept}") from error


def contents(out: Path, reports: list[Report], settings: dict) -> Iterator[tuple[str, str]]:
    """(name below `out`, content) of each file."""
    alike, groups = found.read(out), list(settings["points"])
    yield "scores.csv", csv.render(reports, groups, alike)
    yield "leaderboard.txt", text.leaderboard(reports) + "\n"
    for report in reports:
        yield f"{stored.FOLDER}/{report.submission}.html", html.render(report)
    yield PAGE, classpage.render(reports, groups, settings["psnr"]["pass_db"], alike)
