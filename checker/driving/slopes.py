"""How the loss of a recorded step of training changes with every parameter, by differences: what its gradients have
to be, whatever the network is made of.
"""

from collections.abc import Collection

import torch
from torch import Tensor

from .recording import ESCAPES, Operator, Record, Unrecorded, View, views

DIRECTIONS = 3
DISTANCE = 1e-7  # of a parameter's size: the slope is off by about that, and what rounding adds in float64
MOST_AGAIN = 1_000_000  # operators that are carried out again, in all directions
ALIKE = 0.9999  # correlation of a picture with the one that it was made from
DIFFERENCES = "aten::sub", "aten::sub_", "aten::rsub"


def slopes(
    record: Record,
    parameters: list[View],
    updated: list[View],
    changes: list[Tensor],
    earlier: list[Tensor],
    target: Tensor,
) -> list[Tensor]:
    """For each parameter DIRECTIONS rows: how far the step went in this direction, how the sum of the squared
    differences to the target changes in it, and how far the parameter itself points there, and the changes `earlier`.
    Raises Unrecorded.
    """
    wanted = comparisons(record, parameters, updated, target)
    if DIRECTIONS * len(parameters) * (max(wanted) + 1) > MOST_AGAIN:
        raise Unrecorded("too much to carry it out again so often")
    generator = torch.Generator().manual_seed(0)
    found, loss = [], squares(record.again({}, wanted))
    for view, change, former in zip(parameters, changes, earlier, strict=True):
        value, change, former = view.of(record.memories).double(), change.double(), former.double()
        distance = DISTANCE * (float(value.square().mean().sqrt()) or 1.0)
        ways = [
            change,
            *(torch.randn(view.size, generator=generator, dtype=torch.float64) for _ in range(1, DIRECTIONS)),
        ]
        rows = []
        for way in ways:
            way = way / (float(way.square().mean().sqrt()) or 1.0)
            slope = (squares(record.again({view: distance * way}, wanted)) - loss) / distance
            rows.append([float((change * way).sum()), slope, *(float((one * way).sum()) for one in (value, former))])
        found.append(torch.tensor(rows, dtype=torch.float64))
    return found


def squares(differences: list[Tensor]) -> float:
    return sum(float(one.square().sum()) for one in differences)


def comparisons(record: Record, parameters: list[View], updated: list[View], target: Tensor) -> dict[int, View]:
    """The operators, by their numbers, that give the difference of what the network gives to the targets, of each
    target once: of all pictures at once or part by part, as it was before the `parameters` were `updated`, which has
    to happen once. What is compared after that, as by a validation, is left alone.
    """
    on_parameters, _ = dependent(record, {view.memory for view in parameters}, {})
    others = {
        number: other
        for number, operator in enumerate(record.operators)
        if operator.function._schema.name in DIFFERENCES and (other := compared_with(operator, on_parameters[number]))
    }
    if not others:
        raise Unrecorded("nothing that depends on the parameters was compared with anything")
    found, left = {}, list(target)
    for number, value in zip(others, record.again({}, others), strict=True):
        pictures = value.flatten().split(target[0].numel()) if left and value.numel() % target[0].numel() == 0 else ()
        rows = [which(picture, left) for picture in pictures]
        if rows and None not in rows and len(set(rows)) == len(rows):
            found[number] = record.operators[number].results[0]
            left = [one for i, one in enumerate(left) if i not in rows]
    if not found:
        raise Unrecorded("what depends on the parameters was not compared with the targets")
    on_others, _ = dependent(record, set(), found)
    first = {number: view for number, view in found.items() if not on_others[number]}
    _, changed = dependent(record, set(), found.keys() - first.keys())
    if any(view.memory in changed for view in updated):
        raise Unrecorded("parameters were updated between the pictures")
    for number, operator in enumerate(record.operators[: max(first)]):
        if operator.function._schema.name in ESCAPES and on_parameters[number] - on_others[number]:
            raise Unrecorded("a number was made of the parameters, of which it is not known what becomes")
    return first


def compared_with(operator: Operator, depending: set[int]) -> View | None:
    """What does not depend on the parameters, of the two of a difference of which one does."""
    sides = views(operator.args[:2])
    free = [view for view in sides if view.memory not in depending]
    return free[0] if len(sides) == 2 and len(free) == 1 and sides[0].size == sides[1].size else None


def dependent(record: Record, memories: set[int], beginning: Collection[int]) -> tuple[list[set[int]], set[int]]:
    """For each operator which of the memories that it is given depend on these, or on the results of the operators
    `beginning`; and all that do in the end.
    """
    depending, found = set(memories), []
    for number, operator in enumerate(record.operators):
        given = {view.memory for view in views(operator.args) + views(operator.kwargs)}
        found.append(given & depending)
        if found[-1] or number in beginning:
            depending |= {view.memory for view in operator.results + operator.written()}
    return found, depending


def which(values: Tensor, pictures: list[Tensor]) -> int | None:
    """Which of the pictures, 3×H×W, these are the values of: scaled, mirrored, turned perhaps, or colours last."""
    c, h, w = pictures[0].shape
    forms = [standard(values.view(c, h, w)), standard(values.view(h, w, c).permute(2, 0, 1))]
    for i, picture in enumerate(pictures):
        for turned in (picture, picture.transpose(1, 2)) if h == w else (picture,):
            for axes in ((), (1,), (2,), (1, 2)):
                one = standard(turned.double().flip(axes))
                if any(float((one * form).sum(1).min()) > ALIKE for form in forms):
                    return i
    return None


def standard(x: Tensor) -> Tensor:
    """Each channel's values with a mean of 0 and a length of 1, in a row."""
    x = x.flatten(1) - x.flatten(1).mean(1, keepdim=True)
    return x / x.norm(dim=1, keepdim=True).clamp(min=1e-12)
