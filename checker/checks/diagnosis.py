"""Name the mistake behind a wrong number: which hypothesis would have given just these values?

Four kinds, tried in this order for one part (forward, grad_input, …) of a module's cases: fresh memory that shows;
`hypotheses` computes, from a case, the values that a known mistake gives; a constant factor is recognised and named;
PATTERNS are properties of cases, and one that holds exactly where the answer is right (or wrong) says where it stops
being right. What is said is one sentence that ends as a question.
"""

import re

from torch import Tensor

from ..sandbox.child import Raised
from .cases import Outcome
from .compare import mismatch, wrong_form
from .factors import common_factor
from .hypotheses import hypotheses
from .patterns import pair, pattern, rest

OVERFLOW = "Does exp(x) overflow for large x?"
UNFILLED = "torch.empty is not zeros: is something added to memory that nobody has filled?"


def explain(outcomes: list[Outcome], part: str, tolerance: float) -> str:
    """A hint about what is wrong with `part`, or an empty string."""
    wrong = [o for o in outcomes if o.mismatch(part, tolerance)]
    if not wrong:
        return ""
    if hint := of_shape(wrong, part):
        return hint
    valued = [o for o in wrong if not wrong_form(o.got[part], tuple(o.expected[part].shape))]
    if any(o.got[part].isnan().any() for o in valued):
        return OVERFLOW if valued[0].case.module == "Sigmoid" else UNFILLED
    if valued:
        shared = [set(matching(o, part, tolerance)) for o in valued]
        for sentence in matching(valued[-1], part, tolerance):
            if all(sentence in names for names in shared):
                return sentence
        if factor := common_factor(valued, part, tolerance):
            return f"The values are {factor} what they should be: is a factor missing, or one too many?"
    where = pattern([o.case for o in outcomes if o not in wrong], [o.case for o in wrong])
    return where or of_exception(wrong, part)


# Other shapes, and exceptions -------------------------------------------------------------------------


def of_shape(wrong: list[Outcome], part: str) -> str:
    """What is said of gradients that have the size of the padded or of the cropped input in all these cases."""
    if part != "grad_input" or not all(isinstance(o.got[part], Tensor) and o.got[part].dim() == 4 for o in wrong):
        return ""
    off = [
        tuple(g - e for g, e in zip(o.got[part].shape[2:], o.expected[part].shape[2:], strict=True)) for o in wrong
    ]
    paddings = [pair(o.case.option("padding", 0)) for o in wrong]
    if all(any(d) and d == (2 * p, 2 * q) for d, (p, q) in zip(off, paddings, strict=True)):
        return "It has the size of the padded input: is the padding cut off again?"
    if all(any(d) and d == (-2 * p, -2 * q) for d, (p, q) in zip(off, paddings, strict=True)):
        return "It has the size of the input less the padding: is the padding cut off twice?"
    if all(min(d) < 0 and rest(o.case) for d, o in zip(off, wrong, strict=True)):
        return "It lacks the rows or columns that the stride leaves over: is the input's own size remembered?"
    return ""


EXCEPTIONS = (  # (what an exception says, the question that leads on)
    (r"NoneType.*(\+=|add|iadd|mul)|unsupported operand.*NoneType", "Is a gradient None until zero_grad() makes it?"),
    (
        r"(shape|size|dimension).*(match|invalid|expected)|invalid for input of size|expected size",
        "Is a size computed for other cases?",
    ),
    (r"expected .*(Float|Double).*found|same dtype", "Is everything of the type of the input?"),
    (r"list index out of range|pop from empty", "Is something used up by the first backward?"),
)


def of_exception(wrong: list[Outcome], part: str) -> str:
    """What is said of an exception that is the same in all these cases."""
    found = {got.text if isinstance(got := o.got[part], Raised) else None for o in wrong}
    if None in found or not found:
        return ""
    return next((hint for text, hint in EXCEPTIONS if all(re.search(text, one, re.IGNORECASE) for one in found)), "")


def matching(outcome: Outcome, part: str, tolerance: float) -> list[str]:
    """The sentences of the hypotheses that give the values we got."""
    return [
        sentence
        for sentence, values in hypotheses(outcome, part)
        if values.shape == outcome.expected[part].shape and mismatch(outcome.got[part], values, tolerance) is None
    ]
