"""A report as GitHub Classroom's autograding reporter wants it: a step output named `result`, JSON in base64."""

import base64

from .. import results
from ..results import Report
from . import beyond, mark, notes, points_of, praise, printable
from .json import dumps, plain

STATUS = {
    results.PASSED: "pass",
    results.FAILED: "fail",
    results.SKIPPED: "fail",
    results.UNJUDGED: "error",  # not the submission's fault
    results.REVIEW: "error",
    results.ERROR: "error",
}


def result(report: Report) -> dict:
    tests = [
        case(f.title, STATUS[f.status], f.points, "\n".join(notes(f)), f.check, round(f.seconds * 1000))
        for f in report.asked
        if f.status != results.ABSENT
    ]
    if found := beyond(report):
        told = [praise(found), *(f"{mark(f)}: {f.title}. {' '.join(notes(f))}".strip() for f in found)]
        title = f"Beyond the assignment: {points_of(found)}, counted apart"
        tests.append(case(title, "pass", 0, "\n".join(told)))
    return plain({
        "version": 1, "status": STATUS[report.verdict], "max_score": report.max_score, "tests": tests,
    })  # fmt: skip


def case(name: str, status: str, score: float, message: str, check: str = "", milliseconds: int = 0) -> dict:
    return {"name": name, "status": status, "score": score, "message": message, "test_code": check,
            "filename": "", "line_no": 0, "duration": milliseconds}  # fmt: skip


def broken(problem: str) -> dict:
    """The result where there is no report: it must have a test all the same."""
    tests = [case("Grading", "error", 0, printable(problem))]
    return {"version": 1, "status": "error", "max_score": 0, "tests": tests}


def render(result: dict) -> str:
    """The line for the file $GITHUB_OUTPUT; of several lines with a name the last one counts."""
    return f"result={base64.b64encode(dumps(result).encode()).decode()}\n"
