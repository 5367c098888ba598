"""The modules together: what is right of each of them may be wrong in the network that they make."""

from ..context import Grading
from ..registry import Failed, NotApplicable, Unjudged, check
from ..results import ABSENT, PASSED
from ..sandbox.child import SubmissionProblem
from . import judging, whole

MATHEMATICS = "modules", "optimiser"


@check("optimiser", needs=("api.imports",))
def step_of_train(g: Grading):
    """A step of train() goes along the gradients of the whole network"""
    others = [finding for finding in g.findings.values() if finding.group in MATHEMATICS]
    if any(finding.status not in (PASSED, ABSENT) for finding in others):
        raise NotApplicable("other checks of its mathematics tell what it comes to")
    try:
        found = g.once(whole.verdicts)
    except (Unjudged, SubmissionProblem):
        raise NotApplicable("no network was found that computes what a step of train() does") from None
    if found.wrong:
        failure = next(iter(found.wrong.values()))
        raise Failed(f"each module by itself is right, but not in the network: {failure.message}", failure.hint)
    if not judging.with_parameters(g):
        raise NotApplicable("all else was judged by it already")
    return {"judged": sorted(found.right)}
