"""Other optimisers than SGD are told by their steps, and a wrong SGD is not taken for one of them."""

import pytest
import torch

from checker.checks.steppers import Step, told_apart
from checker.registry import Failed, Unjudged

STEPS, LR = 3, 0.05


def taken(update) -> list[Step]:
    """What an optimiser does to two parameters along a gradient that stays as it is; update(gradient, state, i)."""
    generator = torch.Generator().manual_seed(0)
    found = []
    for name, size in (("weight", (5, 3, 3, 3)), ("bias", (5,))):
        before, gradient = (torch.randn(size, generator=generator) for _ in range(2))
        at, state = [before], {}
        for i in range(STEPS):
            at.append(at[-1] - LR * update(gradient, state, i))
        found.append(Step(name, before, at[1], at[-1], before.double() - STEPS * LR * gradient.double()))
    return found


def velocity(momentum: float, dampening: float = 0.0):
    def update(gradient, state, i):
        state["v"] = momentum * state.get("v", 0) + (1 - dampening) * gradient
        return state["v"]

    return update


def adam(gradient, state, i):
    state["m"] = 0.9 * state.get("m", 0) + 0.1 * gradient
    state["v"] = 0.999 * state.get("v", 0) + 0.001 * gradient**2
    return state["m"] / (1 - 0.9 ** (i + 1)) / ((state["v"] / (1 - 0.999 ** (i + 1))).sqrt() + 1e-8)


def rmsprop(gradient, state, i):
    state["v"] = 0.9 * state.get("v", 0) + 0.1 * gradient**2
    return gradient / (state["v"].sqrt() + 1e-8)


@pytest.mark.parametrize("momentum", [0.5, 0.9, 0.99])
def test_a_momentum_that_is_always_used_is_noted(momentum):
    assert f"momentum of {momentum:.2g} " in told_apart(taken(velocity(momentum)), STEPS)


@pytest.mark.parametrize("update", [adam, rmsprop, velocity(0.9, 0.9)])
def test_another_optimiser_is_not_judged(update):
    with pytest.raises(Unjudged):
        told_apart(taken(update), STEPS)


def test_one_that_goes_up_the_gradient_fails():
    with pytest.raises(Failed, match="up the gradient"):
        told_apart(taken(lambda *args: -adam(*args)), STEPS)


WRONG = {
    "the sign": lambda g, state, i: -g,
    "twice": lambda g, state, i: 2 * g,
    "half": lambda g, state, i: 0.5 * g,
    "the rate twice": lambda g, state, i: LR * g,
    "the first step alone": lambda g, state, i: g * (i == 0),
    "a mean": lambda g, state, i: g / len(g),
    "ever longer": lambda g, state, i: g * (i + 1),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_step_is_not_taken_for_another_optimiser(name):
    assert told_apart(taken(WRONG[name]), STEPS) == ""
