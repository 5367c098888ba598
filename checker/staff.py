"""What the staff does with a class on the command line: grade it, mark it anew, explain one result."""

import argparse

from . import regrade, stored, tables
from .reporters import text
from .results import ERROR, FAILED, PASSED, REVIEW, Report

TOP = 10  # lines of the leaderboard that are shown


def grade(options: argparse.Namespace, settings: dict) -> list[Report]:
    """Grade the class in --all; shows the leaderboard and counts."""
    from .classroom import Task, grade_class

    task = Task(options.data.resolve(), settings, tuple(options.only), options.quick, options.seed)
    reports = grade_class(options.all, options.out, task, options.jobs, options.part, options.only_failed)
    show(reports)
    print(f"results in {options.out}" if options.part != (0, 1) else f"results in {options.out / tables.PAGE}")
    return reports


def mark_again(options: argparse.Namespace, settings: dict) -> list[Report]:
    """Marks of --out anew with these settings, from the stored findings; nothing runs."""
    from .classroom import alone

    found, problems = stored.read_all(options.out)
    if not found:
        raise ValueError(problems[0])
    tables.check(options.out)
    with alone(options.out, (0, 1)):
        reports, changed = [], 0
        for path, old in sorted(found.items()):
            quick = bool(old.marking.get("quick"))
            new = old.with_marks(regrade.marking(settings, quick))
            if new != old:
                stored.write(path, new)
            changed += (new.report.score, new.report.verdict) != (old.report.score, old.report.verdict)
            reports.append(new.report)
        tables.write(options.out, reports, settings)
    show(reports)
    print(f"{changed} have another mark or verdict than before; results in {options.out / tables.PAGE}")
    if problems:
        raise ValueError(f"not in these tables, and left as they are: {'; '.join(problems)}")
    return reports


def show(reports: list[Report]) -> None:
    verdicts = [report.verdict for report in reports]
    print(text.leaderboard(reports, TOP))
    print(
        f"\n{len(verdicts)} submissions: {verdicts.count(PASSED)} passed, {verdicts.count(FAILED)} failed, "
        f"{verdicts.count(REVIEW)} to be looked at, {verdicts.count(ERROR)} without a verdict"
    )
