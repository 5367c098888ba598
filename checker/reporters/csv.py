"""A class as one table: a line for each submission, for a spreadsheet."""

import csv
import io
from collections.abc import Iterable

from ..results import FAILED, SKIPPED, UNJUDGED, Report
from ..similarity.found import Alike
from . import DEVIATES, MARKS, mark, number, printable

OUTCOMES = {MARKS[FAILED]: "failed", DEVIATES: "deviates", MARKS[SKIPPED]: "hidden", MARKS[UNJUDGED]: "not_judged"}
FORMULA = ("=", "+", "-", "@", "\t")  # a cell that starts so is run by spreadsheets


def render(reports: Iterable[Report], groups: Iterable[str], alike: Alike | None = None) -> str:
    """Name, verdict, score (certain), possible, points beyond the assignment, PSNR, the points of each of `groups`,
    the names of the checks that failed, deviate, are hidden or were not judged, the check for which alone it fails,
    and the submissions that have the same code, with the share.

    Sorted by name, and without anything that differs from run to run, such as times.
    """
    groups, text = list(groups), io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    scores = ("submission", "verdict", "score", "possible", "max_score", "beyond", "psnr_db")
    table.writerow([*scores, *groups, *OUTCOMES.values(), "fails_alone", "same_code"])
    for report in sorted(reports, key=lambda report: report.submission):
        found = report.groups()
        points = [number(sum(finding.points for finding in found[g])) if g in found else "" for g in groups]
        db = "" if report.psnr is None else f"{report.psnr:.4f}"
        scores = [number(value) for value in (report.score, report.possible, report.max_score, report.beyond[0])]
        names = [" ".join(f.check for f in report.asked if mark(f) == outcome) for outcome in OUTCOMES]
        names.append(report.alone.check if report.alone else "")
        pairs = alike.of(report.submission) if alike else []
        same = cell("; ".join(f"{pair.other(report.submission)} {pair.value:.2f}" for pair in pairs))
        table.writerow([cell(report.submission), report.verdict, *scores, db, *points, *names, same])
    return text.getvalue()


def cell(text: str) -> str:
    """A name that a student chose, as text to every spreadsheet."""
    text = printable(text)
    return f"'{text}" if text.startswith(FORMULA) else text
