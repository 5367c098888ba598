"""Steps of the submission's own training on a few pictures, and what is seen of them."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..context import Grading
from ..sandbox.child import Raised
from .watched import Seen, in_order

FEW, MANY = (3, 2, 1), (8, 32, 128, 512)  # pictures, of which some number is a batch of one step

Taken = tuple[Seen, tuple[Tensor, Tensor]]


def steps_taken(g: Grading, sgd: bool) -> Iterator[Taken]:
    """What is seen of the steps that move weights, and the pictures."""
    moving = False
    for amount in FEW:
        if taken := step_on(g, amount, sgd):
            moving = True
            yield taken
    if not moving and (taken := fewest(g, sgd)):
        yield taken


def step_on(g: Grading, amount: int, sgd: bool, watched: str = "all", epochs: int = 1) -> Taken | None:
    """What is seen of train() on so many pictures, and these; None if it does not run or moves no weight."""
    generator = torch.Generator().manual_seed(g.inputs_seed)
    pair = tuple((torch.rand(amount, 3, 32, 32, generator=generator) * 255).to(torch.uint8) for _ in range(2))
    try:
        seen = in_order(g.session.whole(*pair, g.inputs_seed, epochs, watched=watched, sgd=sgd), sgd)
    except Raised:
        return None
    return (seen, pair) if any(not torch.equal(one.before, one.after) for one in seen.parameters) else None


def fewest(g: Grading, sgd: bool) -> Taken | None:
    """The same on as few pictures as move the weights, where a batch that is not full is left out."""
    low, found = max(FEW), None
    for high in MANY:
        if found := step_on(g, high, sgd):
            break
        low = high
    while found and high - low > 1:
        middle = (low + high) // 2
        if fewer := step_on(g, middle, sgd):
            high, found = middle, fewer
        else:
            low = middle
    return found
