"""The modules together: what is right of each of them may be wrong in the network that they make."""

from ..context import Grading
from ..registry import Failed, NotApplicable, Unjudged, check
from ..results import ABSENT, PASSED, UNJUDGED
from ..sandbox.child import SubmissionProblem
from . import adam, judging, leftover, slopes, whole

MATHEMATICS = "modules", "optimiser"
ALONE_RIGHT = "each module by itself is right, but not in the network"
HINT = (
    "Does every layer still have its own input when its backward is called, and get the whole gradient of its output?"
)


@check("optimiser", needs=("api.imports",))
def step_of_train(g: Grading):
    """A step of train() goes along the gradients of the whole network"""
    others = [finding for finding in g.findings.values() if finding.group in MATHEMATICS]
    if any(finding.status not in (PASSED, ABSENT, UNJUDGED) for finding in others):
        raise NotApplicable("other checks of its mathematics tell what it comes to")
    found, told = (known(g, one) for one in (whole.verdicts, slopes.told))
    if found and found.wrong:
        failure = next(iter(found.wrong.values()))
        raise Failed(f"{ALONE_RIGHT}: {failure.message}", failure.hint)
    if told and told.wrong:
        alone = "" if any(finding.status == UNJUDGED for finding in others) else f"{ALONE_RIGHT}: "
        raise Failed(alone + of_parameters(told), HINT)
    for judge in (adam.judge, leftover.judge):
        known(g, judge)
    if found is None and told is None:
        raise NotApplicable("nothing is known of what a step of train() has to do")
    if not judging.with_parameters(g):
        raise NotApplicable("all else was judged by it already")
    return {"judged": sorted(found.right) if found else [], "parameters": len(told.right) if told else 0}


def known(g: Grading, judgement):
    """What a judgement comes to; None if it can't be made. Raises Failed."""
    try:
        return g.once(judgement)
    except (Unjudged, SubmissionProblem):
        return None


def of_parameters(told: slopes.Told) -> str:
    name, what = next(iter(told.wrong.items()))
    others = f" (and {len(told.wrong) - 1} other parameters)" if len(told.wrong) > 1 else ""
    return f"in a step of train(), {name} {what}, that of the loss as it is computed{others}"
