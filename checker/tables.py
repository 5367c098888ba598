"""What is written about a class as a whole: tables for machines, and pages for the staff."""

from pathlib import Path

from . import files, stored
from .reporters import classpage, csv, html, text
from .results import Report

PAGE = "class.html"
NAMES = ("scores.csv", "leaderboard.txt", PAGE)


def check(out: Path) -> None:
    """Raise OSError, before the long work, if one of them can't be written."""
    for name in NAMES:
        files.check_writable(out / name)


def write(out: Path, reports: list[Report], settings: dict) -> None:
    """The tables, a page for each submission, and the page of the class, in this order."""
    files.write(out / "scores.csv", csv.render(reports, settings["points"]))
    files.write(out / "leaderboard.txt", text.leaderboard(reports) + "\n")
    for report in reports:
        files.write(out / stored.FOLDER / f"{report.submission}.html", html.render(report))
    files.write(out / PAGE, classpage.render(reports, list(settings["points"]), settings["psnr"]["pass_db"]))
