"""The second step of a training: whether the gradients of the first one are gone.

The same picture again and again, so that both steps see the same whatever a submission shuffles: in one epoch of two
batches, or else in two epochs of one, between which a learning rate may fall.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..context import Grading
from ..registry import Failed
from ..sandbox.child import SubmissionProblem
from . import network
from .walk import Walk
from .watched import in_order

AMOUNTS = 24, 128  # pictures, of which a batch is to be a part
MOST_SECONDS = 1.5  # that the one before may take for the next to be tried, which has five times as many
# How often the first gradient counts after a second step; a momentum, which is less than 1, adds to it.
CLEARED, ADDED = (0.95, 1.99), (1.995, 3.01)
CHECK = "optimiser.zero_grad"

Pair = tuple[Tensor, Tensor]


def judge(g: Grading, pair: Pair, walk: Walk, found: network.Network) -> None:
    """Say in the verdicts of `walk`, which a step on `pair` took, whether those gradients that are right are gone."""
    for first, layers, after in second_steps(g, pair, walk, found):
        times = counted(first, layers, after)
        if times and CLEARED[0] < times < CLEARED[1]:
            walk.said.right.add(CHECK)
            return
        if times and ADDED[0] < times < ADDED[1]:
            walk.said.wrong[CHECK] = Failed(
                "in train() the gradients of the first step are added to those of the second",
                "Are they set to zero before every backward?",
            )
            return


def second_steps(g: Grading, pair: Pair, walk: Walk, found: network.Network) -> Iterator[tuple[Walk, Walk, dict]]:
    """(the first step, torch's gradients after it, all parameters after the second one)"""
    size = batch(g, pair)
    if size and (first := first_step(g, repeated(pair, size))):
        yield from after_both(g, *first, repeated(pair, 2 * size), 1)
    yield from after_both(g, walk, found, pair, 2)


def after_both(g: Grading, walk: Walk, found: network.Network, pair: Pair, epochs: int):
    try:
        seen = in_order(g.session.whole(*pair, g.inputs_seed, epochs=epochs))
    except SubmissionProblem:
        return
    after = {one.name: one.after.double() for one in seen.parameters}
    yield walk, Walk(walk.seen, *network.stepped(found, walk.layers)), after


def first_step(g: Grading, pair: Pair) -> tuple[Walk, network.Network] | None:
    """A step on one batch of the same picture; None if it does not go along all gradients."""
    try:
        seen = in_order(g.session.whole(*pair, g.inputs_seed))
    except SubmissionProblem:
        return None
    if (found := network.find(seen, *pair)) is None:
        return None
    walk = Walk(seen, list(found.layers), found)
    walk.verdicts()
    return (walk, found) if walk.plain else None


def repeated(pair: Pair, amount: int) -> Pair:
    return tuple(one[:1].repeat(amount, 1, 1, 1) for one in pair)


def batch(g: Grading, pair: Pair) -> int | None:
    """How many pictures a step takes at once, by what its layers are given; None if all, or more than are tried."""
    began = g.session.spent
    if (one := first_step(g, repeated(pair, 1))) is None:
        return None
    given = [layer.x for layer in one[1].layers[1:]]
    for amount in AMOUNTS:
        if g.session.spent - began > MOST_SECONDS:
            return None
        began = g.session.spent
        try:
            seen = in_order(g.session.whole(*repeated(pair, amount), g.inputs_seed))
        except SubmissionProblem:
            return None
        sizes = [n for n in range(1, amount) if all(seen.has(x.repeat(n, 1, 1, 1)) for x in given)]
        if sizes and not all(seen.has(x.repeat(amount, 1, 1, 1)) for x in given):
            return max(sizes)
    return None


def counted(walk: Walk, second: Walk, after: dict[str, Tensor]) -> float | None:
    """How many times the first step's gradients are in the change that both steps made, beside the second's."""
    first, then = walk.gradients(), second.gradients()
    both, once = [], []
    for layer in walk.layers:
        for kept in (layer.weight, layer.bias):
            if kept and kept.parameter.name in walk.confirmed & after.keys():
                change = kept.torchs(after[kept.parameter.name] - kept.parameter.before.double())
                both.append((-change / walk.rate - then[kept.parameter.name]).flatten())
                once.append(first[kept.parameter.name].flatten())
    if not both:
        return None
    left, gradient = torch.cat(both), torch.cat(once)
    times = float(left @ gradient / (gradient @ gradient))
    close = float((left - times * gradient).abs().max()) < 0.02 * float(gradient.abs().max())
    return times if close else None
