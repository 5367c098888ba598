"""What the rules forbid and only shows when the submission runs."""

from ..context import Grading
from ..registry import Failed, check
from . import cases


@check("rules", needs=("api.imports",))
def no_autograd(g: Grading):
    """No tensor that a module returned carries autograd's marks"""
    g.once(cases.sweep, "Conv2d")
    if g.session.tensors_with_grad:
        raise Failed(
            f"{g.session.tensors_with_grad} tensors that were returned require grad or come from autograd",
            "Is autograd switched on somewhere? torch.set_grad_enabled(False) switches it off.",
        )
