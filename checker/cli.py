"""The command line of test.py: grade one submission, or a class, and show the results."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from . import config, files, stored
from .intake import submission
from .reporters import github, gradescope, json, junit, text
from .results import ERROR, PASSED, VISIBLE, Report

ROOT = Path(__file__).resolve().parent.parent
OK, SUBMISSION_FAILED, NO_VERDICT = 0, 1, 2
FILES = ("json", "junit", "html", "montage", "gradescope")  # options that name a file to write


def main(arguments: list[str] | None = None) -> int:
    """Grade; returns 0 if all passed, 1 if the submission failed or is to be looked at, 2 for bad usage or a broken
    grader.

    For a class: 0 if every submission has a verdict, whatever it is, else 2.
    """
    options = parser().parse_args(arguments)
    problem = "interrupted: no verdict"
    try:
        if options.explain:
            return explain(options)
        return run_class(options) if options.all or options.regrade else run(options)
    except KeyboardInterrupt:
        problem += "; the same command goes on where this one was" if options.all and not options.only_failed else ""
    except ModuleNotFoundError as error:
        problem = f"error: {error}: install requirements.txt"
    except (OSError, ValueError, RuntimeError) as error:
        problem = f"error: {error}"
    print(problem, file=sys.stderr)
    report_no_verdict(options, problem)
    return NO_VERDICT


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="test.py", description="Grade submissions of mini-project 2.")
    add = parser.add_argument
    add("-p", "--project", type=Path, metavar="FOLDER", help="holds Proj_2, or is it (default: the bundled one)")
    add("-d", "--data", type=Path, default=ROOT / "data", metavar="FOLDER",
        help="holds val_data.pkl, train_data.pkl (default: data)")  # fmt: skip
    add("--only", action="append", default=[], metavar="GROUP", help="grade this group only (may be repeated)")
    add("--quick", action="store_true", help="train on a few pairs only")
    add("--config", type=Path, metavar="TOML", help="points, thresholds, limits other than checker/config.toml")
    add("--seed", type=int, default=0, help="of the random inputs")
    add("--staff", action="store_true", help="show hidden checks too")

    add = parser.add_argument_group("also written to a file").add_argument
    add("--json", type=Path, metavar="FILE", help="everything that was found")
    add("--junit", type=Path, metavar="FILE", help="JUnit XML")
    add("--html", type=Path, metavar="FILE", help="one page, with the pictures that are denoised worst")
    add("--montage", type=Path, metavar="FILE", help="these pictures alone, as PNG")
    add("--gradescope", type=Path, metavar="FILE", help="Gradescope's results.json; holds hidden checks as such")
    add("--github", type=Path, metavar="FILE", help="the step output of GitHub Classroom, added to $GITHUB_OUTPUT")

    add = parser.add_argument_group("a class").add_argument
    add("--all", type=Path, metavar="FOLDER", help="grade every folder and zip in it")
    add("--out", type=Path, metavar="RESULTS", help="folder of the results; an earlier run there is continued")
    add("--jobs", type=int, default=os.cpu_count(), metavar="N", help="submissions at a time (default: %(default)s)")
    add("--part", type=part, default=(0, 1), metavar="K/N", help="only every N-th, from the K-th of 0 … N−1")
    add("--only-failed", action="store_true", help="keep what passed, whatever has changed; grade all others again")
    add(
        "--regrade",
        action="store_true",
        help="marks of --out anew after a change of points or thresholds; no grading",
    )
    add("--explain", metavar="NAME", help="print the report of one submission in --out")
    return parser


def part(value: str) -> tuple[int, int]:
    k, _, n = value.partition("/")
    if not (k.isdigit() and n.isdigit() and int(k) < int(n)):
        raise argparse.ArgumentTypeError(f"{value!r}; expected K/N such as 0/4, with K below N")
    return int(k), int(n)


def checked(options: argparse.Namespace) -> dict:
    """The settings, once all that can be wrong with the options is known to be right."""
    settings = config.load(options.config)
    unknown = set(options.only) - set(settings["points"])
    if unknown:
        raise ValueError(f"--only {', '.join(sorted(unknown))}: expected one of {', '.join(settings['points'])}")
    if not options.data.is_dir():
        raise NotADirectoryError(f"{options.data}: there is no such data folder")
    for path in filter(None, (getattr(options, name) for name in (*FILES, "github"))):
        files.check_writable(path)
    return settings


def prepare(options: argparse.Namespace) -> None:
    """Build the default data in a folder without val_data.pkl, if what is asked for needs any: minutes of work, so
    that all else is to be known to be right before.
    """
    needed = not options.only or {"psnr", "training"} & set(options.only)
    data = options.data
    if needed and not (data / "val_data.pkl").is_file():
        from data.build import build

        print(f"{data} holds no val_data.pkl: building it and train_data.pkl from data/photos", file=sys.stderr)
        build(out=data)


# One submission ---------------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> int:
    if options.out or options.only_failed:
        name, way = ("out", ", or --json for one submission") if options.out else ("only-failed", "")
        raise ValueError(f"--{name} is about a class: give --all too{way}")
    settings = checked(options)
    handed_in = submission.find(options.project or ROOT)
    prepare(options)
    if options.github:
        announce(options.github)
    report = graded(options, handed_in, settings)
    shown = report if options.staff else report.for_students()
    show(shown)
    write_files(options, report, shown, handed_in, settings)
    return exit_code(shown)


def exit_code(report: Report) -> int:
    return {PASSED: OK, ERROR: NO_VERDICT}.get(report.verdict, SUBMISSION_FAILED)


def show(report: Report) -> None:
    width = min(shutil.get_terminal_size((110, 0)).columns, 120)
    print(text.render(report, width, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ))


def graded(options: argparse.Namespace, handed_in: submission.Submission, settings: dict) -> Report:
    from tqdm import tqdm

    from .grading import grade, selected

    with tqdm(bar_format="{n}/{total} {desc} [{elapsed}]", disable=None, leave=False) as bar:

        def progress(check) -> None:
            bar.total = bar.total or len(selected(tuple(options.only)))
            bar.update()
            hidden = settings["visibility"].get(check.name, VISIBLE) != VISIBLE and not options.staff
            bar.set_description_str("…" if hidden else f"{check.group}: {check.title}")

        only = tuple(options.only)
        return grade(
            handed_in, options.data, settings, only=only, quick=options.quick, seed=options.seed, progress=progress
        )


def write_files(options: argparse.Namespace, report: Report, shown: Report, handed_in, settings: dict) -> None:
    """Every file that was asked for: for students, but for Gradescope's, which hides by itself."""
    pictures = []
    if (options.html or options.montage) and shown.psnr is not None:
        from .reporters.pictures import worst

        pictures = worst(handed_in, options.data, settings)
    if options.json:
        files.write(options.json, json.render(shown))
    if options.junit:
        files.write(options.junit, junit.render(shown))
    if options.html:
        from .reporters import html

        files.write(options.html, html.render(shown, pictures))
    if options.montage and pictures:
        from .reporters.pictures import montage

        files.write(options.montage, montage(pictures))
    elif options.montage:
        print(f"{options.montage} is not written: there is no prediction to show", file=sys.stderr)
    if options.gradescope:
        files.write(options.gradescope, gradescope.render(report))
    if options.github:
        append(options.github, github.render(github.result(shown)))


