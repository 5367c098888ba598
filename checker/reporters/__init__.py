"""Ways to show a Report; each is a pure function of it.

They are given what their reader may see: `Report.for_students()` where that is a student. Only Gradescope gets all,
with the visibility of each check, and does the hiding itself.
"""

import re
from collections.abc import Iterable

from .. import results
from ..results import BEYOND, CONVENTION, Finding, Report

UNPRINTABLE = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MARKS = {
    results.PASSED: "ok",
    results.FAILED: "FAILED",
    results.SKIPPED: "hidden",
    results.UNJUDGED: "not judged",
    results.ABSENT: "–",
    results.ERROR: "ERROR",
}
EXTRA, NOT_YET, DEVIATES = "extra", "not yet", "deviates"


def printable(text: str) -> str:
    """Text of a submission without control characters: no terminal obeys it, and XML can hold it."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def mark(finding: Finding) -> str:
    """A word or two for the outcome. What goes beyond the assignment can't fail, and a deviation is no mistake."""
    if finding.kind == BEYOND and finding.status in (results.PASSED, results.FAILED):
        return EXTRA if finding.status == results.PASSED else NOT_YET
    if finding.kind == CONVENTION and finding.status == results.FAILED:
        return DEVIATES
    return MARKS[finding.status]


def notes(finding: Finding) -> list[str]:
    """What is to be said about a finding, a paragraph each."""
    message = [finding.message] if finding.message else []
    source = [f"your line: {finding.source}"] if finding.source else []
    hint = [f"→ {finding.hint}"] if finding.hint else []
    warnings = [f"note: {warning}" for warning in finding.warnings]
    return [printable(note) for note in (*message, *source, *hint, *warnings)]


def number(value: float) -> str:
    return f"{round(value, 4):g}"


def span(certain: float, possible: float) -> str:
    """Points from what is certain to what is possible; one number where that is the same."""
    low, high = number(certain), number(possible)
    return low if low == high else f"{low}–{high}"


def points_of(findings: Iterable[Finding]) -> str:
    """ "4–9 / 12": certain, possible and most of these findings together."""
    findings = list(findings)
    low, high, most = (sum(getattr(f, name) for f in findings) for name in ("points", "possible", "max_points"))
    return f"{span(low, high)} / {number(most)}"


def marks_of(report: Report) -> str:
    return f"{span(report.score, report.possible)} of {number(report.max_score)} points"


def beyond(report: Report) -> list[Finding]:
    """What goes beyond the assignment, as far as it concerns this submission."""
    return [f for f in report.findings if f.kind == BEYOND and f.status != results.ABSENT]


def praise(findings: list[Finding]) -> str:
    """One sentence about what goes beyond the assignment."""
    works = sum(finding.status == results.PASSED for finding in findings)
    most = len(findings)
    if not works:
        return "Nobody asked for these; they are ideas for where to go on."
    return f"{'All' if works == most else works} of {most} things that nobody asked for work: well done."


def asked_groups(report: Report) -> dict[str, list[Finding]]:
    """The findings about what the assignment asks for, by group."""
    groups = {name: [f for f in found if f.kind != BEYOND] for name, found in report.groups().items()}
    return {name: found for name, found in groups.items() if found}


def hidden(report: Report) -> dict[str, list[Finding]]:
    """The skipped findings by the check at their root."""
    found: dict[str, list[Finding]] = {}
    by_name = {finding.check: finding for finding in report.findings}
    for name, root in report.roots().items():
        found.setdefault(root.check, []).append(by_name[name])
    return found


def hides(findings: Iterable[Finding]) -> str:
    """A finding's last paragraph: what it hides, with what that may be worth."""
    told = []
    for finding in findings:
        was = finding.message.partition("; it was: ")[2]
        told.append(f"{finding.title} ({points_of([finding])}{f'; it was: {was}' if was else ''})")
    return printable(f"hides: {'; '.join(told)}")


def alone(report: Report) -> str:
    """A sentence for who fails for one thing alone; empty for everybody else."""
    if not (only := report.alone):
        return ""
    behind = len(hidden(report).get(only.check, []))
    more = f", which hides {behind} other{'s' if behind > 1 else ''}" if behind else ""
    return printable(f"It fails for one thing alone: “{only.title}”{more}.")


def elsewhere(report: Report, group: str) -> list[str]:
    """A line for each finding of another group that hides checks of this one."""
    found, roots = asked_groups(report).get(group, []), report.roots()
    count: dict[str, list[Finding]] = {}
    for finding in found:
        if (root := roots.get(finding.check)) and root not in found:
            count.setdefault(root.title, []).append(finding)
    return [
        printable(f"{len(behind)} more {'is' if len(behind) == 1 else 'are'} hidden, see “{title}”")
        for title, behind in count.items()
    ]
