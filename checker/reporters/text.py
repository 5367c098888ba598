"""A report as text for a terminal: a table by group with points, messages and hints; and a class as a leaderboard."""

import textwrap
from collections.abc import Iterable

from .. import results
from ..results import Finding, Report
from . import (
    alone,
    asked_groups,
    beyond,
    elsewhere,
    hidden,
    hides,
    mark,
    marks_of,
    notes,
    number,
    points_of,
    praise,
    printable,
    span,
)

# Green, red, yellow, magenta, cyan: what ANSI calls them.
COLOURS = {"ok": 32, "extra": 32, "FAILED": 31, "hidden": 33, "deviates": 33, "not judged": 36, "ERROR": 35}
INDENT = 13  # columns before a title
VERDICTS = {
    results.PASSED: "PASSED: everything that is asked is as it should be",
    results.FAILED: "FAILED: see above",
    results.REVIEW: "TO BE LOOKED AT: nothing failed, but what is not judged awaits a person",
    results.ERROR: "NO VERDICT: the grader broke, see ERROR above; this is not the submission's fault",
}


def render(report: Report, width: int = 110, colour: bool = False) -> str:
    """The whole report; the verdict is its last line."""
    parts = [f"Submission: {printable(report.submission)}\n"]
    behind = hidden(report)
    for name, findings in asked_groups(report).items():
        parts.append(heading(name.upper(), findings, width))
        parts += table(report, findings, behind, width, colour)
        parts += [f"  {'':{INDENT - 2}}{line}" for line in elsewhere(report, name)]
        parts.append("")
    if extras := beyond(report):
        parts.append(heading("BEYOND THE ASSIGNMENT, counted apart", extras, width))
        parts += [f"  {praise(extras)}", *table(report, extras, behind, width, colour), ""]
    parts += measurements(report.measurements)
    parts += [*limits(report.enforced, width), "", *summary(report), "", *textwrap.wrap(alone(report), width)]
    parts.append(last_line(report))
    return "\n".join(parts)


def heading(name: str, findings: list[Finding], width: int) -> str:
    return f"{name}{points_of(findings):>{width - len(name)}}"


def table(report: Report, findings: list[Finding], behind: dict, width: int, colour: bool) -> list[str]:
    """The rows of these findings; those that another one hides are told there."""
    told = report.roots()
    shown = [finding for finding in findings if finding.check not in told]
    return [line for finding in shown for line in rows(finding, behind.get(finding.check, []), width, colour)]


def rows(finding: Finding, behind: list[Finding], width: int, colour: bool) -> list[str]:
    """One line with mark, title and points; below it what went wrong, the hint, and what it hides."""
    points = points_of([finding])
    title = textwrap.shorten(finding.title, width - INDENT - len(points) - 1, placeholder="…")
    word = mark(finding)
    shown = f"{word:<{INDENT - 2}}"
    shown = f"\x1b[{COLOURS[word]}m{shown}\x1b[0m" if colour and word in COLOURS else shown
    lines = [f"  {shown}{title}{points:>{width - INDENT - len(title)}}"]
    for note in [*notes(finding), *([hides(behind)] if behind else [])]:
        lines += textwrap.wrap(note, width, initial_indent=" " * INDENT, subsequent_indent=" " * (INDENT + 2))
    return lines


def measurements(found: dict) -> list[str]:
    lines = []
    if "psnr" in found:
        lines += ["PSNR on the validation data, dB"]
        lines += [f"  {name:<20}{db:>8.2f}" for name, db in sorted(found["psnr"].items(), key=lambda item: item[1])]
    if "training" in found:
        t = found["training"]
        lines += [
            "",
            f"One epoch on {t['pairs']} pairs: {t['seconds']:.1f} s; PSNR {t['before']:.2f} dB before, "
            f"{t['after']:.2f} dB after",
        ]
    return lines


def limits(enforced: dict[str, str], width: int) -> list[str]:
    if not enforced:
        return []
    on = [name for name, state in enforced.items() if state == "enforced"]
    off = [f"{name}: {state}" for name, state in enforced.items() if state != "enforced"]
    text = f"The submission ran apart from the grader; enforced: {', '.join(on) or 'nothing'}, wall clock."
    return [
        "",
        *textwrap.wrap(text, width),
        *(line for note in off for line in textwrap.wrap(note, width, initial_indent="  ")),
    ]


def summary(report: Report) -> list[str]:
    """The table at the end: checks passed and points of every group."""
    lines = [f"{'group':<22}{'passed':>10}{'points':>16}"]
    for name, findings in asked_groups(report).items():
        lines.append(summary_row(name, findings))
    if extras := beyond(report):
        lines.append(summary_row("beyond, counted apart", extras))
    if report.left_out:
        lines.append(f"{'not shown':<22}{report.left_out:>10} checks, which count too")
    return lines


def summary_row(name: str, findings: list[Finding]) -> str:
    asked = [finding for finding in findings if finding.status != results.ABSENT]
    passed = sum(finding.status == results.PASSED for finding in asked)
    return f"{name:<22}{f'{passed} / {len(asked)}':>10}{points_of(findings):>16}"


def verdict(report: Report) -> str:
    return VERDICTS[report.verdict]


def last_line(report: Report) -> str:
    return f"{verdict(report)} ({marks_of(report)} in {report.seconds:.1f} s)"


def leaderboard(reports: Iterable[Report], top: int | None = None) -> str:
    """Submissions by PSNR, best first, equal ones of one rank; those without one, by points, last and unranked."""
    ranked = sorted(reports, key=lambda r: (r.psnr is None, -(r.psnr or 0), -r.score, r.submission))
    lines, rank = [f"{'rank':>4}  {'PSNR, dB':>8}  {'points':>15}  submission"], 0
    for place, report in enumerate(ranked[:top], 1):
        if place == 1 or ranked[place - 2].psnr != report.psnr:
            rank = place
        db = "–" if report.psnr is None else f"{report.psnr:.2f}"
        broken = "  (the grader broke: no verdict)" if report.verdict == results.ERROR else ""
        points = f"{span(report.score, report.possible)} / {number(report.max_score)}"
        shown = "–" if report.psnr is None else rank
        lines.append(f"{shown:>4}  {db:>8}  {points:>15}  {printable(report.submission)}{broken}")
    return "\n".join(lines)
