"""Whether marks order submissions as their mathematics does: python -m benchmarks.ranking FOLDER [--truth TRUTH.csv]

Grades every submission of a folder, without training and PSNR. The truth is a CSV file with the columns name, correct
(yes or no) and what (is wrong); others are left alone. Prints what each submission got, and how many of the pairs of
a correct and a defective one have the points of modules and optimiser in the right order (equal points count half).
"""

import argparse
import csv
import sys
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from checker import config, results
from checker.classroom import Task, grade_class

ROOT = Path(__file__).resolve().parent.parent

MATHEMATICS = "modules", "optimiser"
FOUND_BY = *MATHEMATICS, "behaviour"
ASKED = "structure", "rules", "api", *FOUND_BY, "conventions"
YES, NO = ("1", "true", "yes"), ("0", "false", "no")
LEAST = 0.95  # of the points of what is required, for a correct one


@dataclass(frozen=True)
class Graded:
    name: str
    report: results.Report
    correct: bool | None  # None where the truth says nothing
    what: str

    def findings(self, *groups: str) -> list[results.Finding]:
        return [finding for finding in self.report.asked if finding.group in groups]

    @property
    def certain(self) -> float:
        return share(sum(f.points for f in self.findings(*MATHEMATICS)), self.findings(*MATHEMATICS))

    @property
    def possible(self) -> float:
        return share(sum(f.possible for f in self.findings(*MATHEMATICS)), self.findings(*MATHEMATICS))

    @property
    def required(self) -> float:
        """The share of the points of what decides about passed or failed."""
        found = [f for f in self.report.findings if f.kind == results.REQUIRED]
        return share(sum(f.points for f in found), found)

    def of_status(self, status: str) -> list[str]:
        return [f.check for f in self.findings(*ASKED) if f.status == status]

    def accused(self, *groups: str) -> bool:
        """Whether anything failed in these groups."""
        return any(f.status == results.FAILED for f in self.findings(*groups))


def share(points: float, findings: list[results.Finding]) -> float:
    return points / (sum(f.max_points for f in findings) or 1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.ranking", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="of the submissions, a folder or zip each")
    parser.add_argument("--truth", type=Path, help="CSV (default: TRUTH.csv in the folder)")
    parser.add_argument("--out", type=Path, help="where results are kept (default: nowhere)")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    try:
        truth = read(options.truth or options.folder / "TRUTH.csv")
        with tempfile.TemporaryDirectory() as folder:
            task = Task(ROOT / "data", config.load(), ASKED, True, options.seed)
            reports = grade_class(options.folder, options.out or Path(folder), task, options.jobs)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    graded = [Graded(name := Path(r.submission).name, r, *truth.get(name, (None, ""))) for r in reports]
    if unknown := [one.name for one in graded if one.correct is None]:
        print(f"not counted, since the truth does not name them: {', '.join(unknown)}", file=sys.stderr)
    show([one for one in graded if one.correct is not None])
    return 0


def read(path: Path) -> dict[str, tuple[bool, str]]:
    """name → (correct, what is wrong); ValueError for a file that is not like that."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if missing := {"name", "correct", "what"} - set(rows.fieldnames or ()):
            raise ValueError(f"{path}: there is no column {', '.join(sorted(missing))}")
        found = {}
        for row in rows:
            if (said := (row["correct"] or "").strip().lower()) not in YES + NO:
                raise ValueError(f"{path}: {row['name']}: correct is {said!r}; expected yes or no")
            found[row["name"]] = said in YES, row["what"] or ""
        return found


def show(graded: list[Graded]) -> None:
    print("name | correct | verdict | modules and optimiser | required | failed | not judged | what is wrong")
    for one in sorted(graded, key=lambda one: (one.certain, one.possible), reverse=True):
        print(
            one.name, "yes" if one.correct else "NO", one.report.verdict,
            f"{one.certain:.1%}" + (f"–{one.possible:.1%}" if one.possible > one.certain else ""),
            f"{one.required:.1%}", ", ".join(one.of_status(results.FAILED)) or "nothing",
            ", ".join(one.of_status(results.UNJUDGED)) or "nothing", one.what, sep=" | ",
        )  # fmt: skip
    right = [one for one in graded if one.correct]
    wrong = [one for one in graded if not one.correct]
    print(f"{len(right)} correct ones, {len(wrong)} defective ones")
    if right:
        print(
            f"of the correct ones {mean(one.required >= LEAST for one in right)} get {LEAST:.0%} of what is required"
        )
        print(
            f"of the correct ones {mean(one.accused(*MATHEMATICS) for one in right)} are accused of wrong mathematics"
        )
    if wrong:
        print(
            f"of the defective ones {mean(one.accused(*FOUND_BY) for one in wrong)} are found by a mathematical check"
        )
    if right and wrong:
        for end in "certain", "possible":
            order = [ordered(getattr(a, end), getattr(b, end)) for a, b in product(right, wrong)]
            print(f"pairs in the right order, by the points that are {end}: {mean(order)}")


def ordered(correct: float, defective: float) -> float:
    """1 for the right order, a half for equal points (to a thousandth), else 0."""
    difference = round(correct - defective, 3)
    return 0.5 if difference == 0 else float(difference > 0)


def mean(values) -> str:
    values = [float(value) for value in values]
    return f"{sum(values):g} of {len(values)} ({sum(values) / len(values):.1%})"


if __name__ == "__main__":
    raise SystemExit(main())
