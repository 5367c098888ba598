"""A class of results as a course has them, made without any grading: the checks and points are the real ones, the
mistakes those that the checks tell.

    python -m tests.synthetic_class RESULTS [NUMBER]    # writes submissions/*.json and the tables
"""

import random
import sys
from dataclasses import replace
from pathlib import Path

from checker import checks, config, marks, regrade, results, stored, tables  # noqa: F401  (checks registers them)
from checker.registry import CHECKS
from checker.results import Finding, Report
from checker.similarity import found

# How often, checks, share that is right, message, hint, the student's line.
MISTAKES = (
    (0.22, ("modules.conv2d_grad_weight", "modules.transposed_grad_weight"), 0.0,
     "kernel 3: got 0.412 at (0, 1, 2, 2), expected -1.83", "Is it the gradient of the last picture only?",
     "self.weight_grad = grad_y[-1] @ columns[-1].t()"),
    (0.17, ("behaviour.accumulates",), 0.0, "the second backward leaves 0.51, expected 1.02",
     "It overwrites the gradients that are there: += instead of =", ""),
    (0.14, ("modules.conv2d_grad_input",), 0.6, "stride 2, size 9: raised RuntimeError: shape '[1, 3, 9, 9]' is"
     " invalid (Proj_2/others/modules.py:71, in backward)",
     "Which rows does no kernel reach where the stride leaves a rest?",
     "return fold(grad, self.shape, stride=self.stride)"),
    (0.12, ("optimiser.mse_backward",), 0.0, "expected 0.0132, got 0.0264", "It is 2 times the gradient", ""),
    (0.08, ("modules.sigmoid_backward",), 0.0, "got 0.31, expected 0.214", "Is it y·(1 − y) of the output?", ""),
    (0.30, ("conventions.names",), 0.0, "the loss is called MSELoss; expected MSE", "", ""),
    (0.20, ("conventions.signatures",), 0.0, "Conv2d takes kernel; expected kernel_size", "", ""),
    (0.25, ("structure.init_file",), 0.0, "there is no __init__.py", "", ""),
    (0.45, ("beyond.dilation", "beyond.output_padding"), 0.0, "dilation=2 raised TypeError", "unfold takes it", ""),
    (0.05, ("api.loads_pretrained",), 0.0, "bestmodel.pth is a git-LFS pointer", "git lfs pull, then hand in", ""),
    (0.03, ("api.imports",), 0.0, "raised ModuleNotFoundError: No module named 'numpy' (Proj_2/model.py:2)", "",
     "import numpy as np"),
)  # fmt: skip


def one(name: str, chance: random.Random, settings: dict) -> Report:
    """One student's result; what a failed check keeps from being judged is skipped, as in a real grading."""
    told = [mistake for mistake in MISTAKES if chance.random() < mistake[0]]
    unjudged = "modules" if chance.random() < 0.04 else None
    findings: dict[str, Finding] = {}
    for check in CHECKS.values():
        most = marks.points_for(check.name, settings)
        finding = Finding(check.name, check.title, check.group, results.PASSED, most, most, share=1.0)
        wrong = next((mistake for mistake in told if check.name in mistake[1]), None)
        blocked = [need for need in check.needs if findings[need].status != results.PASSED]
        if blocked:
            behind = f"needs “{CHECKS[blocked[0]].title}”"
            finding = replace(finding, status=results.SKIPPED, share=0.0, message=behind, behind=blocked[0])
        elif check.group == unjudged:
            finding = replace(
                finding, status=results.UNJUDGED, share=0.0, message="the grader found no way to use it"
            )
        elif wrong:
            _, _, share, message, hint, source = wrong
            finding = replace(finding, status=results.FAILED, share=share, message=message, hint=hint, source=source)
        elif check.name == "rules.forbidden" and chance.random() < 0.06:
            finding = replace(finding, warnings=("eval is called in model.py:14: look at what it runs",))
        findings[check.name] = regrade.remarked(finding, settings)
    measured = {}
    if findings["psnr.pretrained_model"].status == results.PASSED:
        db = min(25.4, chance.gauss(24.3, 0.7))
        measured = {"psnr": {"noisy input": 20.72, "pretrained model": db}}
    report = Report(name, tuple(findings.values()), measured, {}, "", chance.lognormvariate(1.6, 0.4))
    return regrade.again(report, marking(settings) | {"pass_db": 0.0}, marking(settings))


def marking(settings: dict) -> dict:
    return regrade.marking(settings, quick=True)


def broken(name: str) -> Report:
    finding = Finding("grader.verdict", "The grader comes to a verdict", "grader", results.ERROR, 0,
                      message="the grader broke: MemoryError()")  # fmt: skip
    return Report(name, (finding,))


def write(out: Path, number: int = 200, seed: int = 0) -> list[Report]:
    """A class of so many in the folder `out`, with its tables and pages."""
    chance, settings = random.Random(seed), config.load()
    reports = [one(f"student-{place:03}", chance, settings) for place in range(number - 1)] + [broken("zz-broken")]
    (out / stored.FOLDER).mkdir(parents=True, exist_ok=True)
    for report in reports:
        path = out / stored.FOLDER / f"{report.submission}.json"
        stored.write(path, stored.Stored(report, "synthetic", marking(settings)))
    (out / found.FOLDER).mkdir(exist_ok=True)
    found.write(out, alike([report.submission for report in reports], chance))
    tables.write(out, reports, settings)
    return reports


def alike(names: list[str], chance: random.Random) -> found.Alike:
    """Three pairs, the pages of which are not made."""
    pairs = [
        found.Pair(*sorted(chance.sample(names, 2)), (share, share - 0.04)) for share in (0.97, 0.81, 0.55, 0.31)
    ]
    return found.Alike(tuple(pairs[:3]), pairs[3], (names[-1],))


if __name__ == "__main__":
    write(Path(sys.argv[1]), *map(int, sys.argv[2:]))
