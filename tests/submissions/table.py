"""The table corpus × verdict: python -m tests.submissions.table [--seeds 0 1 2] [--only NAME …]

Every submission is graded once for each seed; a verdict that is not what it must be is said below the table, and the
exit code is then 1.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tqdm import tqdm

from checker.intake import submission
from checker.grading import grade

from . import wrong

ROOT = Path(__file__).resolve().parents[2]
CORRECT = ROOT / "tests" / "submissions" / "correct"


def main() -> int:
    options = parser().parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    from checker_support import make_data, settings

    correct = correct_ones()
    names = [name for name in [*correct, *wrong.WRONG] if not options.only or name in options.only]
    problems = []
    print(line("submission", "points", "failed", "diagnosis"), line(*["---"] * 4), sep="\n")
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        data = make_data(Path(folder, "data"), train=wrong.TRAIN_PAIRS)
        for name in tqdm(names, unit=" submissions", disable=None):
            handed_in = correct.get(name) or wrong.make(name, Path(folder, name))
            for seed in options.seeds:
                report = grade(submission.find(handed_in), data, settings(), seed=seed)
                found = full_marks(report) if name in correct else wrong.complaints(wrong.WRONG[name], report)
                problems += [f"{name}, seed {seed}: {sentence}" for sentence in found]
            tqdm.write(line(*row(name, report)))
            sys.stdout.flush()  # so that what was graded is there if this is interrupted
    print(f"{len(names)} submissions × {len(options.seeds)} seeds in {time.perf_counter() - started:.0f} s")
    print("\n".join(problems) or "every verdict is what it must be")
    return 1 if problems else 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tests.submissions.table", description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    return parser


def correct_ones() -> dict[str, Path]:
    """The correct submissions by name; the bundled one is one of them."""
    return {path.name: path for path in sorted(CORRECT.iterdir())} | {"bundled": ROOT / "Proj_2"}


def full_marks(report) -> list[str]:
    return [
        f"{f.check}: {f.status}: {f.message}" for f in report.findings if f.status not in ("passed", "not applicable")
    ]


def row(name: str, report) -> tuple[str, str, str, str]:
    """(name, points, checks that failed, what was said to the first of those that its defect must fail)"""
    failed = {f.check: f for f in report.findings if f.status == "failed"}
    named = failed.get(next(iter(wrong.WRONG[name].fails))) if name in wrong.WRONG else None
    said = (named.hint or named.message) if named else ""
    return name, f"{report.score:g}/{report.max_score:g}", ", ".join(failed) or "none", said


def line(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


if __name__ == "__main__":
    raise SystemExit(main())
