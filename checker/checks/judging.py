"""What the checks of modules share: who plays which role, and the judgement over several geometries."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..context import Grading
from ..registry import Failed, Follows, Missing, NotApplicable, Unjudged
from ..results import FAILED
from ..sandbox.child import Raised, SubmissionProblem
from ..sandbox.session import Remote
from . import cases, diagnosis, hypotheses

UPSAMPLINGS = "TransposeConv2d", "NearestUpsampling", "NearestConv"
WITH_PARAMETERS = "Conv2d", "TransposeConv2d", "NearestConv"
ONE_KIND = "not handed in; the assignment asks for one kind of upsampling"
PARTS = {
    "forward": "forward",
    "grad_input": "gradient of the input",
    "grad_weight": "gradient of the weight",
    "grad_bias": "gradient of the bias",
}


def conventions(g: Grading) -> dict:
    """What the submission's conventions are, as far as it was used by now."""
    return g.session.facts()


def roles(g: Grading) -> dict[str, str | None]:
    """What the submission calls each graded module; None for what it lacks."""
    return conventions(g)["roles"]


def name_of(g: Grading, role: str) -> str | None:
    return g.once(roles).get(role)


def require(g: Grading, role: str) -> None:
    """Go on only if the submission has this module; one kind of upsampling is enough."""
    if name_of(g, role) is None:
        if role in UPSAMPLINGS and any(name_of(g, other) for other in UPSAMPLINGS):
            raise NotApplicable(ONE_KIND)
        if role == "NearestConv":
            raise NotApplicable("not handed in")
        if role == "Sequential":
            raise NotApplicable("there is none, and that is told by another check")
        raise Missing(f"the submission has no {role}")


def judge(g: Grading, role: str, part: str) -> dict:
    """Compare one part of all core cases of a module; Failed with the first mismatch and a diagnosis."""
    require(g, role)
    outcomes = g.once(cases.sweep, role)
    if not all(outcome.located for outcome in outcomes) and g.once(trains):
        raise Unjudged(
            f"the grader found no weights of {role} to set, but train() runs and changes the model: look at it"
        )
    if part == "grad_bias" and role in conventions(g)["without_bias"]:
        raise NotApplicable("it has no bias")
    if part == "grad_input" and role in conventions(g)["led"] and not right_weights(g):
        raise Unjudged("it shows only in the gradient of the weights of a Conv2d before it, and that is wrong")
    try:
        return judge_outcomes(g, outcomes, part)
    except Failed as failure:
        inner = f"modules.conv2d_{part}"
        if role in conventions(g)["with_convolution"] and inner in g.findings and g.findings[inner].status == FAILED:
            raise Follows(inner, failure.share) from None  # it is made of the Conv2d that is wrong
        raise


def right_weights(g: Grading) -> bool:
    """Whether the gradients of Conv2d's weights are right."""
    tolerance = g.config["tolerance"]["absolute"]
    return not any(outcome.mismatch("grad_weight", tolerance) for outcome in g.once(cases.sweep, "Conv2d"))


def judge_outcomes(g: Grading, outcomes: list[cases.Outcome], part: str) -> dict:
    tolerance = g.config["tolerance"]["absolute"]
    wrong = [(o, m) for o in outcomes if (m := o.mismatch(part, tolerance))]
    if wrong:
        if (
            len(wrong) == len(outcomes)
            and not any(isinstance(o.got[part], Tensor) for o in outcomes)
            and g.once(trains)
        ):
            raise Unjudged(
                f"the grader found no way to have this of {outcomes[0].case.module} ({wrong[0][1].message}), but "
                "train() runs and changes the model: look at it"
            )
        outcome, found = max(wrong, key=lambda pair: pair[0].case.weight)
        count = f" [{len(wrong)} of {len(outcomes)} geometries]" if len(outcomes) > 1 else ""
        hint = diagnosis.explain(outcomes, part, tolerance)
        root = cause(wrong, part, outcome) or ((hint,) if hint in hypotheses.ROOTS else None)
        raise Failed(f"{outcome.case}: {found.message}{count}", hint, share(outcomes, wrong), root)
    return {"geometries": len(outcomes)}


