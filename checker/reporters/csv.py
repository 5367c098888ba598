"""A class as one table: a line for each submission, for a spreadsheet."""

import csv
import io
from collections.abc import Iterable

from ..results import FAILED, SKIPPED, Report
from . import printable
from .text import number

FORMULA = ("=", "+", "-", "@", "\t")  # a cell that starts so is run by spreadsheets


def render(reports: Iterable[Report], groups: Iterable[str]) -> str:
    """Name, verdict, score, PSNR, the points of each of `groups`, and the names of the checks that failed.

    Sorted by name, and without anything that differs from run to run, such as times.
    """
    groups, text = list(groups), io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["submission", "verdict", "score", "max_score", "psnr_db", *groups, "failed", "skipped"])
    for report in sorted(reports, key=lambda report: report.submission):
        found = report.groups()
        points = [number(sum(finding.points for finding in found[g])) if g in found else "" for g in groups]
        db = "" if report.psnr is None else f"{report.psnr:.4f}"
        failed, skipped = (
            " ".join(f.check for f in report.findings if f.status == status) for status in (FAILED, SKIPPED)
        )
        scores = number(report.score), number(report.max_score)
        table.writerow([cell(report.submission), report.verdict, *scores, db, *points, failed, skipped])
    return text.getvalue()


def cell(text: str) -> str:
    """A name that a student chose, as text to every spreadsheet."""
    text = printable(text)
    return f"'{text}" if text.startswith(FORMULA) else text
