"""A report as text for a terminal: a table by group with points, messages and hints."""

import shutil
import textwrap

from .. import results
from ..results import Finding, Report

MARKS = {
    results.PASSED: "ok",
    results.FAILED: "FAILED",
    results.SKIPPED: "skipped",
    results.ABSENT: "–",
    results.ERROR: "ERROR",
}


def render(report: Report, width: int | None = None) -> str:
    """The whole report; the verdict is its last line."""
    width = width or min(shutil.get_terminal_size((110, 0)).columns, 120)
    parts = [f"Submission: {report.submission}\n"]
    for name, findings in report.groups().items():
        points = f"{number(sum(f.points for f in findings))} / {number(sum(f.max_points for f in findings))}"
        parts.append(f"{name.upper()}{points:>{width - len(name)}}")
        parts += [line for finding in findings for line in rows(finding, width)]
        parts.append("")
    parts += measurements(report.measurements)
    parts += [*limits(report.enforced, width), "", last_line(report)]
    return "\n".join(parts)


def rows(finding: Finding, width: int) -> list[str]:
    """One line with mark, title and points; below it what went wrong, and the hint."""
    points = f"{number(finding.points)} / {number(finding.max_points)}"
    title = textwrap.shorten(finding.title, width - 10 - len(points) - 1, placeholder="…")
    lines = [f"  {MARKS[finding.status]:<8}{title}{points:>{width - 10 - len(title)}}"]
    notes = [
        finding.message,
        f"→ {finding.hint}" if finding.hint else "",
        *(f"note: {w}" for w in finding.warnings),
    ]
    for note in filter(None, notes):
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


def last_line(report: Report) -> str:
    score = f"{number(report.score)} of {number(report.max_score)} points in {report.seconds:.1f} s"
    verdict = {
        results.PASSED: "PASSED: everything is as it should be",
        results.FAILED: "FAILED: see above",
        results.ERROR: "NO VERDICT: the grader broke, see ERROR above; this is not the submission's fault",
    }
    return f"{verdict[report.verdict]} ({score})"


def number(value: float) -> str:
    return f"{value:g}"