def trains(g: Grading) -> bool:
    """Whether the submission's own training runs and changes what its model predicts."""
    return g.once(enough) is not None


AMOUNTS = 8, 128, 512


def enough(g: Grading) -> int | None:
    """How many pictures the submission's own training takes to change what its model predicts, since some leave out
    a batch that is not full; None if no number will do.
    """
    generator = torch.Generator().manual_seed(g.seed)
    for amount in AMOUNTS:
        pictures = (torch.rand(amount, 3, 32, 32, generator=generator) * 255).to(torch.uint8)
        try:
            model = g.session.new("Model")
            before = model.predict(pictures[:8])
            model.train(pictures, pictures.flip(3), 1)
            after = model.predict(pictures[:8])
        except Raised:
            continue
        except SubmissionProblem:
            return None
        if isinstance(before, Tensor) and isinstance(after, Tensor) and not torch.equal(before, after):
            return amount
    return None


def descends(g: Grading) -> bool:
    """Whether the submission's own training takes its predictions nearer to the targets, one bright grey."""
    amount = max(16, g.once(enough) or 0)
    pictures = torch.rand(amount, 3, 32, 32, generator=torch.Generator().manual_seed(g.seed)) * 120
    target, away = torch.full_like(pictures, 230.0), []
    try:
        model = g.session.new("Model")
        for train in (True, False):
            predicted = model.predict(pictures)
            if not isinstance(predicted, Tensor):
                return False
            away.append((target - predicted).abs().mean().item())
            if train:
                model.train(pictures, target, 2)
    except SubmissionProblem:
        return False
    return away[1] < away[0]


def unless_it_trains(g: Grading, problem: SubmissionProblem) -> SubmissionProblem | Unjudged:
    """What an exception comes to: where the submission's own training runs, another way of using it was wanted."""
    if isinstance(problem, Raised) and g.once(trains):
        return Unjudged(f"the grader found no way to use it (it {problem}), but train() runs: look at it")
    return problem


def share(outcomes: list[cases.Outcome], wrong: list) -> float:
    """The part that is right, each case with its weight."""
    whole = sum(outcome.case.weight for outcome in outcomes)
    return (whole - sum(outcome.case.weight for outcome, _ in wrong)) / whole


def cause(wrong: list, part: str, told: cases.Outcome) -> tuple | None:
    """What is behind it, if the case that is told of raised an exception, and no other came from another line."""
    raised = [outcome.got[part] for outcome, _ in wrong if isinstance(outcome.got[part], Raised)]
    found = {problem.cause for problem in raised}
    return found.pop() if len(found) == 1 and isinstance(told.got[part], Raised) else None


def ready(g: Grading, one: cases.Case) -> tuple[Remote, cases.Given]:
    """The module of a case with its weights set, and its inputs."""
    one = cases.completed(g.session, one)
    module = g.session.driven(one.module, *one.args, **dict(one.options), input_shape=one.shape)
    return module, cases.assign(module, cases.make(one, g.inputs_seed))


def each(g: Grading, function: Callable, *among: cases.Case) -> None:
    """function(case) for those that run at all: what raises is counted by the checks of forward and backward."""
    ran, problem = False, None
    for one in among:
        try:
            with cases.poisoned(g.session):
                function(one)
            ran = True
        except SubmissionProblem as raised:
            problem = raised
    if not ran and problem:
        raise unless_it_trains(g, problem)
    if not ran:
        raise Missing("no module of this kind was handed in")


def with_parameters(g: Grading) -> list[cases.Case]:
    """A case of each module with parameters that was handed in: of a batch, as the course has it."""
    return [cases.CORE[role][1] for role in WITH_PARAMETERS if name_of(g, role)]


def simple_cases(g: Grading) -> list[cases.Case]:
    return [cases.CORE[role][1] for role in cases.CORE if name_of(g, role)]


def right(value, tolerance_of: Tensor) -> bool:
    """Whether a value is a tensor to go on with: of that shape, finite, and not all zero."""
    return (
        isinstance(value, Tensor)
        and value.shape == tolerance_of.shape
        and bool(value.isfinite().all())
        and bool(value.any())
    )
