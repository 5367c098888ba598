"""One module of a submission, used as torch's would be: forward, backward, gradients, whatever it needs for that."""

import contextlib

import torch
from torch import Tensor

from . import backward, gradients, layouts, tensors
from .leaves import at, describe, drawn, type_of
from .manners import Manner, Spy, clears, zero_grad
from .sequentials import backward_takes_target

NAMES = "weight", "bias"


class Driven:
    """A module in a manner. `shapes` are those that torch's weight and bias have; `places` is shared by all modules
    of one class: where its parameters and gradients were found.
    """

    def __init__(self, driver, role: str, raw, shapes: dict[str, tuple], places: dict, manner: Manner):
        self.driver, self.role, self.raw, self.shapes = driver, role, raw, shapes
        self.places, self.manner = places, manner
        self.before: dict = {}
        self.input = self.output = self.upstream = self.spy = None
        self.ready = False
        self.scale = 1.0
        self.net = driver.sequential_of([raw]) if manner.network else None
        self.wants_target = manner.network and backward_takes_target(driver, driver.sequential_way)
        self.cache = self.beside = None  # what forward and backward returned besides
        self.updates: dict[str, Tensor] = {}  # gradients of a module that steps in its backward

    # Parameters -----------------------------------------------------------------------------------

    def tensor(self, name: str) -> Tensor | None:
        """The tensor that holds the weight or bias, as the submission keeps it."""
        path = self.places.get(name)
        if path is None:
            return None
        with contextlib.suppress(LookupError):
            found = at(self.raw, path)
            if isinstance(found, Tensor) and found.numel() == torch.Size(self.shapes.get(name, found.shape)).numel():
                return found
        return None

    def layout(self, name: str) -> layouts.Layout:
        return self.places["layouts"].get(name) or layouts.Layout(tuple(range(len(self.shapes[name]))))

    def parameters(self) -> dict[str, Tensor]:
        """Weight and bias as torch has them; without those that could not be found."""
        found = {name: self.tensor(name) for name in self.shapes}
        return {
            name: self.layout(name).torchs(value.detach(), self.shapes[name])
            for name, value in found.items()
            if value is not None
        }

    def assign(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        """Write weight and bias, given as torch has them, into the tensors that are there; returns what is there."""
        for name, value in values.items():
            own = self.tensor(name)
            if own is not None:
                own.copy_(self.layout(name).own(value, own.shape))
            else:
                setattr(self.raw, name, value)
        return self.parameters()

    # The submission's own interface, for the checks of its conventions --------------------------------

    def tape(self) -> bool:
        """Whether gradients are left on what was passed in rather than returned."""
        return self.manner.back not in ("module", "set") or self.manner.led

    def listed(self):
        """What its own list of parameters returns; raises AttributeError if there is no param()."""
        return drawn(self.raw.param())

    def network(self):
        """The submission's own Sequential of this module."""
        return self.net if self.net is not None else self.driver.sequential_of([self.raw])

    def listed_by_network(self):
        return drawn(self.network().param())

    def lists(self, name: str) -> bool | None:
        """Whether the list of parameters names the weight or bias; None if it is unknown where that is."""
        own = self.tensor(name)
        return None if own is None else self.in_lists(own)[0]

    def attribute(self, name: str):
        return getattr(self.raw, name, None)

    def set_attribute(self, name: str, value: Tensor) -> None:
        setattr(self.raw, name, value)

    def whereabouts(self, name: str) -> str:
        """Where the weight or bias is, as it would be written; empty if that is unknown."""
        return describe(self.places[name]) if name in self.places else ""

    # Use ------------------------------------------------------------------------------------------

    def type(self) -> torch.dtype:
        """The type of the floating-point numbers that it takes."""
        return type_of(self.raw) if self.shapes else torch.get_default_dtype()

    def type_name(self) -> str:
        return str(self.type())

    def raws(self) -> list:
        """The submission's own modules that this one is made of."""
        return [self.raw]

    def prepare(self) -> None:
        """Do once what the module needs before it is used."""
        if self.ready:
            return
        self.ready = True
        if self.type() != torch.get_default_dtype():
            self.driver.note("weights_type", f"the weights are {self.type_name().removeprefix('torch.')}")
        if self.manner.prepare == "train":
            self.raw.train()
        elif self.manner.prepare and not self.zero_grad():
            raise self.driver.Undriven("there is no zero_grad")

    def zero_grad(self) -> bool:
        """Set the gradients to zero in the first way that does; False if the submission has no method for it."""
        called, problem = False, None
        for target in self.clearing():
            try:
                called |= zero_grad(target)
            except Exception as error:
                problem = problem or error
            if called and self.is_clear():
                return True
        if problem and not called:
            raise problem
        return called

    def zero_grad_of_optimiser(self) -> bool:
        """The same by the optimiser alone; False if it has no method for it, or there is no optimiser."""
        kind = self.driver.known("SGD")
        return kind is not None and bool(clears(kind[1])) and self.driver.optimiser(self).zero_grad()

    def clearing(self):
        """What may have a zero_grad, what prepares the module first: itself, the network around it, an optimiser."""
        order = [self.manner.prepare, "module", "network", "optimiser"]
        for one in dict.fromkeys(order):
            if one == "module":
                yield self.raw
            elif one == "network":
                net = self.net if self.net is not None else self.driver.sequential_of([self.raw], quietly=True)
                if net is not None:
                    yield net
            elif one == "optimiser" and (kind := self.driver.known("SGD")) and clears(kind[1]):
                yield from (made.raw for made in self.driver.any_optimisers(self))

    def is_clear(self) -> bool:
        """Whether all gradients are zero, or none."""
        found = [self.own_gradient(name, own) for name in self.shapes if (own := self.tensor(name)) is not None]
        return not any(isinstance(gradient, Tensor) and gradient.any() for gradient in found)

    def forward(self, x: Tensor):
        self.prepare()
        self.driver.begin()
        self.spy = Spy(self.raw) if self.manner.network else None
        self.input = self.driver.tensor(x, self.manner.wrapped, self.type())
        self.output = self.driver.companions.call(self.net if self.manner.network else self.raw, self.input)
        self.driver.end()
        if isinstance(self.output, tuple | list) and len(self.output) == 2 and isinstance(self.output[0], Tensor):
            self.output, self.cache = self.output
        return tensors.unwrap(self.output)

    def again(self) -> None:
        """The last forward once more, as if no backward had followed."""
        self.forward(tensors.unwrap(self.input))

    def parts(self) -> list["Driven"]:
        """The modules with parameters that this one is made of."""
        return [self]

    def backward(self, grad_y: Tensor):
        """The gradient with respect to the input of the last forward; what was returned, if none can be had."""
        x = tensors.unwrap(self.input)
        self.watch(x.numel())
        self.scale, self.upstream = 1.0, grad_y
        returned = backward.asked(self, self.net if self.manner.network else self.raw, grad_y)
        self.driver.unpaired = None
        grad_x = tensors.unwrap(returned)
        seen = self.spy and self.spy.returned
        if grad_x is None and self.manner.back in ("module", "set") and not isinstance(seen, Tensor):
            grad_x = self.kept_gradient(x, self.before)
        if grad_x is not None and returned is None and not isinstance(seen, Tensor):
            self.driver.note("keeps", "backward keeps the gradient of its input rather than to return it")
        candidates = (grad_x, seen, tensors.gradient_of(self.input, x))
        for one in candidates:
            if isinstance(one, Tensor) and one.shape == x.shape:
                return one / self.scale if self.scale != 1.0 else one
        return grad_x

    def watch(self, *sizes: int) -> None:
        """Keep what has the size of a parameter, or one of these, as it is before a backward."""
        sizes = {*sizes, *(torch.Size(shape).numel() for shape in self.shapes.values())}
        if "whole" in self.places:
            sizes.add(self.tensor("whole").numel())
        self.before = gradients.snapshot(self.raw, sizes)
        self.updates.clear()

    def kept_gradient(self, x: Tensor, before: dict) -> Tensor | None:
        """The gradient of the input `x` where the module keeps it; None if it does not."""
        path = self.places.setdefault("input", gradients.of_input(self.raw, x, before))
        with contextlib.suppress(LookupError, TypeError):
            return at(self.raw, path)
        self.places.pop("input")
        return None

    def gradients(self) -> dict[str, object]:
        """The parameters' gradients as torch has them, by parameter; None for one that is not to be found."""
        return {name: self.gradient(name) for name in self.shapes if self.tensor(name) is not None}

    def gradient(self, name: str):
        own, layout = self.tensor(name), self.layout(name)
        found = self.own_gradient(name, own)
        if isinstance(found, Tensor) and found.numel() == own.numel():
            found = layout.torchs(found.detach(), self.shapes[name]) / self.scale
        return found

    def own_gradient(self, name: str, own: Tensor):
        """The gradient as the submission keeps it."""
        if name in self.updates:
            return self.updates[name]
        if "whole" in self.places and name in self.shapes:  # weight and bias are parts of one matrix
            whole = self.own_gradient("whole", self.tensor("whole"))
            return whole[self.places[name][-1][1]] if isinstance(whole, Tensor) and whole.dim() == 2 else None
        if self.beside is not None and (found := gradients.returned(self.beside, name, own)) is not None:
            return found
        where = self.places.setdefault("gradients", {}).get(name)
        if where == "list":
            return self.in_lists(own)[1]
        if where is not None:
            with contextlib.suppress(LookupError):
                return at(self.raw, where)
        listed = self.in_lists(own)[1]
        if isinstance(listed, Tensor) and listed.any():
            self.places["gradients"][name] = "list"
            return listed
        path = gradients.beside(self.raw, self.places[name], own, self.before)
        if path is None or not at(self.raw, path).any():
            return listed
        if listed is not None and not self.driver.steps_along(self, name, at(self.raw, path)):
            return listed  # what is listed is stale, and it is what the optimiser sees
        self.places["gradients"][name] = path
        self.driver.note(
            "gradients_beside", f"the gradient of the {name} is not listed by param(): it is .{describe(path)}"
        )
        return at(self.raw, path)

    def in_lists(self, own: Tensor) -> tuple[bool, object]:
        """Whether the parameter is listed, by the module or by the network around it, and its gradient there."""
        found, gradient = gradients.of_module(self.raw, own)
        if gradient is None:
            net = self.net or self.driver.sequential_of([self.raw], quietly=True)
            inside, gradient = gradients.of_module(net, own) if net is not None else (False, None)
            found |= inside
        return found, gradient
