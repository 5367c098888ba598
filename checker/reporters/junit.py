"""A report as JUnit XML, which every CI shows: a suite for each group, a case for each check."""

from xml.etree import ElementTree

from .. import results
from ..results import Finding, Report
from . import notes, printable


def render(report: Report) -> str:
    """The XML document. A skipped or not applicable check is `skipped`, a fault of the grader is an `error`."""
    root = ElementTree.Element("testsuites", name=printable(report.submission), **counts(report.findings))
    for name, findings in report.groups().items():
        suite = ElementTree.SubElement(root, "testsuite", name=name, **counts(findings))
        for finding in findings:
            suite.append(case(finding))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def counts(findings) -> dict[str, str]:
    states = [finding.status for finding in findings]
    return {
        "tests": str(len(states)),
        "failures": str(states.count(results.FAILED)),
        "errors": str(states.count(results.ERROR)),
        "skipped": str(states.count(results.SKIPPED) + states.count(results.ABSENT)),
        "time": f"{sum(finding.seconds for finding in findings):.3f}",
    }


def case(finding: Finding) -> ElementTree.Element:
    element = ElementTree.Element(
        "testcase", classname=finding.check, name=finding.title, time=f"{finding.seconds:.3f}"
    )
    kinds = {results.FAILED: "failure", results.ERROR: "error", results.SKIPPED: "skipped", results.ABSENT: "skipped"}
    if finding.status in kinds:
        outcome = ElementTree.SubElement(element, kinds[finding.status], message=printable(finding.message))
        outcome.text = "\n".join(notes(finding))
    elif finding.warnings:
        ElementTree.SubElement(element, "system-out").text = "\n".join(notes(finding))
    return element
