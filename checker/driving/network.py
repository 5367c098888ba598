"""A Sequential of the submission, made of driven modules: its output, its input's gradient, those of all layers."""

import contextlib

import torch
from torch import Tensor

from . import backward, gradients, tensors
from .manners import BACKS, PREPARATIONS, Manner, Spy, zero_grad
from .module import Driven
from .sequentials import backward_takes_target


class Network:
    """Driven as a module is, with its own manner: a container may want another one than its layers."""

    def __init__(self, driver, layers: list[Driven]):
        self.driver, self.layers = driver, layers
        weights = [layer.parameters() for layer in layers]
        self.raw = self.net = driver.sequential_of([layer.raw for layer in layers])
        for layer, values in zip(layers, weights, strict=True):
            if any(not torch.equal(value, values[name]) for name, value in layer.parameters().items()):
                layer.assign(values)  # a network may make the weights of its layers anew
        self.wants_target = backward_takes_target(driver, driver.sequential_way)
        self.manner: Manner | None = None
        self.spy = self.input = self.output = None
        self.scale = 1.0
        self.cache = self.beside = None
        self.places = {}

    def parts(self) -> list[Driven]:
        return self.layers

    def type(self) -> torch.dtype:
        return self.layers[0].type()

    def raws(self) -> list:
        return [layer.raw for layer in self.layers]

    def prepare(self) -> None:
        if self.manner.prepare == "train":
            self.raw.train()
        elif self.manner.prepare:
            self.zero_grad()

    def zero_grad(self) -> None:
        """Make or clear the gradients of all layers: the network's own way, then each layer's."""
        if self.manner.prepare == "optimiser":
            for made in self.driver.any_optimisers(self):
                with contextlib.suppress(Exception):
                    zero_grad(made.raw)
        elif not (self.manner.prepare == "network" and zero_grad(self.raw)):
            for layer in self.layers:
                zero_grad(layer.raw)

    def forward(self, x: Tensor):
        """The output alone."""
        self.driver.begin()
        wrapped = self.layers[0].manner.wrapped
        x = self.driver.tensor(x, wrapped, self.type())
        if self.layers[0].manner.single:
            return torch.stack([tensors.unwrap(self.driver.companions.output(self.raw, one)).clone() for one in x])
        self.input = x
        self.again()
        return tensors.unwrap(self.output)

    def run(self, x: Tensor, grad_y: Tensor) -> dict[str, object]:
        """What `run_once` finds; picture by picture where a module takes one at a time."""
        if not self.layers[0].manner.single:
            return self.run_once(x, grad_y)
        found = [copies(self.run_once(*one)) for one in zip(x, grad_y, strict=True)]
        whole = dict(found[0])
        for name in (name for name, value in whole.items() if isinstance(value, Tensor)):
            values = [one[name] for one in found]
            whole[name] = sum(values) if name.startswith("weight") else torch.stack(values)
        return whole

    def run_once(self, x: Tensor, grad_y: Tensor) -> dict[str, object]:
        """Forward and backward in the first manner in which the gradients reach the layers: "forward", "input", and
        for every layer with parameters "weight I"; None for what can't be had. Raises what the assignment's own way
        raised if none works.
        """
        best, problem = None, None
        first = self.layers[0].manner
        for manner in dict.fromkeys(self.manners(first)):
            self.manner = manner
            try:
                found = self.attempt(x, grad_y)
            except Exception as error:
                problem = problem or error
                continue
            if best is None or filled(found) > filled(best):
                best = found
                if filled(found) == len(found) - 1:  # "unlisted" is no tensor
                    break
        if best is None:
            raise problem
        return best

    def manners(self, first: Manner):
        wrapped = first.wrapped
        for prepare in dict.fromkeys(("", first.prepare, *PREPARATIONS)):
            for back in BACKS:
                yield Manner(back, True, wrapped, prepare)

    def attempt(self, x: Tensor, grad_y: Tensor) -> dict[str, object]:
        self.clear()
        self.prepare()
        self.scale, self.beside = 1.0, None
        for layer in self.layers:
            layer.updates.clear()
        spies = [Spy(layer.raw) for layer in self.layers]
        self.spy = spies[-1] if spies else None
        self.input = self.driver.tensor(x, self.manner.wrapped, self.type())
        self.again()
        found = {"forward": tensors.unwrap(self.output)}
        before = gradients.snapshot(self.layers[0].raw, {x.numel()})
        returned = tensors.unwrap(backward.asked(self, self.raw, grad_y))
        self.driver.unpaired = None
        left = tensors.gradient_of(self.input, x), self.layers[0].kept_gradient(x, before)
        candidates = (returned, spies and spies[0].returned, *left)
        found["input"] = next((g for g in candidates if isinstance(g, Tensor) and g.shape == x.shape), None)
        if not (isinstance(returned, Tensor) and returned.shape == x.shape):
            self.driver.note("sequential_returns", "Sequential.backward does not return the gradient of its input")
        for i, layer in enumerate(layer for layer in self.layers if layer.shapes):
            layer.scale, layer.beside = 1.0, self.beside
            kept, layer.net = layer.net, self.raw
            found[f"weight {i + 1}"] = layer.gradient("weight")
            layer.net = kept
        found["unlisted"] = self.unlisted()
        if self.scale != 1.0:
            found = {k: v / self.scale if k != "forward" and isinstance(v, Tensor) else v for k, v in found.items()}
        return found

    def again(self) -> None:
        """A forward pass of the input."""
        self.driver.begin()
        self.output = self.driver.companions.call(self.raw, self.input)
        if isinstance(self.output, tuple | list) and len(self.output) == 2 and isinstance(self.output[0], Tensor):
            self.output, self.cache = self.output

    def unlisted(self) -> list[int]:
        """The layers with parameters, from 1, that the network's own list leaves out while it names others."""
        own = gradients.listed(self.raw)
        weights = [layer.tensor("weight") for layer in self.layers if "weight" in layer.places]
        named = [weight is None or gradients.in_list(own, weight)[0] for weight in weights]
        return [i + 1 for i, there in enumerate(named) if not there] if any(named) else []

    def clear(self) -> None:
        """Set what gradients there are to zero, so that every attempt starts afresh."""
        for layer in self.layers:
            for name in layer.shapes:
                own = layer.tensor(name)
                gradient = layer.own_gradient(name, own) if own is not None and "gradients" in layer.places else None
                if isinstance(gradient, Tensor):
                    gradient.zero_()


def copies(found: dict) -> dict[str, object]:
    return {name: value.clone() if isinstance(value, Tensor) else value for name, value in found.items()}


def filled(found: dict) -> int:
    """How many of the values are there, and are not all zero."""
    return sum(isinstance(value, Tensor) and bool(torch.any(value != 0)) for value in found.values())
