"""The submission's loss: in which order it takes its arguments, and how its gradient is had."""

import contextlib
import re

from torch import Tensor

from . import starters, tensors
from .building import meaning, parameters_of, required
from .gradients import LIST, of_input, snapshot
from .leaves import at
from .manners import Spy
from .methods import all_of, call, has, method, of_class, usual_name_of

TARGET = re.compile(
    r"(y_?)?(target|label|truth|true|ground_?truth|gt|real|expected|clean|reference|ref|wanted|goal)s?(_?(y|output|tensor|img|image|data))?|t|y_?t|y_?true"
)
SETS = re.compile(rf"(set|with|give)_?({TARGET.pattern})")
ESTIMATE = re.compile(r".*(pred|hat|out|estim|prob).*")
NETWORK = re.compile(r"_?(my_?|the_?)?(model|net(work)?|module|nn|seq(uential)?)", re.IGNORECASE)


def takes_network(kind: type) -> str:
    """torch's name for the argument by which a loss may be told its network, though it is None if it is not."""
    named = (p.name for p in parameters_of(kind) or () if p.default is None and NETWORK.fullmatch(p.name))
    return next((meaning(name, ("params", "layers")) or "" for name in named), "")


class Loss:
    """One loss object of the submission; forward(prediction, target) and backward() as torch would have them."""

    def __init__(self, driver, raw, wrapped: bool):
        self.driver, self.raw, self.wrapped = driver, raw, wrapped
        self.given = self.value = None
        self.returned = None  # the gradient, where forward returns it as well
        self.driven = None  # of what the prediction comes, if that is driven

    def exchanged(self) -> bool:
        """Whether the target comes first, as the author's own training has it, or else as the names say."""
        if self.driver.target_first is not None:
            return self.driver.target_first
        named = [
            p.name.lower()
            for p in parameters_of(self.function()) or ()
            if p.name != "self" and p.kind is p.POSITIONAL_OR_KEYWORD
        ]
        if len(named) < 2:
            return False
        first, second = (bool(TARGET.fullmatch(name)) for name in named[:2])
        return (first and not second) or (named[0] == "y" and bool(ESTIMATE.fullmatch(named[1])))

    def forward(self, prediction, target: Tensor):
        """The loss as a tensor or a number."""
        if self.exchanged():
            self.driver.note("loss_order", "the loss takes the target first and the prediction second")
        problem = None
        for both in ((True, True), (True, False), (False, False)) if self.wrapped else ((False, False),):
            self.given = tuple(
                self.put(one, wrapped) for one, wrapped in zip((prediction, target), both, strict=True)
            )
            try:
                self.value = self.called(*(self.given[::-1] if self.exchanged() else self.given))
                break
            except Exception as error:
                problem = problem or error
        else:
            raise problem
        if isinstance(self.value, tuple | list) and len(self.value) == 2:
            self.value, self.returned = self.value
        return tensors.number(self.value)

    def called(self, *both):
        """The forward of both, or of the prediction alone, where the target is set before."""
        if not self.exchanged() and len(required(self.function())) == 1:
            for name in of_class(type(self.raw)):
                if SETS.fullmatch(name.lower()) and len(required(getattr(self.raw, name))) == 1:
                    getattr(self.raw, name)(both[1])
                    return call(self.raw, both[0])
        return self.driver.companions.call(self.raw, *both)

    def function(self):
        return method(self.raw, "forward") if has(self.raw, "forward") else self.raw

    def put(self, one, wrapped: bool):
        """A prediction or target as the loss takes it."""
        if isinstance(one, Tensor):
            return self.driver.tensor(one, wrapped)
        return one if wrapped else tensors.unwrap(one)

    def backward(self, net=None):
        """What the loss's own backward returns, called as it wants to be."""
        if isinstance(self.returned, Tensor):
            return self.returned
        if callable(self.returned):
            return tensors.unwrap(self.returned(*(1.0 for _ in required(self.returned))))
        prediction, target = self.given
        if (found := self.start()) is not None:
            return found[0]
        ordered = (target, prediction) if self.exchanged() else (prediction, target)
        function = self.own_backward()
        needed = required(function)
        ways = {0: ((),), 1: ((net,), (1.0,)) if net is not None else ((1.0,),), 2: (ordered,)}.get(
            len(needed), ((), ordered)
        )
        for i, way in enumerate(ways):
            try:
                returned = function(*way)
                break
            except Exception:
                if i == len(ways) - 1:
                    raise
        return tensors.unwrap(returned)

    def start(self) -> list | None:
        """What a start of a backward outside the loss returned (starters.py), where neither the loss nor what its
        forward returned has a method that is called so; None if there is none.
        """
        if any(not isinstance(one, Tensor) and usual_name_of(one, "backward") for one in (self.raw, self.value)):
            return None
        asked, keep = [self.given[0]], None
        if self.driven is not None:
            asked, keep = starters.asked_of(self.driven)
        self.driver.companions.close()
        started = starters.start(self.driver, self.value, [*self.given, self.raw], asked)
        if keep and started:
            keep(*started)
        return started and started[1]

    def own_backward(self):
        """The method that starts the backward: the loss's, or that of what its forward returned, or the only one that
        is left.
        """
        for one in (self.raw, self.value):
            if not isinstance(one, Tensor) and has(one, "backward"):
                return method(one, "backward")
        left = [name for name in of_class(type(self.raw)) if name not in all_of(self.raw, "forward")]
        if len(left) != 1 or LIST.search(left[0]):
            raise self.driver.Undriven("there is no method for the gradient of the loss")
        return getattr(self.raw, left[0])

    def gradient(self):
        """The gradient with respect to the prediction: what backward returns, or leaves on the prediction."""
        before = snapshot(self.raw, {tensors.unwrap(self.given[0]).numel()})
        returned = self.backward()
        prediction = self.given[0]
        if isinstance(returned, Tensor):
            return returned
        content = tensors.unwrap(prediction)
        left = tensors.gradient_of(prediction, content)
        path = of_input(self.raw, content, before) if left is None else None
        return at(self.raw, path) if path else left

    def behind(self, layer, x: Tensor, target: Tensor, copied: bool) -> Tensor:
        """The gradient of a driven layer's input, of which the loss gets the output itself, or a copy."""
        if layer.tape():
            raise self.driver.Undriven("its backward starts at the loss")
        y = layer.forward(x)
        if isinstance(layer.output, Tensor) and layer.output.shape != y.shape:
            raise self.driver.Undriven("it takes pictures one by one, and its backward makes each output anew")
        self.forward(y.clone() if copied else layer.output, target)
        return layer.backward(self.gradient())

    def gradient_in_a_network(self, prediction: Tensor, target: Tensor):
        """The gradient that reaches a network whose output is `prediction`, where the loss itself returns none: what
        the last layer's backward is given, or what is left on the output. The network is one ReLU, and the values are
        shifted so that it passes them all.
        """
        driven = self.driver.module("ReLU", [], {})
        for net in (driven.raw, self.driver.sequential_of([driven.raw], quietly=True)):
            with contextlib.suppress(Exception):
                found = self.handed_to(net, driven, prediction, target)
                if found is not None:
                    return found
        return None

    def handed_to(self, net, driven, prediction: Tensor, target: Tensor) -> Tensor | None:
        """The same for one network, which is made of one driven module."""
        shift = 1 - float(prediction.min())
        if driven.manner.led:
            driven.forward(prediction + shift)
            loss = self.driver.loss(self.wrapped, driven.net)
            loss.forward(driven.output, target + shift)
            driven.lead.watch()
            loss.backward(driven.net)
            self.driver.unpaired = None
            return driven.of_input()
        spy = Spy(driven.raw)
        self.driver.begin()
        x = self.driver.tensor(prediction + shift, self.wrapped)
        y = self.driver.companions.call(net, x)
        loss = self.driver.loss(self.wrapped, net)
        loss.forward(y, target + shift)
        loss.backward(net)
        self.driver.unpaired = None
        left = (tensors.gradient_of(x, prediction), tensors.gradient_of(y, prediction))
        fitting = (g for g in (spy.given, spy.returned, *left) if isinstance(g, Tensor))
        return next((g for g in fitting if g.shape == prediction.shape), None)
