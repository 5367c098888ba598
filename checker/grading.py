"""Grade one submission: run the checks in order and record what each of them found."""

import functools
import os
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from . import marks, results
from .context import Grading
from .intake import quote, submission
from .registry import CHECKS, Check, Failed, Follows, Missing, NotApplicable, Unjudged
from .results import Finding, Report
from .sandbox.child import Raised, SubmissionProblem


def grade(
    handed_in: submission.Submission,
    data: Path,
    config: dict,
    *,
    only: tuple[str, ...] = (),
    quick: bool = False,
    seed: int = 0,
    progress: Callable[[Check], None] = lambda check: None,
) -> Report:
    """Run the checks (`only` those groups, and what they need) and report. `progress` hears of each one
    beforehand.
    """
    started = time.perf_counter()
    grading = Grading(handed_in, data, config, quick, seed)
    with tempfile.TemporaryDirectory(prefix="grading-") as folder:
        os.chmod(folder, 0o755)
        try:
            grading.open(Path(folder))
            prepare()
            findings: dict[str, Finding] = {}
            for check in selected(only):
                progress(check)
                findings[check.name] = run(check, grading, findings)
        finally:
            if grading.session:
                grading.session.close()
    session = grading.session
    child = session and session.child
    return Report(
        submission=str(handed_in.folder or handed_in.given),
        findings=tuple(findings.values()),
        measurements=grading.measurements,
        enforced=child.enforced or {} if child else {},
        output=session.output.decode(errors="replace") if session else "",
        seconds=time.perf_counter() - started,
    )


def prepare() -> None:
    """Import torch, while the submission's process does the same, and the checks, which registers them."""
    import torch

    from . import checks  # noqa: F401

    torch.set_num_threads(1)  # the references are tiny: leave the cores to the submission


def selected(only: tuple[str, ...]) -> list[Check]:
    """The checks of the groups `only` (all if empty) and those that they need, in order."""
    wanted = {name for name, check in CHECKS.items() if not only or check.group in only}
    for name in reversed(CHECKS):
        if name in wanted:
            wanted.update(CHECKS[name].needs)
    return [check for name, check in CHECKS.items() if name in wanted]


def run(check: Check, grading: Grading, findings: dict[str, Finding]) -> Finding:
    """One check's finding. Only what the submission did can fail it; anything else is the grader's error."""
    settings = grading.config
    points = marks.points_for(check.name, settings)
    finding = functools.partial(
        Finding,
        check.name,
        check.title,
        check.group,
        max_points=points,
        visibility=marks.visibility_of(check.name, settings),
        kind=marks.kind_of(check.name, settings),
    )
    blocked = [name for name in check.needs if findings[name].status != results.PASSED]
    if blocked:
        return finding(results.SKIPPED, message=f"needs “{CHECKS[blocked[0]].title}”", behind=blocked[0])
    grading.warnings, grading.findings = [], findings
    started = time.perf_counter()
    outcome = outcome_of(check, grading)
    seconds = time.perf_counter() - started
    outcome["points"] = marks.earned(points, outcome.get("share", 0.0))
    source = quote.line(outcome.get("message", ""), grading.sources)
    return finding(**outcome, source=source, warnings=tuple(grading.warnings), seconds=seconds)


def outcome_of(check: Check, grading: Grading) -> dict:
    """Run it; what of a Finding's fields follows."""
    try:
        return {"status": results.PASSED, "share": 1.0, "details": carried_out(check, grading) or {}}
    except Failed as failure:
        return failed(failure, grading, check)
    except Follows as other:
        message = f"not judged, since “{CHECKS[other.check].title}” failed"
        return {"status": results.SKIPPED, "message": message, "share": other.share, "behind": other.check}
    except Unjudged as reason:
        return {"status": results.UNJUDGED, "message": str(reason)}
    except NotApplicable as reason:
        return {"status": results.ABSENT, "message": str(reason), "max_points": 0}
    except Raised as problem:
        return failed(Failed(str(problem), cause=problem.cause), grading, check)
    except SubmissionProblem as problem:
        return {"status": results.FAILED, "message": str(problem)}
    except Exception as error:
        trace = "".join(traceback.format_exception(error)[-4:])
        return {"status": results.ERROR, "message": f"the grader broke: {error!r}", "details": {"trace": trace}}


def carried_out(check: Check, grading: Grading) -> dict | None:
    """What the check gives; where it could not be made, what a step of the Model's own training tells of it."""
    from .checks import whole

    try:
        return check.run(grading)
    except (Unjudged, Missing) as reason:
        return whole.instead(grading, check.name, reason)
    except Failed:
        if not whole.refuted(grading, check.name):
            raise
        grading.warn("it failed when the grader put the modules together, but in train() the same is right")
        return {"whole": True}
    except Follows as other:
        behind = grading.findings.get(other.check)
        if behind and behind.status in (results.FAILED, results.SKIPPED):
            raise
        reason = Unjudged("the grader found no way to have the gradients for it, but train() runs: look at it")
        return whole.instead(grading, check.name, reason if behind else other)


# Checks of what the whole does, and those of its parts that it needs: where a part is wrong, that is told there.
CONSEQUENCES = {
    "training.changes_weights": ("modules", "optimiser"),
    "training.one_epoch": ("modules", "optimiser"),
    "training.changes_loaded_weights": ("modules", "optimiser"),
}


def failed(failure: Failed, grading: Grading, check: Check) -> dict:
    """What a failure comes to: points for the share that is right, and none lost twice for one cause."""
    share = failure.share if failure.share < 1 else 0.0
    first = grading.causes.setdefault(failure.cause, check.name) if failure.cause else check.name
    if first != check.name:
        message = f"hidden by the mistake behind “{CHECKS[first].title}”"
        return {"status": results.SKIPPED, "message": message, "share": share, "behind": first}
    behind = [f for f in grading.findings.values() if f.group in CONSEQUENCES.get(check.name, ()) and is_wrong(f)]
    if behind:
        message = f"not judged, since “{behind[0].title}” failed; it was: {failure.message}"
        return {"status": results.SKIPPED, "message": message, "behind": behind[0].check}
    return {"status": results.FAILED, "message": failure.message, "hint": failure.hint, "share": share}


def is_wrong(finding: Finding) -> bool:
    return finding.status == results.FAILED and finding.kind == results.REQUIRED
