"""The command line of test.py: grade one submission and show the result."""

import argparse
import sys
from pathlib import Path

from . import config, submission
from .reporters import text
from .results import ERROR, PASSED

ROOT = Path(__file__).resolve().parent.parent
OK, SUBMISSION_FAILED, NO_VERDICT = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Grade; returns 0 if all passed, 1 if the submission failed, 2 for bad usage or a broken grader."""
    options = parser().parse_args(arguments)
    try:
        return run(options)
    except KeyboardInterrupt:
        print("\ninterrupted: no verdict", file=sys.stderr)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
    return NO_VERDICT


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="test.py", description="Grade a submission of mini-project 2.")
    add = parser.add_argument
    add("-p", "--project", type=Path, default=ROOT, help="the folder that holds Proj_2, or Proj_2 itself")
    add(
        "-d",
        "--data",
        type=Path,
        default=ROOT / "data",
        help="the folder that holds val_data.pkl, train_data.pkl",
    )
    add("--only", action="append", default=[], metavar="GROUP", help="grade this group only (may be repeated)")
    add("--quick", action="store_true", help="train on a few pairs only")
    add(
        "--config",
        type=Path,
        metavar="TOML",
        help="points, thresholds and limits other than checker/config.toml",
    )
    add("--seed", type=int, default=0, help="of the random inputs")
    return parser


def run(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    handed_in = submission.find(options.project)
    unknown = set(options.only) - set(settings["points"])
    if unknown:
        raise ValueError(f"--only {', '.join(unknown)}: expected one of {', '.join(settings['points'])}")
    if not options.data.is_dir():
        raise NotADirectoryError(f"{options.data}: there is no such data folder")
    if not options.only or {"psnr", "training"} & set(options.only):
        prepare(options.data)
    report = graded(options, handed_in, settings)
    print(text.render(report))
    return {PASSED: OK, ERROR: NO_VERDICT}.get(report.verdict, SUBMISSION_FAILED)


def prepare(data: Path) -> None:
    """Build the default data in a folder without val_data.pkl."""
    if not (data / "val_data.pkl").is_file():
        from data.build import build

        print(f"{data} holds no val_data.pkl: building it and train_data.pkl from data/photos", file=sys.stderr)
        build(out=data)


def graded(options: argparse.Namespace, handed_in: submission.Submission, settings: dict):
    from tqdm import tqdm

    from .grading import grade

    with tqdm(total=None, bar_format="{desc} [{elapsed}]", disable=None, leave=False) as bar:

        def progress(check) -> None:
            bar.set_description_str(f"{check.group}: {check.title}")

        return grade(
            handed_in,
            options.data,
            settings,
            only=tuple(options.only),
            quick=options.quick,
            seed=options.seed,
            progress=progress,
        )
