"""What is written about a class as a whole: tables for machines, and pages for the staff."""

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
    """The tables, a page for each submission, and the page of the class, in this order."""
    alike = found.read(out)
    files.write(out / "scores.csv", csv.render(reports, settings["points"], alike))
    files.write(out / "leaderboard.txt", text.leaderboard(reports) + "\n")
    for report in reports:
        files.write(out / stored.FOLDER / f"{report.submission}.html", html.render(report))
    page = classpage.render(reports, list(settings["points"]), settings["psnr"]["pass_db"], alike)
    files.write(out / PAGE, page)
