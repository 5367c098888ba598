"""A report as Gradescope's results.json.

Every check is sent with its own visibility, and the platform does the hiding. (It also hides the total from students
as soon as one check is hidden from them.)
"""

from ..results import ABSENT, ERROR, PASSED, VISIBLE, Report
from . import notes, printable
from .json import dumps, plain
from .text import limits, number, summary


def render(report: Report) -> str:
    shown = report.for_students()
    tests = [
        {
            "name": finding.title,
            "number": f"{group}.{place}",
            "score": float(finding.points),
            "max_score": float(finding.max_points),
            "status": "passed" if finding.status == PASSED else "failed",
            "output": "\n".join(notes(finding)),
            "output_format": "text",
            "tags": [finding.group],
            "visibility": finding.visibility,
            "extra_data": {"check": finding.check, "status": finding.status, "details": finding.details},
        }
        for group, findings in enumerate(groups(report, shown), 1)
        for place, finding in enumerate(findings, 1)
        if finding.status != ABSENT
    ]
    leaders = [] if shown.psnr is None else [{"name": "PSNR, dB", "value": round(shown.psnr, 2), "order": "desc"}]
    result = {
        "score": float(report.score),
        "execution_time": round(report.seconds, 3),
        "output": overview(shown),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": VISIBLE,
        "stdout_visibility": "hidden",
        "tests": tests,
        "leaderboard": leaders,
        "extra_data": {"verdict": report.verdict, "printed": printable(report.output[-4000:])},
    }
    return dumps(plain(result))


def groups(report: Report, shown: Report):
    """The findings by group; those that students see say nothing of the others."""
    redacted = {finding.check: finding for finding in shown.findings}
    for findings in report.groups().values():
        yield [redacted.get(finding.check, finding) for finding in findings]


def overview(shown: Report) -> str:
    """What stands above the tests: for students, so of what they may see."""
    lines = []
    if shown.verdict == ERROR:
        lines = ["The grader broke: this is not the fault of the submission. Tell the staff.", ""]
    lines += [f"{name}: {number(round(db, 2))} dB" for name, db in shown.measurements.get("psnr", {}).items()]
    return "\n".join([*lines, *([""] if lines else []), *summary(shown), *limits(shown.enforced, 100)])


def broken(problem: str) -> str:
    """What to send where there is no report at all: no points, and whose fault it is."""
    sentence = f"The grader broke before it had a verdict; this is not the fault of the submission. {problem}"
    return dumps(
        {"score": 0.0, "output": printable(sentence), "output_format": "text", "stdout_visibility": "hidden"}
    )
