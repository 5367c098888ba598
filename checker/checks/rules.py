"""What the source uses besides tensors and the standard library."""

from ..context import Grading
from ..intake import lint
from ..registry import Failed, check

SHOWN = 5


def read(g: Grading) -> tuple[list[lint.Use], list[lint.Unreadable]]:
    return lint.read(g.files)


def uses(g: Grading) -> list[lint.Use]:
    return g.once(read)[0]


def some(found: list[lint.Use]) -> str:
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return "; ".join(map(str, found[:SHOWN])) + more


@check("rules", needs=("structure.files",))
def forbidden(g: Grading):
    """No autograd, no torch.nn, no optimiser of torch's, no other package"""
    found = [use for use in uses(g) if use.verdict == lint.FORBIDDEN]
    for use in found:
        if not use.reached:
            g.warn(f"not used by model.py, and so not counted: {use}")
    for one in g.once(read)[1][:SHOWN]:
        g.warn(f"to be looked at by a person: {one.file} can't be read ({one.reason})")
    review = [use for use in uses(g) if use.verdict == lint.REVIEW and use.reached]
    if review:
        g.warn(f"to be looked at by a person: {some(review)}")
    counted = [use for use in found if use.reached]
    if counted:
        raise Failed(
            some(counted),
            "Allowed: tensors, their methods, empty, cat, arange, fold, unfold, the standard library.",
        )
    return {"review": [str(use) for use in review]}


@check("rules", needs=("structure.files",))
def helpers(g: Grading):
    """No torch function outside the handout's list, not even a harmless one"""
    found = [use for use in uses(g) if use.verdict == lint.HELPER and use.reached]
    if found:
        raise Failed(some(found), "A tensor's method does the same: x.exp(), x.new_zeros(…), empty(…).zero_().")
