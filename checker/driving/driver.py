"""A submission as one interface: finds the manner that it wants once, and then uses every module in it."""

import contextlib
import functools

import torch
from torch import Tensor

from . import functions, optimisers, tensors, upsampling, variants, visitors
from .building import ARGUMENTS, CONVOLUTION, OF_ITS_OWN, Unsupported, asks_for_more, build, meaning, required, shapes
from .companions import Companions
from .leading import Led
from .leaves import held
from .losses import Loss, takes_network
from .manners import Manner
from .module import Driven
from .network import Network
from .roles import ROLES, Classes
from .search import TRIALS, search
from .sequentials import SEQUENTIALS, way_to_put_together
from .singles import Single
from .state import State, without_a_trace
from .training import target_first
from .usage import Usage


class Undriven(Exception):
    """No manner was found in which this can be used: says nothing about whether it is right."""


class Driver:
    Undriven = Undriven

    def __init__(self, module, folder: str):
        self.classes = Classes(module, folder)
        self.usage = Usage(self.classes)
        self.notes: dict[str, str] = {}
        self.manners: dict[str, Manner] = {}
        self.places: dict[str, dict] = {}
        self.kinds: dict[str, tuple[str, type] | None] = {}
        self.upsamplings: dict[str, upsampling.Found] = {}
        self.exchanged: set[str] = set()  # roles of which the constructor takes the output's channels first
        self.without_bias: set[str] = set()  # roles of convolutions that have no bias at all
        self.led_by: tuple[Manner, dict] | None = None  # how convolutions give the gradients of their weights
        self.optimiser_way = self.sequential_way = None  # which of all ways, by their number
        self.paths = None  # to the parameters of a Model (whole.py)
        self.step_kinds: tuple[str, ...] | None = None  # of what an optimiser's step is given, once that is known
        self.searching: set[str] = set()
        self.companions, self.starter = Companions(self), ""  # what goes with a forward; what starts a backward
        self.with_convolution: set[str] = set()  # roles of modules that hold the submission's own Conv2d
        self.unpaired: State | None = None  # from before the last forward pass, until a backward has followed it

    @functools.cached_property
    def tensor_class(self) -> type | None:
        """The submission's own class of tensors; not looked for while it is imported, since its code is run."""
        return without_a_trace(self.classes, lambda own: tensors.own_class(own, self.companions.call))

    def note(self, code: str, sentence: str) -> None:
        """What is unlike the assignment's conventions, told once."""
        self.notes.setdefault(code, sentence)

    def begin(self) -> None:
        """Start a forward pass; what one without a backward has left before is undone."""
        if self.unpaired:
            self.unpaired.put_back()
        self.unpaired = State(self.classes.modules, self.classes.is_own)
        self.companions.renew()

    def end(self) -> None:
        """End a forward pass."""
        self.unpaired.end()

    def tensor(self, x, wrapped: bool = False, kind: torch.dtype | None = None):
        """A tensor as the modules take it: of the type of their weights (`kind`; else the default one), and in their
        own class if they want that.
        """
        if not isinstance(x, Tensor):
            return x
        x = x.to(kind or torch.get_default_dtype()) if x.is_floating_point() else x
        return tensors.wrap(self.tensor_class, x) if wrapped else x

    # Classes --------------------------------------------------------------------------------------

    def class_of(self, role: str) -> tuple[str, type]:
        """(name, class) of what plays a role; raises LookupError if nothing does."""
        if not self.kinds:
            self.kinds = self.resolved()
        if self.kinds.get(role) is None:
            raise LookupError(f"there is no {role}")
        return self.kinds[role]

    def resolved(self) -> dict[str, tuple[str, type] | None]:
        """What plays each role. An upsampling has the role of what it computes, whatever its name is."""
        kinds = {role: self.classes.of_role(role) for role in ROLES}
        for role in (role for role in ROLES if kinds[role] is None):
            kinds[role] = variants.as_class(self, role) or without_a_trace(
                self.classes, lambda own, role=role: functions.as_factory(own, role) or functions.as_class(own, role)
            )
        visitors.complete(self, kinds)
        upsamplings = [kinds.pop(role) for role in ("TransposeConv2d", "NearestUpsampling", "Upsampling")]
        handed_in = sorted(
            (pair for pair in upsamplings if pair), key=lambda pair: pair[0] not in self.classes.exported
        )
        for name, kind in dict.fromkeys(handed_in):
            found = upsampling.recognise(self, name, kind)
            kinds.setdefault(found.role, (name, kind))
            self.upsamplings.setdefault(found.role, found)
        return kinds

    def raw(self, role: str, args: list, kwargs: dict):
        """An object of the class that plays a role, built from torch's arguments, and for inputs of "input_shape"
        where it wants to know.
        """
        kind = self.class_of(role)[1]
        kwargs = dict(kwargs)
        size = {"input_shape": kwargs.pop("input_shape")} if "input_shape" in kwargs else {}
        names = ARGUMENTS.get("Conv2d" if role == "NearestConv" else role, ())
        given = dict(zip(names, args, strict=False)) | kwargs
        if role in self.exchanged:
            given |= {"in_channels": given["out_channels"], "out_channels": given["in_channels"]}
        defaults = {} if len(names) < 2 else OF_ITS_OWN if role == "NearestConv" else CONVOLUTION
        if found := self.upsamplings.get(role):
            given = {name: value for name, value in given.items() if found.fixed.get(name) != value} | found.always
        try:
            return build(kind, given | size, defaults, self.seen(kind))
        except Exception:
            if "kernel_size" not in given or isinstance(given["kernel_size"], tuple):
                raise
            in_pairs = {
                k: (v, v) if k in ("kernel_size", "stride", "padding", "dilation") else v for k, v in given.items()
            }
            with contextlib.suppress(Exception):
                made = build(kind, in_pairs | size, defaults, self.seen(kind))
                self.note("pairs_only", f"{kind.__name__} takes its sizes as pairs only")
                return made
            raise

    def seen(self, kind: type) -> dict[str, object]:
        """What the author gives to a class that asks for more than torch's, by the names of its arguments."""
        return self.usage.arguments(kind) if asks_for_more(kind) else {}

    def shapes(self, role: str, args: list, kwargs: dict) -> dict[str, tuple]:
        """The shapes of torch's weight and bias for these arguments; no bias where this submission has none."""
        without = {"bias": False} if role in self.without_bias else {}
        return shapes(role, args, kwargs | without)

    # Modules --------------------------------------------------------------------------------------

    def module(self, role: str, args: list, kwargs: dict) -> Driven:
        """A module of a role in the manner that the submission wants; searched for at the first call."""
        if role not in self.manners and role not in self.searching:
            self.searching.add(role)
            self.manners[role] = search(self, role)
            self.searching.discard(role)
        driven = self.made(role, args, kwargs, self.manners.get(role, Manner()))
        conv = self.known("Conv2d")
        if conv and role != "Conv2d" and any(isinstance(one, conv[1]) for one in held(driven.raw)[1:]):
            self.with_convolution.add(role)
        if any(name in driven.places and driven.tensor(name) is None for name in driven.shapes):
            channels = driven.shapes["weight"][0 if role == "TransposeConv2d" else 1]
            with contextlib.suppress(Exception):  # its weights are made by the first forward
                driven.forward(torch.zeros(1, channels, 8, 8))
        return driven

    def made(self, role: str, args: list, kwargs: dict, manner: Manner) -> Driven:
        places = self.places.setdefault(role, {"layouts": {}})
        kind = Led if manner.led else Single if manner.single else Driven
        return kind(self, role, self.raw(role, args, kwargs), self.shapes(role, args, kwargs), places, manner)

    def lead(self, args: list, kwargs: dict) -> Driven:
        """A convolution that is put before a module."""
        manner, places = self.led_by
        return Driven(
            self, "Conv2d", self.raw("Conv2d", args, kwargs), self.shapes("Conv2d", args, kwargs), places, manner
        )

    # What is made of modules ----------------------------------------------------------------------

    def sequential_of(self, raws: list, quietly: bool = False):
        """The submission's Sequential of these modules, built in the way in which two of them make a network."""
        try:
            kind = self.class_of("Sequential")[1]
            if self.sequential_way is None:
                self.sequential_way = way_to_put_together(self, kind)
            return SEQUENTIALS[self.sequential_way](self, kind, raws)
        except Exception:
            if quietly:
                return None
            raise

    def network(self, layers: list[Driven]) -> Network:
        """A Sequential of driven modules, itself driven."""
        return Network(self, layers)

    @functools.cached_property
    def target_first(self) -> bool | None:
        """Whether the loss takes the target first in the Model's own training; None if that is not to be seen."""
        return target_first(self)

    def loss(self, wrapped: bool | None = None, net=None) -> Loss:
        """The submission's loss; `wrapped` says whether it is given tensors of the submission's own class. If the
        network holds a loss, it is that one, and if a loss wants to know its network, `net`.
        """
        if wrapped is None:
            self.begin()
            wrapped = any(manner.wrapped for manner in self.manners.values())
        kind = self.class_of("MSE")[1]
        own = next((found for found in held(net) if type(found) is kind), None) if net is not None else None
        if own is None:
            wants_one = next(filter(None, (meaning(p.name, ("params", "layers")) for p in required(kind))), "")
            net = self.sequential_of([self.raw("ReLU", [], {})], quietly=True) if net is None and wants_one else net
            wants_one = wants_one or (net is not None and takes_network(kind))
            own = build(kind, {wants_one: net} if wants_one else {}, {}, self.seen(kind))
        return Loss(self, own, wrapped)

    def optimiser(
        self,
        driven,
        lr: float = 1e-3,
        more: dict | None = None,
        way: int | None = None,
        neutral: tuple[float, ...] = (),
    ) -> optimisers.Optimiser:
        """An optimiser for a driven module or network, built in the way in which a step changes the weights, or in
        another `way`; what it takes of which no name tells what it is may be set to something `neutral`.
        """
        if self.optimiser_way is None:
            self.optimiser_way = 0  # while it is searched for
            self.optimiser_way = optimisers.way_to_step(self)
        return self.built_optimiser(driven, self.optimiser_way if way is None else way, lr, more or {}, neutral)

    def any_optimisers(self, driven):
        """Optimisers for a driven module, in all ways in which one can be built until it is known which works."""
        if self.optimiser_way is not None:
            yield self.optimiser(driven)
            return
        for way in range(optimisers.WAYS):
            with contextlib.suppress(Exception):
                yield self.built_optimiser(driven, way, 1e-3, {})

    def built_optimiser(
        self, driven, way: int, lr: float, more: dict, neutral: tuple[float, ...] = ()
    ) -> optimisers.Optimiser:
        net = driven.net if driven.net is not None else self.sequential_of([driven.raw], quietly=True)
        net = driven.raw if net is None else net
        if way == optimisers.AT_ONCE:
            if more:
                raise Unsupported("a backward that steps at once takes a learning rate alone")
            return optimisers.AtOnce(None, driven, net, lr)
        kind = self.class_of("SGD")[1]
        arguments = optimisers.ways(net, driven.raws(), lr, more)[way]()
        if any(meaning(p.name, ("loss",)) for p in required(kind)):
            arguments["loss"] = self.class_of("MSE")[1]()
        raw = optimisers.construct(kind, arguments, neutral, self.seen(kind))
        return optimisers.Optimiser(raw, driven, net, lr)

    def steps_along(self, driven, name: str, gradient: Tensor) -> bool:
        """Whether a step of the optimiser follows this gradient."""
        own = driven.tensor(name)
        kept, along = own.clone(), gradient.detach().clone()
        try:
            self.optimiser(driven, lr=0.5).step()
            moved = (own - kept).flatten().double()
            return torch.allclose(moved, -0.5 * along.flatten().double(), rtol=1e-3, atol=1e-6)
        except Exception:
            return False
        finally:
            own.copy_(kept)

    def facts(self) -> dict:
        """What is to be known of the submission's conventions: names, types, notes."""
        return {
            "roles": {
                role: (pair[0] if pair else None)
                for role in (*TRIALS, "Sequential", "MSE", "SGD")
                for pair in [self.known(role)]
            },
            "factors": {role: found.factor for role, found in self.upsamplings.items()},
            "fixed": {role: found.fixed for role, found in self.upsamplings.items()},
            "with_convolution": sorted(self.with_convolution),
            "without_bias": sorted(self.without_bias),
            "enlarging": upsampling.geometries(self),
            "led": sorted(role for role, manner in self.manners.items() if manner.led),
            "tape": any(manner.back in ("loss", "left") for manner in self.manners.values()),
            "optimiser_ways": optimisers.WAYS,
            "functions": [r for r in ROLES if (own := self.known(r)) and hasattr(own[1], "as_made")],
            "exported": sorted(self.classes.exported),
            "dtype": str(torch.get_default_dtype()).removeprefix("torch."),
            "notes": dict(self.notes),
        }

    def known(self, role: str):
        with contextlib.suppress(LookupError):
            return self.class_of(role)
        return None
