"""A report as Gradescope's results.json.

Every check is sent with its own visibility, and the platform does the hiding. (It also hides the total from students
as soon as one check is hidden from them.)
"""

from ..results import ABSENT, BEYOND, ERROR, PASSED, REVIEW, VISIBLE, Finding, Report
from . import alone, mark, notes, number, points_of, printable
from .json import dumps, plain
from .text import limits, summary, verdict


def render(report: Report) -> str:
    shown = report.for_students()
    tests = [
        case(finding, f"{group}.{place}")
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
        "extra_data": {
            "verdict": report.verdict,
            "possible": report.possible,
            "beyond": report.beyond,
            "printed": printable(report.output[-4000:]),
        },
    }
    return dumps(plain(result))


def case(finding: Finding, place: str) -> dict:
    """One check. What goes beyond the assignment has no points here, so that it neither lowers the score nor counts
    as failed; what may still earn points says so.
    """
    extra = finding.kind == BEYOND
    more = (
        [f"worth {points_of([finding])} points, since it was not judged"] if finding.possible > finding.points else []
    )
    state = [f"{mark(finding)}; beyond the assignment, counted apart"] if extra else more
    return {
        "name": f"Beyond the assignment: {finding.title}" if extra else finding.title,
        "number": place,
        "score": 0.0 if extra else float(finding.points),
        "max_score": 0.0 if extra else float(finding.max_points),
        "status": "passed" if finding.status == PASSED or extra else "failed",
        "output": "\n".join([*notes(finding), *state]),
        "output_format": "text",
        "tags": [finding.group],
        "visibility": finding.visibility,
        "extra_data": {
            "check": finding.check,
            "status": finding.status,
            "kind": finding.kind,
            "points": finding.points,
            "possible": finding.possible,
            "details": finding.details,
        },
    }


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
    if shown.verdict == REVIEW:
        lines = [verdict(shown), ""]
    if shown.alone:
        lines = [alone(shown), ""]
    lines += [f"{name}: {number(round(db, 2))} dB" for name, db in shown.measurements.get("psnr", {}).items()]
    return "\n".join([*lines, *([""] if lines else []), *summary(shown), *limits(shown.enforced, 100)])


def broken(problem: str) -> str:
    """What to send where there is no report at all: no points, and whose fault it is."""
    sentence = f"The grader broke before it had a verdict; this is not the fault of the submission. {problem}"
    return dumps(
        {"score": 0.0, "output": printable(sentence), "output_format": "text", "stdout_visibility": "hidden"}
    )
