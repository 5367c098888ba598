"""The mathematics of a submission whose modules can't be used one by one, from a step of its own training.

The network is found again from what the step computes (network.py), and torch's gradients of it are compared with
what the step did to every weight (walk.py).
"""

from collections.abc import Iterator

from torch import Tensor

from ..context import Grading
from ..registry import Failed, Missing, NotApplicable, Unjudged
from ..sandbox.child import SubmissionProblem
from . import cases, judging, leftover, mixed, network, second, slopes
from .moved import proportion
from .steps import steps_taken
from .told import LOSS, PREFIXES, STEP, Verdicts, check_of, checks_of
from .walk import Walk

VALUE = "optimiser.mse_forward"
IN_A_ROW = "modules.sequential_backward"
ENOUGH = 4  # parameters, of a network
ALONE = "behaviour.accumulates", "behaviour.input_untouched", "behaviour.backward_twice"


def instead(g: Grading, check: str, reason: Exception) -> dict:
    """The verdict of a step of train() on a check that could not be made; raises `reason` if it gives none."""
    missing = isinstance(reason, Missing)
    if not missing and check in g.once(by_slopes):
        g.warn(
            "it could not be used by itself: judged by how the loss of a step of train() changes with the parameters"
        )
        return {"whole": True}
    try:
        found = g.once(verdicts)
    except (Unjudged, SubmissionProblem):
        if missing and check.startswith(("modules.", "optimiser.")) and g.once(judging.trains):
            raise Unjudged(f"{reason}, by any name that is known, but train() runs: look at it") from None
        raise reason from None
    if check in ALONE and (missing or IN_A_ROW in found.right):
        raise NotApplicable("its modules are judged in the network as a whole, where this makes no difference")
    if check in found.wrong:
        raise found.wrong[check]
    if check in found.right:
        g.warn("it could not be used by itself: judged by a step of train(), in the network as a whole")
        return {"whole": True}
    other_kind = computed_in(found) & set(judging.UPSAMPLINGS) - {role_of(check)}
    if role_of(check) in set(judging.UPSAMPLINGS) - computed_in(found) and other_kind:
        raise NotApplicable(judging.ONE_KIND)
    if missing:
        unless_elsewhere(g, found, check)
    raise reason


def by_slopes(g: Grading) -> set[str]:
    """The checks that are passed where a step of train() goes along the slopes of its loss: of the gradients of all
    modules that the Model holds. Which of them is behind one that does not is not known.
    """
    try:
        told = g.once(slopes.told)
    except (Unjudged, SubmissionProblem):
        return set()
    if told.wrong or len(told.right) < ENOUGH:
        return set()
    roles = [role for role in PREFIXES if judging.name_of(g, role) in told.held]
    parts = "grad_input", "grad_weight", "grad_bias"
    return {STEP, IN_A_ROW, *(check_of(role, part) for role in roles for part in parts), *cleared(g)}


def cleared(g: Grading) -> set[str]:
    """The check of zero_grad, if a second step of train() is free of the first one's gradients."""
    try:
        g.once(leftover.judge)
    except (Failed, Unjudged, SubmissionProblem):
        return set()
    return {second.CHECK}


def refuted(g: Grading, check: str) -> bool:
    """Whether a failure of a check that puts modules together is none of the submission's, since its own training
    does the same rightly: with the Sequential that the Model holds, or without the convolutions that were asked to
    clear their gradients.
    """
    if check not in (IN_A_ROW, second.CHECK) or check not in g.once(by_slopes):
        return False
    held = g.once(slopes.told).held
    if check == IN_A_ROW:
        return judging.name_of(g, "Sequential") in held
    return not held & {judging.name_of(g, role) for role in judging.WITH_PARAMETERS}


def role_of(check: str) -> str | None:
    return next((role for role in PREFIXES if check in checks_of(role)), None)


def computed_in(found: Verdicts) -> set[str]:
    """The roles that the network computes."""
    return {role for role in PREFIXES if check_of(role, "forward") in found.right}


def unless_elsewhere(g: Grading, found: Verdicts, check: str) -> None:
    """Raise what a missing module comes to where the network, found as a whole, computes it."""
    if check == "api.sequential" and not judging.with_parameters(g):
        raise NotApplicable("it is written without modules that could be chained; conventions tell what is missing")
    role, computed = role_of(check), computed_in(found)
    if check == VALUE and LOSS in found.right:
        raise NotApplicable("train() computes the gradient of the loss, which is right, and never its value")
    if role in computed or check in (LOSS, STEP):
        raise Unjudged("a step of train() computes it, but does not tell whether it is right: look at it")


def steps_of_training(g: Grading) -> Iterator[tuple[network.Seen, network.Network, tuple[Tensor, Tensor]]]:
    """Steps of train(), each with the network that took it, and the pictures: of the optimiser that the Model uses,
    then of the submission's own SGD in its place.
    """
    for seen, pair in (taken for sgd in (False, True) for taken in steps_taken(g, sgd)):
        for view in (seen, seen.channels_last(pair[0])):
            if found := network.find(view, *pair):
                yield view, found, pair
                break


def layers_of(g: Grading, found: network.Network) -> list[network.Layer]:
    """The layers, with doubling and the convolution after it as one where the submission has one module for both."""
    layers: list[network.Layer] = []
    for layer in found.layers:
        before = layers[-1] if layers else None
        doubled = before and before.case.module == "NearestUpsampling" and layer.case.module == "Conv2d"
        if doubled and judging.name_of(g, "NearestConv") and layer.case.option("stride", 1) == 1:
            inferred = {"padding": layer.case.option("padding", 0), "scale_factor": before.case.args[0]}
            case = cases.Case("NearestConv", before.case.shape, layer.case.args, inferred=tuple(inferred.items()))
            layers[-1] = network.Layer(case, before.x, layer.weight, layer.bias)
        else:
            layers.append(layer)
    return layers


def verdicts(g: Grading) -> Verdicts:
    """Of the first step that goes along gradients, with the submission's own SGD if with the Model's optimiser none
    does; else of what any step shows, which is less.
    """
    said = None
    for seen, found, pair in steps_of_training(g):
        walk = Walk(seen, layers_of(g, found), found)
        told = walk.verdicts()
        said = said or told
        if walk.rate is not None:
            if failure := mixed.of_another(walk):
                told.wrong[STEP] = failure
            elif walk.plain:
                second.judge(g, pair, walk, found)
                of_rate(g, pair, walk)
            return told
    if said is None:
        raise Unjudged("no network was found that computes what a step of train() does")
    return said


def of_rate(g: Grading, pair: tuple[Tensor, Tensor], walk: Walk) -> None:
    """Whether the step is as long as the learning rate says: it must be twice as long at twice the rate, where that
    is found and so makes a difference.
    """
    seen = second.run(g, pair, "nothing", walk.seen.sgd, times=2.0)
    if seen is None or [one.name for one in seen.parameters] != [one.name for one in walk.seen.parameters]:
        return
    times = proportion(second.change(seen), second.change(walk.seen), 0.01)
    if times and abs(times - 4) < 0.04:
        walk.said.right.discard(STEP)
        walk.said.wrong[STEP] = Failed(
            "at twice the learning rate, a step of train() is four times as long",
            "Is the learning rate multiplied by once, and not again in the velocity?",
        )
