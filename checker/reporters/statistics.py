"""What a class has in common: which checks failed how often, the most frequent mistakes, what awaits a person."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from .. import results
from ..results import Finding, Report
from . import DEVIATES, MARKS, mark

COUNTED = (MARKS[results.FAILED], DEVIATES, MARKS[results.SKIPPED], MARKS[results.UNJUDGED])


@dataclass(frozen=True)
class Mistake:
    """One mistake as several made it: an example, and the names of the submissions."""

    example: Finding
    names: tuple[str, ...]


def outcomes(reports: Iterable[Report]) -> list[tuple[Finding, Counter]]:
    """For each check that is not right everywhere: a finding, and how often each mark of COUNTED; worst first."""
    found: dict[str, tuple[Finding, Counter]] = {}
    for report in reports:
        for finding in report.asked:
            if mark(finding) in COUNTED:
                found.setdefault(finding.check, (finding, Counter()))[1][mark(finding)] += 1
    return sorted(found.values(), key=lambda item: [-item[1][word] for word in COUNTED])


def mistakes(reports: Iterable[Report], most: int = 3) -> list[Mistake]:
    """The most frequent ones. The same hint tells the same mistake, in whichever module; without one, the check."""
    found: dict[str, dict[str, Finding]] = {}
    for report in reports:
        for finding in report.findings:
            if finding.status == results.FAILED and finding.kind == results.REQUIRED:
                found.setdefault(finding.hint or finding.check, {}).setdefault(report.submission, finding)
    ordered = sorted(found.values(), key=lambda by_name: (-len(by_name), min(by_name)))
    return [Mistake(example(by_name.values()), tuple(sorted(by_name))) for by_name in ordered[:most]]


def alone(reports: Iterable[Report]) -> list[tuple[Finding, tuple[str, ...]]]:
    """The checks for which alone submissions fail, each with an example and with whom; the most frequent first."""
    found: dict[str, dict[str, Finding]] = {}
    for report in reports:
        if only := report.alone:
            found.setdefault(only.check, {})[report.submission] = only
    ordered = sorted(found.values(), key=lambda by_name: (-len(by_name), min(by_name)))
    return [(example(by_name.values()), tuple(by_name)) for by_name in ordered]


def example(findings: Iterable[Finding]) -> Finding:
    """The one with the line of its author, and else the shortest message: what can be shown in a lecture."""
    return min(findings, key=lambda f: (not f.source, len(f.message), f.message))


def waiting(reports: Iterable[Report]) -> list[tuple[Report, list[Finding]]]:
    """The submissions with findings that the grader could not judge, or where it broke."""
    states = (results.UNJUDGED, results.ERROR)
    found = [(report, [f for f in report.findings if f.status in states]) for report in reports]
    return [(report, findings) for report, findings in found if findings]


def to_review(reports: Iterable[Report]) -> list[tuple[str, tuple[str, ...]]]:
    """Notes about the assignment's rules, each with the submissions that it is about; the most frequent first."""
    found: dict[str, list[str]] = {}
    for report in reports:
        for finding in report.findings:
            for warning in finding.warnings:
                names = found.setdefault(f"{finding.group}: {warning}", [])
                if report.submission not in names:
                    names.append(report.submission)
    order = sorted(found.items(), key=lambda item: (not item[0].startswith("rules: "), -len(item[1]), item[0]))
    return [(note, tuple(names)) for note, names in order]
