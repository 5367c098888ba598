"""A report as text for a terminal: a table by group with points, messages and hints; and a class as a leaderboard."""

import textwrap
from collections.abc import Iterable

from .. import results
from ..results import Finding, Report
from . import notes, printable

MARKS = {
    results.PASSED: "ok",
    results.FAILED: "FAILED",
    results.SKIPPED: "skipped",
    results.ABSENT: "–",
    results.ERROR: "ERROR",
}
COLOURS = {"ok": 32, "FAILED": 31, "skipped": 33, "ERROR": 35}  # green, red, yellow, magenta: what ANSI calls them


def render(report: Report, width: int = 110, colour: bool = False) -> str:
    """The whole report; the verdict is its last line."""
    parts = [f"Submission: {printable(report.submission)}\n"]
    for name, findings in report.groups().items():
        parts.append(f"{name.upper()}{points_of(findings):>{width - len(name)}}")
        parts += [line for finding in findings for line in rows(finding, width, colour)]
        parts.append("")
    parts += measurements(report.measurements)
    parts += [*limits(report.enforced, width), "", *summary(report), "", last_line(report)]
    return "\n".join(parts)


def rows(finding: Finding, width: int, colour: bool) -> list[str]:
    """One line with mark, title and points; below it what went wrong, and the hint."""
    points = f"{number(finding.points)} / {number(finding.max_points)}"
    title = textwrap.shorten(finding.title, width - 10 - len(points) - 1, placeholder="…")
    mark = MARKS[finding.status]
    shown = f"\x1b[{COLOURS[mark]}m{mark:<8}\x1b[0m" if colour and mark in COLOURS else f"{mark:<8}"
    lines = [f"  {shown}{title}{points:>{width - 10 - len(title)}}"]
    for note in notes(finding):
        lines += textwrap.wrap(note, width, initial_indent=" " * 10, subsequent_indent=" " * 12)
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
    lines = [f"{'group':<14}{'passed':>10}{'points':>14}"]
    for name, findings in report.groups().items():
        asked = [finding for finding in findings if finding.status != results.ABSENT]
        passed = sum(finding.status == results.PASSED for finding in asked)
        lines.append(f"{name:<14}{f'{passed} / {len(asked)}':>10}{points_of(findings):>14}")
    if report.left_out:
        lines.append(f"not shown     {report.left_out:>10} checks, which count too")
    return lines


def last_line(report: Report) -> str:
    score = f"{number(report.score)} of {number(report.max_score)} points in {report.seconds:.1f} s"
    verdict = {
        results.PASSED: "PASSED: everything is as it should be",
        results.FAILED: "FAILED: see above",
        results.ERROR: "NO VERDICT: the grader broke, see ERROR above; this is not the submission's fault",
    }
    return f"{verdict[report.verdict]} ({score})"


def leaderboard(reports: Iterable[Report], top: int | None = None) -> str:
    """Submissions by PSNR, best first; those without one by points, last. Equal values share a rank."""
    ranked = sorted(reports, key=lambda r: (r.psnr is None, -(r.psnr or 0), -r.score, r.submission))
    lines, rank = [f"{'rank':>4}  {'PSNR, dB':>8}  {'points':>11}  submission"], 0
    for place, report in enumerate(ranked[:top], 1):
        if place == 1 or ranked[place - 2].psnr != report.psnr:
            rank = place
        db = "–" if report.psnr is None else f"{report.psnr:.2f}"
        broken = "  (the grader broke: no verdict)" if report.verdict == results.ERROR else ""
        points = f"{number(report.score)} / {number(report.max_score)}"
        lines.append(f"{rank:>4}  {db:>8}  {points:>11}  {printable(report.submission)}{broken}")
    return "\n".join(lines)


def points_of(findings: list[Finding]) -> str:
    return f"{number(sum(f.points for f in findings))} / {number(sum(f.max_points for f in findings))}"


def number(value: float) -> str:
    return f"{value:g}"