def announce(path: Path) -> None:
    """Say that there is no verdict yet: it stands if this process is ended before it can say more."""
    append(path, github.render(github.broken("grading did not end: out of time or memory")))


def append(path: Path, line: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(line)


def report_no_verdict(options: argparse.Namespace, problem: str) -> None:
    """Tell the platforms too, which read files."""
    try:
        if options.gradescope:
            files.write(options.gradescope, gradescope.broken(problem))
        if options.github:
            append(options.github, github.render(github.broken(problem)))
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)


# A class ----------------------------------------------------------------------------------------------


def run_class(options: argparse.Namespace) -> int:
    from . import classroom, staff, tables

    for name in ("project", *FILES, "github"):
        if getattr(options, name):
            raise ValueError(f"--{name} is about one submission; a class (--all) has its results in --out")
    if not options.out:
        raise ValueError(
            f"--{'regrade' if options.regrade else 'all'} needs --out RESULTS, the folder of the results"
        )
    if options.regrade and (options.all or options.only_failed):
        raise ValueError("--regrade grades nothing: give it --out alone, and --config if the settings are one's own")
    if options.jobs < 1:
        raise ValueError(f"--jobs {options.jobs}: expected at least 1")
    if options.regrade:
        reports = staff.mark_again(options, config.load(options.config))
    else:
        settings = checked(options)
        classroom.handed_in(options.all, options.out)
        tables.check(options.out)
        prepare(options)
        reports = staff.grade(options, settings)
    return NO_VERDICT if ERROR in [report.verdict for report in reports] else OK


def explain(options: argparse.Namespace) -> int:
    if not options.out or options.all or options.regrade:
        raise ValueError("--explain NAME prints a stored result: give it --out RESULTS alone")
    report = stored.find(options.out, options.explain).report
    show(report)
    return exit_code(report)
