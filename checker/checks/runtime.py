"""What the rules forbid, as the recorders in the submission's process noticed it while it ran."""

import math
import re

import torch

from ..context import Grading
from ..intake import allowlist
from ..registry import Failed, check
from ..sandbox.child import SubmissionProblem
from . import cases

# Operators of torch's that no method of a tensor, no fold and no unfold carries out.
OPERATORS = re.compile(
    r"aten::_?(mkldnn_|thnn_|slow_|native_)*"
    r"(conv(olution|_|[123]d)|upsample|interpolate|mse_loss|\w*pool[123]d|batch_norm|layer_norm|group_norm"
    r"|\w*_backward$|lstm|gru|embedding|\w*dropout)"
)
SHOWN = 5


@check("rules", needs=("api.imports",))
def runtime(g: Grading):
    """While it runs it uses no autograd, no layer or optimiser of torch's, no other program"""
    g.once(observe)
    found = sorted(note for note in g.session.notes if is_forbidden(note))
    programs = sorted(note for note in g.session.notes if note.startswith("program: "))
    if programs and g.config["rules"]["programs"]:
        g.warn(f"to be looked at by a person: {'; '.join(programs[:SHOWN])}")
    elif programs:
        g.warn("to be looked at by a person: what does it start another program, a fork or C for?")
        found += programs
    if found:
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise Failed(
            "; ".join(found[:SHOWN]) + more,
            "Something calls it, under whatever name: the framework is to be your own.",
        )
    return {"noticed": len(g.session.notes)}


def is_forbidden(note: str) -> bool:
    kind, _, name = note.partition(": ")
    if kind == "operator":
        return OPERATORS.match(name) is not None
    if kind == "function":
        allowed = name in allowlist.HANDOUT
        return not allowed and any(name == b or name.startswith(f"{b}.") for b in allowlist.BANNED)
    return kind in ("autograd", "torch.nn", "torch.optim")


def observe(g: Grading) -> None:
    """Use every module once and the model twice, with every function and operator noted.

    What goes wrong is for other checks to say, unless nothing could be watched at all.
    """
    first = [cases.CORE[module][0] for module in cases.CORE if module in (g.session.loaded or ())]
    watched, problem = 0, None
    models = (lambda: use_model(g, 2, 16), lambda: use_model(g, g.config["psnr"]["batch"], 32))
    for use in (*(lambda one=one: cases.run(g, one) for one in first), *models):
        try:
            g.session.observe(True)  # anew each time, since a process that died was started again
            watched += 1
            use()
            g.session.observe(False)
        except SubmissionProblem as stopped:
            problem = stopped
    if not watched:
        raise problem


def use_model(g: Grading, pictures: int, size: int) -> None:
    """Predict and train; on few small pictures, and on as many and as large ones as are measured."""
    shape = (pictures, 3, size, size)
    pictures = torch.arange(math.prod(shape), dtype=torch.float32).view(shape) % 255
    model = g.session.new("Model")
    model.predict(pictures)
    model.train(pictures, pictures.flip(0), 1)
