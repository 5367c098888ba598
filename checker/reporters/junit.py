"""A report as JUnit XML, which every CI shows: a suite for each group, a case for each check."""

from xml.etree import ElementTree

from .. import results
from ..results import Finding, Report
from . import mark, notes, printable


def render(report: Report) -> str:
    """The XML document. What was not judged, is hidden, does not apply, or goes beyond the assignment and does not
    work is `skipped`, a fault of the grader an `error`; a case that passes may say a deviation in its output.
    """
    root = ElementTree.Element("testsuites", name=printable(report.submission), **counts(report.findings))
    for name, findings in report.groups().items():
        suite = ElementTree.SubElement(root, "testsuite", name=name, **counts(findings))
        for finding in findings:
            suite.append(case(finding))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def outcome(finding: Finding) -> str:
    """The element that tells it; empty where a case passes."""
    if finding.status == results.FAILED and finding.kind != results.REQUIRED:
        return "skipped" if finding.kind == results.BEYOND else ""
    elements = {results.PASSED: "", results.FAILED: "failure", results.ERROR: "error"}
    return elements.get(finding.status, "skipped")


def counts(findings) -> dict[str, str]:
    told = [outcome(finding) for finding in findings]
    return {
        "tests": str(len(told)),
        "failures": str(told.count("failure")),
        "errors": str(told.count("error")),
        "skipped": str(told.count("skipped")),
        "time": f"{sum(finding.seconds for finding in findings):.3f}",
    }


def case(finding: Finding) -> ElementTree.Element:
    element = ElementTree.Element(
        "testcase", classname=finding.check, name=finding.title, time=f"{finding.seconds:.3f}"
    )
    said = "\n".join(notes(finding))
    if name := outcome(finding):
        message = printable(finding.message)
        if name == "skipped":
            message = f"{mark(finding)}: {message}"
        ElementTree.SubElement(element, name, message=message).text = said
    elif said:
        ElementTree.SubElement(element, "system-out").text = f"{mark(finding)}\n{said}"
    return element
