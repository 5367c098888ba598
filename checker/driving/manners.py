"""The manners in which submissions have gradients computed, and the search for the one that a submission wants.

Some modules are used alone, some only within a network; some return gradients, some leave them on their input; some
want a gradient for an argument, some none, some are reached only through the loss; some need zero_grad first.
"""

import contextlib
import re
from typing import NamedTuple

import torch
from torch import Tensor

from . import methods, tensors

ZERO_GRAD = re.compile(
    r"(set|put)?(zero|reset|clear|clean|init(iali[sz]e)?|empty|flush|nul)\w*grad(ient)?s?\w*|(re)?(set|mise)?(a|to)?zero|clear"
    r"|grad(ient)?s?(to)?(zero|nul)|zero(_?out)?s?"
)


class Manner(NamedTuple):
    """One manner. `back`: what is asked for the gradients: the "module" (with the gradient), its "output", the module
    without argument ("bare"), the "loss", the module after the loss, which has "left" a gradient for it, or the
    module with the loss "handed" to it, or the module without argument, of which the gradient was "set" as an
    attribute. `prepare`: what makes a module ready. `led`: whether the gradient of the
    input is that of the weights of a convolution before it. `single`: whether it takes one picture at a time.
    """

    back: str = "module"
    network: bool = False
    wrapped: bool = False
    prepare: str = ""
    led: bool = False
    single: bool = False

    def __str__(self) -> str:
        said = {
            "module": "",
            "output": "backward of the output",
            "bare": "backward without an argument",
            "loss": "backward of the loss",
            "left": "backward of the loss, then backward without an argument",
            "handed": "backward with the loss for its argument",
            "set": "backward without an argument, after the gradient was set as an attribute of the module",
        }
        parts = [
            "inside Sequential" if self.network else "",
            "behind a convolution" if self.led else "",
            "for one picture C×H×W at a time" if self.single else "",
            "with its own class of tensors" if self.wrapped else "",
            said[self.back],
            PREPARATIONS[self.prepare],
        ]
        return ", ".join(part for part in parts if part)


BACKS = "module", "set", "output", "loss", "left", "bare", "handed"
PREPARATIONS = {
    "": "",
    "module": "zero_grad() of the module first",
    "network": "zero_grad() of the network first",
    "optimiser": "zero_grad() of the optimiser first",
    "train": "train() of the module first",
}


def all_manners(wraps: bool) -> list[Manner]:
    """Every manner, the one of the assignment first."""
    return [
        Manner(back, network, wrapped, prepare)
        for wrapped in ((False, True) if wraps else (False,))
        for network in (False, True)
        for back in BACKS
        for prepare in PREPARATIONS
    ]


def zero_grad(target) -> bool:
    """Have the gradients of a module, a network or an optimiser set to zero; False if it has no such method."""
    if name := clears(type(target)):
        getattr(target, name)()
    return bool(name)


def clears(kind: type) -> str | None:
    """The name of the method by which objects of a class set gradients to zero; None if there is none."""
    names = methods.of_class(kind)
    return next((name for name in names if ZERO_GRAD.fullmatch(name.lower().replace("_", ""))), None)


class Spy:
    """Notes what the `backward` of one module is given and returns, when others call it; or an inner one, such as
    _backward, that a tape calls in its place.
    """

    def __init__(self, module):
        self.given = self.returned = None
        self.called = False
        self.depth = 0
        for name in methods.all_of(module, "backward"):
            with contextlib.suppress(AttributeError):  # a class with __slots__ can't be watched
                setattr(module, name, self.watched(getattr(module, name)))

    def watched(self, method):
        original = getattr(method, "watched", method)  # by an earlier spy

        def backward(*args, **kwargs):
            self.called = True
            given = tensors.unwrap(args[0]) if args else None
            if self.depth == 0 or not isinstance(self.given, Tensor):
                self.given = given
            self.depth += 1
            try:
                result = original(*args, **kwargs)
            finally:
                self.depth -= 1
            returned = tensors.unwrap(result)
            if self.depth or isinstance(returned, Tensor) or not isinstance(self.returned, Tensor):
                self.returned = returned
            return result

        backward.watched = original
        return backward


def proportion(found, expected: Tensor) -> float:
    """The factor between a gradient that came and the one that was meant; 1 if there is none."""
    if not isinstance(found, Tensor) or found.numel() != expected.numel():
        return 1.0
    found, expected = found.double().flatten(), expected.double().flatten()
    power = float(expected @ expected)
    factor = float(found @ expected) / power if power else 1.0
    close = torch.allclose(found, factor * expected, rtol=1e-3, atol=1e-4 * abs(factor))
    return factor if close and abs(factor) > 1e-12 else 1.0
