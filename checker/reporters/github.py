"""A report as GitHub Classroom's autograding reporter wants it: a step output named `result`, JSON in base64."""

import base64

from .. import results
from ..results import Report
from . import notes, printable
from .json import dumps, plain

STATUS = {results.PASSED: "pass", results.FAILED: "fail", results.SKIPPED: "fail", results.ERROR: "error"}


def result(report: Report) -> dict:
    tests = [
        {
            "name": finding.title,
            "status": STATUS[finding.status],
            "score": finding.points,
            "message": "\n".join(notes(finding)),
            "test_code": finding.check,
            "filename": "",
            "line_no": 0,
            "duration": round(finding.seconds * 1000),
        }
        for finding in report.findings
        if finding.status != results.ABSENT
    ]
    return plain({
        "version": 1, "status": STATUS[report.verdict], "max_score": report.max_score, "tests": tests,
    })  # fmt: skip


def broken(problem: str) -> dict:
    """The result where there is no report: it must have a test all the same."""
    test = {"name": "Grading", "status": "error", "score": 0, "message": printable(problem), "test_code": "",
            "filename": "", "line_no": 0, "duration": 0}  # fmt: skip
    return {"version": 1, "status": "error", "max_score": 0, "tests": [test]}


def render(result: dict) -> str:
    """The line for the file $GITHUB_OUTPUT; of several lines with a name the last one counts."""
    return f"result={base64.b64encode(dumps(result).encode()).decode()}\n"
