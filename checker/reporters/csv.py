"""A class as one table: a line for each submission, for a spreadsheet."""

import csv
import io
from collections.abc import Iterable

from ..results import FAILED, SKIPPED, UNJUDGED, Report
from . import DEVIATES, MARKS, mark, number, printable

OUTCOMES = {MARKS[FAILED]: "failed", DEVIATES: "deviates", MARKS[SKIPPED]: "hidden", MARKS[UNJUDGED]: "not_judged"}
FORMULA = ("=", "+", "-", "@", "\t")  # a cell that starts so is run by spreadsheets


def render(reports: Iterable[Report], groups: Iterable[str]) -> str:
    """Name, verdict, score (certain), possible, points beyond the assignment, PSNR, the points of each of `groups`,
    and the names of the checks that failed, deviate, are hidden or were not judged.

    Sorted by name, and without anything that differs from run to run, such as times.
    """
    groups, text = list(groups), io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        ["submission", "verdict", "score", "possible", "max_score", "beyond", "psnr_db", *groups, *OUTCOMES.values()]
    )
    for report in sorted(reports, key=lambda report: report.submission):
        found = report.groups()
        points = [number(sum(finding.points for finding in found[g])) if g in found else "" for g in groups]
        db = "" if report.psnr is None else f"{report.psnr:.4f}"
        scores = [number(value) for value in (report.score, report.possible, report.max_score, report.beyond[0])]
        names = [" ".join(f.check for f in report.asked if mark(f) == outcome) for outcome in OUTCOMES]
        table.writerow([cell(report.submission), report.verdict, *scores, db, *points, *names])
    return text.getvalue()


def cell(text: str) -> str:
    """A name that a student chose, as text to every spreadsheet."""
    text = printable(text)
    return f"'{text}" if text.startswith(FORMULA) else text
