"""How modules behave when they are used again: gradients add up, nothing that was passed in changes."""

import contextlib

import torch
from torch import Tensor

from ..context import Grading
from ..registry import Failed, NotApplicable, check
from ..sandbox.child import Raised
from ..sandbox.session import Remote
from . import cases
from .compare import mismatch
from .judging import PARTS, conventions, each, name_of, ready, right, simple_cases, with_parameters
from .loss import SPOILS, compared


@check("behaviour", needs=("api.imports",))
def accumulates(g: Grading):
    """A second backward adds to the parameters' gradients"""
    tolerance = g.config["tolerance"]["absolute"]

    if "updates" in conventions(g)["notes"]:
        raise NotApplicable("backward steps at once, so that there is nothing that adds up")
    if "beside" in conventions(g)["notes"]:
        raise NotApplicable("backward returns the parameters' gradients, so that there is nothing that adds up")

    def twice(one: cases.Case) -> None:
        module, given = ready(g, one)
        after = []
        for _ in range(2):
            module.forward(given.x)
            module.backward(given.cotangent)
            after.append(cases.gradients(module, given))
        for name, first in after[0].items():
            if not right(first, getattr(given, name.removeprefix("grad_"))):
                continue  # wrong already after one backward, and counted there
            if found := mismatch(after[1][name], 2 * first.double(), tolerance):
                overwritten = mismatch(after[1][name], first.double(), tolerance) is None
                hint = (
                    "The second backward overwrites the gradient of the first; the assignment asks that they add up "
                    "until zero_grad(): is it = where += is meant?"
                )
                raise Failed(
                    f"{one.module}, {PARTS[name]} after two backwards: {found.message}", hint if overwritten else ""
                )

    each(g, twice, *with_parameters(g))


@check("behaviour", needs=("api.imports",))
def input_untouched(g: Grading):
    """No module changes its input or the gradient it is given, nor the loss what it compares"""

    def touched(one: cases.Case) -> None:
        module, given = ready(g, one)
        kind = torch.float64 if "64" in module.type_name() else torch.float32  # no copy on the way then
        x, cotangent = g.session.put(given.x.to(kind)), g.session.put(given.cotangent.to(kind))
        module.forward(x)
        untouched(one, "input", x, given.x)
        module.backward(cotangent)
        untouched(one, "input", x, given.x)
        untouched(one, "gradient", cotangent, given.cotangent)

    def untouched(one: cases.Case, what: str, there: Remote, before: Tensor) -> None:
        if found := mismatch(g.session.value(there), before.double(), 0.0):
            raise Failed(
                f"{one.module} changes the {what} that it is given: {found.message}",
                "Is there a method ending in _, or x[…] = …?",
            )

    each(g, touched, *simple_cases(g))
    with contextlib.suppress(Raised):  # which the checks of the loss tell
        compared_untouched(g)


def compared_untouched(g: Grading) -> None:
    """Failed if the loss changes the prediction or the target."""
    if name_of(g, "MSE") is None:
        return
    before = compared(g).to(getattr(torch, conventions(g)["dtype"]))  # no copy on the way then
    there = [g.session.put(one) for one in before]
    mse = g.session.loss()
    mse.forward(*there)
    mse.gradient()
    for what, one, old in zip(("prediction", "target"), there, before, strict=True):
        if found := mismatch(g.session.value(one), old.double(), 0.0):
            raise Failed(
                f"MSE changes the {what} that it is given: {found.message}",
                "Is there a method ending in _, or -= where a new tensor is meant?",
                cause=SPOILS if what == "prediction" else None,
            )


@check("behaviour", needs=("api.imports",))
def backward_twice(g: Grading):
    """The same backward twice returns the same gradient"""

    def again(one: cases.Case) -> None:
        module, given = ready(g, one)
        if module.tape():
            return  # a tape is walked once, and what lies on it adds up
        module.forward(given.x)
        first = module.backward(given.cotangent)
        try:
            second = module.backward(given.cotangent)
        except Raised as raised:
            g.warn(f"{one.module}: a second backward without a forward {raised}; torch refuses it as well")
            return
        tolerance = g.config["tolerance"]["absolute"]
        if (
            isinstance(first, Tensor)
            and first.isfinite().all()
            and (found := mismatch(second, first.double(), tolerance))
        ):
            raise Failed(
                f"{one.module}, the second time: {found.message}", "Does backward change what forward saved?"
            )

    each(g, again, *simple_cases(g))
