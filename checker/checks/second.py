"""The second step of a training: whether the gradients of the first one are gone.

The same picture again and again, which is its own mirror image too, so that both steps see the same whatever a
submission shuffles, mirrors or turns: in one epoch of two batches, or else in two epochs of one. Between them a
learning rate may fall.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from ..context import Grading
from ..registry import Failed
from ..sandbox.child import SubmissionProblem
from . import network
from .walk import Walk
from .watched import Seen, in_order

AMOUNTS = 24, 128  # pictures, of which a batch is to be a part
MOST_SECONDS = 1.5  # that the number before may take for the next one to be tried
MOST_TRIED = 3  # sizes of a batch that what was computed allows
CLOSE = 0.01  # of the largest change, by which a step may differ from another
# How often the first gradient counts after a second step; a momentum, which is less than 1, adds to it.
CLEARED, ADDED = (0.95, 1.99), (1.995, 3.01)
ENOUGH = 10  # values of gradients, for two unknown numbers to be told from them
PARALLEL = 0.995  # the cosine of two gradients which can't be told apart well enough
CHECK = "optimiser.zero_grad"

Pair = tuple[Tensor, Tensor]


def judge(g: Grading, pair: Pair, walk: Walk, found: network.Network) -> None:
    """Say in the verdicts of `walk`, which a step on `pair` took, whether those gradients that are right are gone."""
    for first, layers, after in second_steps(g, pair, walk, found):
        if (both := changes(first, layers, after, walk.confirmed)) is None:
            continue
        if goes_again(*both):
            walk.said.wrong[CHECK] = Failed(
                "in train() the second step goes along the gradients of the first one again, and not along its own",
                "Does the optimiser have those that backward adds to, also if zero_grad has made new ones?",
            )
            return
        times = [counted(*both)]
        if times == [None]:  # not the same for all
            times = [counted(*changes(first, layers, after, {name})) for name in walk.confirmed & after.keys()]
        if all(one and CLEARED[0] < one < CLEARED[1] for one in times):
            walk.said.right.add(CHECK)
            return
        if all(times) and any(ADDED[0] < one < ADDED[1] for one in times):
            walk.said.wrong[CHECK] = Failed(
                "in train() the gradients of the first step are added to those of the second",
                "Are they set to zero before every backward?",
            )
            return


def second_steps(g: Grading, pair: Pair, walk: Walk, found: network.Network) -> Iterator[tuple[Walk, Walk, dict]]:
    """(the first step, torch's gradients after it, all parameters after the second one)"""
    began = g.session.spent
    one = first_step(g, repeated(pair, 1), walk.seen.sgd)
    if one and (size := batch(g, pair, *one, g.session.spent - began)):
        yield from after_both(g, *one, repeated(pair, 2 * size), 1)
    yield from after_both(g, *one, repeated(pair, 1), 2) if one else after_both(g, walk, found, pair, 2)


def after_both(g: Grading, walk: Walk, found: network.Network, pair: Pair, epochs: int):
    if seen := run(g, pair, "nothing", walk.seen.sgd, epochs):
        after = {one.name: one.after.double() for one in seen.parameters}
        yield walk, Walk(walk.seen, *network.stepped(found, walk.layers)), after


def run(g: Grading, pair: Pair, watched: str, sgd: bool, epochs: int = 1, times: float = 1.0) -> Seen | None:
    """What is seen of so many epochs at so many times the learning rate, with the submission's SGD perhaps in the
    place of another optimiser; None if they don't run.
    """
    try:
        return in_order(g.session.whole(*pair, g.inputs_seed, epochs, times, watched, sgd), sgd)
    except SubmissionProblem:
        return None


def first_step(g: Grading, pair: Pair, sgd: bool) -> tuple[Walk, network.Network] | None:
    """A step on these pictures; None if it does not go along all gradients."""
    seen = run(g, pair, "all", sgd)
    if seen is None or (found := network.find(seen, *pair)) is None:
        return None
    walk = Walk(seen, list(found.layers), found)
    walk.verdicts()
    return (walk, found) if walk.plain else None


def repeated(pair: Pair, amount: int) -> Pair:
    return tuple(symmetric(one[:1]).repeat(amount, 1, 1, 1) for one in pair)


def symmetric(picture: Tensor) -> Tensor:
    """The mean of a picture's orientations."""
    turned = network.orientations(picture.double())
    return (sum(turned) / len(turned)).to(picture.dtype)


def batch(g: Grading, pair: Pair, walk: Walk, found: network.Network, seconds: float) -> int | None:
    """How many pictures a step takes at once, of which one takes so many `seconds`: as many of the same as make the
    step that one makes. None if that is not known.
    """
    each, once = [layer.x.numel() for layer in found.layers[1:]], change(walk.seen)
    for amount in AMOUNTS:
        if seconds > MOST_SECONDS:
            return None
        began = g.session.spent
        if (seen := run(g, repeated(pair, amount), "sizes", walk.seen.sgd)) is None:
            return None
        seconds, sizes = g.session.spent - began, seen.sizes()
        likely = [n for n in range(amount, 0, -1) if all(n * one in sizes for one in each)]
        for n in likely[:MOST_TRIED]:
            if (seen := run(g, repeated(pair, n), "nothing", walk.seen.sgd)) and is_close(change(seen), once):
                if n < amount:
                    return n
                break
    return None


def change(seen: Seen) -> Tensor:
    """Of all parameters, in one vector."""
    return torch.cat([(one.after.double() - one.before.double()).flatten() for one in seen.parameters])


def is_close(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and float((a - b).abs().max()) < CLOSE * float(b.abs().max())


def changes(walk: Walk, second: Walk, after: dict[str, Tensor], names: set[str]) -> tuple[Tensor, Tensor] | None:
    """What both steps made of the parameters of these names, in gradients, and two columns: torch's gradients of them
    in the first step and in the second; None if there are none.
    """
    first, then = walk.gradients(), second.gradients()
    moved, columns = [], []
    for layer in walk.layers:
        for kept in layer.kept.values():
            if kept.parameter.name in names & after.keys():
                change = kept.torchs(after[kept.parameter.name] - kept.parameter.before.double())
                moved.append((-change / walk.rate).flatten())
                columns.append(torch.stack([one[kept.parameter.name].flatten() for one in (first, then)], 1))
    return (torch.cat(moved), torch.cat(columns)) if moved else None


def goes_again(change: Tensor, gradients: Tensor) -> bool:
    """Whether the second step went along the first one's gradient, and not at all along its own."""
    first_times, own = torch.linalg.lstsq(gradients, change[:, None]).solution.flatten().tolist()
    missed = float((gradients @ change.new_tensor([first_times, own]) - change).abs().max() / change.abs().max())
    apart = (1 - min(1.0, float(F.cosine_similarity(*gradients.unbind(1), 0)) ** 2)) ** 0.5
    return missed < 0.02 * apart and 1.5 < first_times < ADDED[1] and abs(own) < 0.05


def counted(change: Tensor, gradients: Tensor) -> float | None:
    """How many times the first step's gradients are in the change that both steps made, beside the second's; None if
    that is another number for some, or is not known. Where the second step is shorter, by how much is told by the
    second gradients, if they point elsewhere.
    """
    one, other = gradients.unbind(1)
    allowed = 0.02 * float(one.abs().max())
    times = float((change - other) @ one / (one @ one))
    if float((change - other - times * one).abs().max()) < allowed:
        return times
    if len(one) < ENOUGH or float(F.cosine_similarity(one, other, 0)) > PARALLEL:
        return None
    first_times, shorter = torch.linalg.lstsq(gradients, change[:, None]).solution.flatten().tolist()
    close = float((gradients @ change.new_tensor([first_times, shorter]) - change).abs().max()) < 0.1 * allowed
    return 1 + (first_times - 1) / shorter if close and 0.01 < shorter < 1 else None
