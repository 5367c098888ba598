"""Correct submissions in the styles of students, and defects of each: python -m tests.submissions.styles [--seeds 0 1]

The table style × defect: the marks of what is asked for (modules, optimiser, behaviour, conventions) in per cent, and
what was found. What is not as it must be is said below the table, and the exit code is then 1. All defects of a style
take a minute; `--sample N` takes N of each, others for another seed.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tqdm import tqdm

from checker import results
from checker.grading import grade
from checker.intake import submission

from . import styles_a, styles_b, styles_c, styles_d, styles_e, styles_f

FOLDER = Path(__file__).parent / "styles"
TABLES = styles_a, styles_b, styles_c, styles_d, styles_e, styles_f
NAMES = tuple(name for table in TABLES for name in table.NAMES)
DEFECTS = {key: (table, defect) for table in TABLES for key, defect in table.DEFECTS.items()}
GROUPS = "modules", "optimiser", "behaviour", "conventions"
LEAST = 0.95  # of the marks, for a correct one


def make(style: str, defect: str, folder: Path) -> Path:
    """Write the submission of a style with a defect into `folder`."""
    return DEFECTS[style, defect][0].make(style, defect, folder)


def marks(report) -> float:
    """The share of the points that is certain."""
    return report.score / report.max_score


def failed(report) -> list:
    return [f for f in report.findings if f.status == results.FAILED and f.kind == results.REQUIRED]


def is_diagnosed(style: str, defect: str, report) -> bool:
    """Whether what is said of a failed check holds the words that this defect calls for."""
    says = DEFECTS[style, defect][1].says
    said = [f"{finding.message} → {finding.hint}" for finding in failed(report)]
    return any(words in one for words in ((says,) if isinstance(says, str) else says) for one in said)


def graded(folder: Path, data: Path, settings: dict, seed: int, only: tuple[str, ...] = GROUPS):
    return grade(submission.find(folder), data, settings, only=only, seed=seed)


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.submissions.styles", description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", default=list(NAMES), metavar="STYLE", choices=NAMES)
    parser.add_argument("--sample", type=int, metavar="N", help="defects of each style, drawn by the seed")
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from checker_support import make_data, settings

    with tempfile.TemporaryDirectory() as folder:
        data = make_data(Path(folder, "data"))
        problems = [
            f"seed {seed}: {problem}"
            for seed in options.seeds
            for problem in table_of(options.only, data, settings(), seed, Path(folder), options.sample)
        ]
    print("\n".join(problems) or "every correct one is above every defective one, and every defect is found")
    return 1 if problems else 0


def sampled(style: str, number: int | None, seed: int) -> list[str]:
    """The defects of a style: all, or so many, which the seed draws."""
    defects = [defect for name, defect in DEFECTS if name == style]
    return defects if number is None else random.Random(f"{seed} {style}").sample(defects, min(number, len(defects)))


def table_of(
    names: list[str], data: Path, settings: dict, seed: int, folder: Path, sample: int | None = None
) -> list[str]:
    """Print the table for one seed; returns what is not as it must be."""
    kinds = list(dict.fromkeys(defect for _, defect in DEFECTS))
    heads = [f"seed {seed}", "correct", *kinds]
    print(line(*heads), line(*["---"] * len(heads)), sep="\n", flush=True)
    correct, defective, problems, undiagnosed = {}, {}, [], []
    for style in tqdm(names, unit=" styles", disable=None):
        report = graded(FOLDER / style, data, settings, seed)
        correct[style] = marks(report)
        if correct[style] < LEAST or report.verdict != results.PASSED:
            problems.append(f"{style}: {report.verdict} with {correct[style]:.1%}")
        row = dict.fromkeys(kinds, "")
        for kind in sampled(style, sample, seed):
            report = graded(make(style, kind, folder / f"{seed}-{style}-{kind}"), data, settings, seed)
            defective[style, kind] = marks(report)
            found, diagnosed = bool(failed(report)), is_diagnosed(style, kind, report)
            problems += [] if found else [f"{style}, {kind}: not found"]
            undiagnosed += [] if diagnosed else [f"{style}, {kind}"]
            row[kind] = f"{defective[style, kind]:.1%}" + ("" if diagnosed else "*" if found else " NOT FOUND")
        tqdm.write(line(style, f"{correct[style]:.1%}", *row.values()))
        sys.stdout.flush()  # so that what was graded is there if this is interrupted
    highest = max(defective.values(), default=0.0)
    print(f"lowest correct {min(correct.values()):.1%}, highest defective {highest:.1%}")
    print(f"{len(undiagnosed)} of {len(defective)} without their diagnosis (*)")
    if highest >= min(correct.values()):
        problems.append("a defective one is not below all correct ones")
    return problems + ([f"without diagnosis: {undiagnosed}"] if len(undiagnosed) > len(defective) / 10 else [])


def line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    raise SystemExit(main())
