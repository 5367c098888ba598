"""A submission as one interface: finds the manner that it wants once, and then uses every module in it."""

import contextlib
import dataclasses

import torch
from torch import Tensor

from . import gradients, optimisers, tensors, upsampling
from .building import build
from .losses import Loss
from .leaves import at, held
from .manners import Manner, all_manners, call, zero_grad
from .module import Driven
from .network import Network
from .roles import Classes

ARGUMENTS = {
    "Conv2d": ("in_channels", "out_channels", "kernel_size", "stride", "padding"),
    "TransposeConv2d": ("in_channels", "out_channels", "kernel_size", "stride", "padding"),
    "NearestUpsampling": ("scale_factor",),
}
CONVOLUTION = {"stride": 1, "padding": 0, "dilation": 1, "bias": True, "output_padding": 0, "groups": 1}
OF_ITS_OWN = {"bias": True, "dilation": 1, "groups": 1}  # it may double by a stride, and pad as it likes
TRIALS = {  # (arguments, input's shape), tried until one works: square and oblong, one picture and several
    "Conv2d": (((3, 5, 2), (2, 3, 6, 6)), ((3, 5, 2, 2), (2, 3, 6, 6)), ((3, 5, 3, 1, 1), (1, 3, 6, 6))),
    "TransposeConv2d": (((3, 5, 2), (2, 3, 4, 4)), ((3, 5, 2, 2), (2, 3, 4, 4)), ((3, 5, 4, 2, 1), (1, 3, 4, 4))),
    "NearestConv": (((3, 5, 3), (2, 3, 4, 4)), ((3, 5, 3), (1, 3, 4, 4))),
    "NearestUpsampling": (((2,), (2, 3, 4, 4)), ((2,), (1, 3, 4, 4))),
    "ReLU": (((), (2, 3, 4, 4)),),
    "Sigmoid": (((), (2, 3, 4, 4)),),
}
ROLES = "Conv2d", "TransposeConv2d", "NearestUpsampling", "Upsampling", "ReLU", "Sigmoid", "Sequential", "MSE", "SGD"
COMPLETE = 4  # how well a manner works: gradients of the parameters and of the input


class Undriven(Exception):
    """No manner was found in which this can be used: says nothing about whether it is right."""


class Driver:
    Undriven = Undriven

    def __init__(self, module, folder: str):
        self.classes = Classes(module, folder)
        self.tensor_class = tensors.own_class(self.classes)
        self.notes: dict[str, str] = {}
        self.manners: dict[str, Manner] = {}
        self.places: dict[str, dict] = {}
        self.kinds: dict[str, tuple[str, type] | None] = {}
        self.factors: dict[str, int] = {}  # of upsamplings, where they don't say
        self.optimiser_way: int | None = None
        self.sequential_way: int | None = None
        self.searching: set[str] = set()

    def note(self, code: str, sentence: str) -> None:
        """What is unlike the assignment's conventions, told once."""
        self.notes.setdefault(code, sentence)

    def tensor(self, x, wrapped: bool = False):
        """A tensor as the submission's modules take it: of the type of its weights, and in its own class if it wants."""
        if not isinstance(x, Tensor):
            return x
        x = x.to(torch.get_default_dtype()) if x.is_floating_point() else x
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
        upsamplings = [kinds.pop(role) for role in ("TransposeConv2d", "NearestUpsampling", "Upsampling")]
        for name, kind in dict.fromkeys(pair for pair in upsamplings if pair):
            role, factor = upsampling.recognise(self, name, kind)
            kinds.setdefault(role, (name, kind))
            self.factors.setdefault(role, factor)
        return kinds

    def raw(self, role: str, args: list, kwargs: dict):
        """An object of the class that plays a role, built from torch's arguments."""
        kind = self.class_of(role)[1]
        names = ARGUMENTS.get("Conv2d" if role == "NearestConv" else role, ())
        given = dict(zip(names, args, strict=False)) | kwargs
        defaults = {} if len(names) < 2 else OF_ITS_OWN if role == "NearestConv" else CONVOLUTION
        try:
            return build(kind, given, defaults)
        except Exception:
            if "kernel_size" not in given or isinstance(given["kernel_size"], tuple):
                raise
            in_pairs = {k: (v, v) if k in ("kernel_size", "stride", "padding", "dilation") else v for k, v in given.items()}
            with contextlib.suppress(Exception):
                made = build(kind, in_pairs, defaults)
                self.note("pairs_only", f"{kind.__name__} takes its sizes as pairs only")
                return made
            raise

    def shapes(self, role: str, args: list, kwargs: dict) -> dict[str, tuple]:
        """The shapes of torch's weight and bias for these arguments."""
        if role not in ("Conv2d", "TransposeConv2d", "NearestConv"):
            return {}
        given = dict(zip(ARGUMENTS["Conv2d"], args, strict=False)) | kwargs
        k, i, o = given["kernel_size"], given["in_channels"], given["out_channels"]
        k = tuple(k) if isinstance(k, tuple | list) else (k, k)
        rows = (i, o) if role == "TransposeConv2d" else (o, i)
        return {"weight": (*rows, *k)} | ({"bias": (o,)} if given.get("bias", True) else {})

    # Modules --------------------------------------------------------------------------------------

    def module(self, role: str, args: list, kwargs: dict) -> Driven:
        """A module of a role in the manner that the submission wants; searched for at the first call."""
        if role not in self.manners and role not in self.searching:
            self.searching.add(role)
            self.manners[role] = self.search(role)
            self.searching.discard(role)
        return self.made(role, args, kwargs, self.manners.get(role, Manner()))

    def made(self, role: str, args: list, kwargs: dict, manner: Manner) -> Driven:
        places = self.places.setdefault(role, {"layouts": {}})
        return Driven(self, role, self.raw(role, args, kwargs), self.shapes(role, args, kwargs), places, manner)

    def search(self, role: str) -> Manner:
        """The first manner that gives all gradients, or else the one that gives most."""
        known = [manner for manner in dict.fromkeys(self.manners.values())]
        candidates = [*known, *(m for m in all_manners(self.tensor_class is not None) if m not in known)]
        best, quality, found = Manner(), 0, {}
        for arguments, shape in TRIALS[role]:
            for manner in candidates:
                self.places[role] = {"layouts": {}}
                reached = self.quality(role, arguments, shape, manner)
                if reached > quality:
                    best, quality, found = manner, reached, self.places[role]
                if quality == COMPLETE:
                    break
            if quality == COMPLETE:
                break
        self.places[role] = found or {"layouts": {}}
        if quality >= 2 and str(best):
            self.note("manner", f"gradients are had only so: {best}")
        return best

    def quality(self, role: str, arguments: tuple, shape: tuple, manner: Manner) -> int:
        """How far one manner gets: 0 nowhere, 1 forward, 2 backward, 3 gradients of the parameters or the input, 4 both."""
        names = ARGUMENTS.get("Conv2d" if role == "NearestConv" else role, ())
        given = dict(zip(names, arguments, strict=False))
        reached = 0
        try:
            driven = self.made(role, [], given, manner)
            x = torch.empty(shape).uniform_(-1, 1)
            y = driven.forward(x)
            if not isinstance(y, Tensor):
                return 0
            reached = 1
            self.locate(driven, x)
            driven.forward(x)
            grad_x = driven.backward(torch.empty(y.shape).uniform_(-1, 1))
            reached = 2
            of_parameters = [driven.gradient(name) for name in driven.shapes if driven.tensor(name) is not None]
            complete = all(isinstance(g, Tensor) and g.any() and g.isfinite().all() for g in of_parameters)
            returned = isinstance(grad_x, Tensor) and grad_x.shape == x.shape
            return 2 + complete * (len(of_parameters) == len(driven.shapes)) + returned
        except Exception:
            return reached

    def locate(self, driven: Driven, x: Tensor) -> None:
        """Find where a module keeps its weight and bias, by what makes a difference to its output."""
        for name, shape in driven.shapes.items():
            if name in driven.places:
                continue

            def influences(leaf: Tensor) -> bool:
                before, kept = tensors.unwrap(driven.forward(x)), leaf.clone()
                before = before.clone()
                try:
                    leaf.add_(torch.empty(leaf.shape, dtype=leaf.dtype).uniform_(0.5, 1))
                    return not torch.equal(tensors.unwrap(driven.forward(x)), before)
                finally:
                    leaf.copy_(kept)

            path = gradients.find(driven.raw, name, shape, influences)
            if path is not None:
                driven.places[name] = path
                layout = gradients.layout_of(driven.tensor(name), shape)
                driven.places["layouts"][name] = layout
                if layout and layout.name and name == "weight" and driven.role == "TransposeConv2d":
                    layout = driven.places["layouts"][name] = self.as_it_is_read(driven, layout)
                if layout and layout.name:
                    self.note(f"layout_{name}", f"{type(driven.raw).__name__} keeps its {name} as {layout.name}")

    def as_it_is_read(self, driven: Driven, layout: gradients.Layout) -> gradients.Layout:
        """The layout of a transposed convolution's weight, flipped if that is what one pixel leaves in the output: so
        it is where zeros are put between the pixels, and a plain convolution follows.
        """
        shape = driven.shapes["weight"]
        zero = torch.zeros(1, shape[0], 5, 5)
        one = zero.clone()
        one[0, 0, 2, 2] = 1
        left = driven.forward(one).clone() - driven.forward(zero)
        rows, columns = ((left != 0).flatten(0, 1).any(0).any(axis).nonzero().flatten() for axis in (1, 0))
        if not len(rows) or int(rows[-1] - rows[0]) + 1 != shape[2] or int(columns[-1] - columns[0]) + 1 != shape[3]:
            return layout
        left = left[0, :, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        flipped = dataclasses.replace(layout, flipped=True)
        fits = [torch.allclose(one.torchs(driven.tensor("weight"), shape)[0], left, atol=1e-4) for one in (layout, flipped)]
        return flipped if fits == [False, True] else layout

    # What is made of modules ----------------------------------------------------------------------

    def sequential_of(self, raws: list, quietly: bool = False):
        """The submission's Sequential of these modules, built in the way in which two of them make a network."""
        try:
            kind = self.class_of("Sequential")[1]
            if self.sequential_way is None:
                self.sequential_way = self.way_to_put_together(kind)
            return SEQUENTIALS[self.sequential_way](kind, raws)
        except Exception:
            if quietly:
                return None
            raise

    def way_to_put_together(self, kind: type) -> int:
        """The first way of building a network in which two activations do what one does."""
        wrapped = self.manners["ReLU"].wrapped if "ReLU" in self.manners else False
        x = torch.full((1, 2, 3, 3), 0.5)
        for way, build_in in enumerate(SEQUENTIALS):
            for in_own_class in dict.fromkeys((wrapped, self.tensor_class is not None)):
                with contextlib.suppress(Exception):
                    net = build_in(kind, [self.raw("ReLU", [], {}), self.raw("ReLU", [], {})])
                    y = tensors.unwrap(call(net, "forward", self.tensor(x, in_own_class)))
                    if isinstance(y, Tensor) and y.shape == x.shape:
                        return way
        return 0

    def network(self, layers: list[Driven]) -> Network:
        """A Sequential of driven modules, itself driven."""
        return Network(self, layers)

    def loss(self) -> Loss:
        kind = self.class_of("MSE")[1]
        wrapped = self.tensor_class is not None and any(manner.wrapped for manner in self.manners.values())
        return Loss(self, build(kind, {}, {}), wrapped)

    def optimiser(self, driven, lr: float = 1e-3, more: dict | None = None) -> optimisers.Optimiser:
        """An optimiser for a driven module or network, built in the way in which a step changes the weights."""
        if self.optimiser_way is None:
            self.optimiser_way = 0  # while it is searched for
            self.optimiser_way = self.way_to_step()
        return self.built_optimiser(driven, self.optimiser_way, lr, more or {})

    def any_optimisers(self, driven):
        """Optimisers for a driven module in all ways in which one can be built, as long as it is not known which works."""
        if self.optimiser_way is not None:
            yield self.optimiser(driven)
            return
        for way in range(optimisers.WAYS):
            with contextlib.suppress(Exception):
                yield self.built_optimiser(driven, way, 1e-3, {})

    def built_optimiser(self, driven, way: int, lr: float, more: dict) -> optimisers.Optimiser:
        kind = self.class_of("SGD")[1]
        net = driven.net if driven.net is not None else self.sequential_of([driven.raw], quietly=True)
        net = driven.raw if net is None else net
        said, arguments = optimisers.ways(net, driven.raw, lr, more)[way]
        sources = {"lr": lr, "net": net, "param": lambda: gradients.listed(net)}
        return optimisers.Optimiser(optimisers.construct(kind, arguments()), sources, said)

    def way_to_step(self) -> int:
        """The first way of building the optimiser in which a step of it changes a convolution's weights; else the
        first one in which it can be built.
        """
        role = next((role for role in ("Conv2d", "TransposeConv2d", "NearestConv") if self.known(role)), "Conv2d")
        buildable = []
        for way in range(optimisers.WAYS):
            for arguments, shape in TRIALS[role]:
                with contextlib.suppress(Exception):
                    driven = self.module(role, list(arguments), {})
                    made = self.built_optimiser(driven, way, 0.5, {})
                    buildable.append(way)
                    before = {name: value.clone() for name, value in driven.parameters().items()}
                    y = driven.forward(torch.empty(shape).uniform_(-1, 1))
                    driven.backward(torch.empty(y.shape).uniform_(-1, 1))
                    made.step()
                    if any(not torch.equal(before[name], value) for name, value in driven.parameters().items()):
                        return way
        return buildable[0] if buildable else 0

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

    def own_step(self) -> dict:
        """One step of the Model's own train(), on one picture: "steps", (change, gradient) of every weight whose place
        is known from other modules of its class, and "cleared": whether a zero_grad of the Model sets them to zero
        (None if it has none).
        """
        model = self.classes.exported["Model"]()
        kinds = {kind[1]: role for role in ("Conv2d", "TransposeConv2d", "NearestConv") if (kind := self.known(role))}
        layers = [(found, self.places.get(kinds[type(found)], {})) for found in held(model) if type(found) in kinds]
        driven = [
            Driven(self, "", layer, {"weight": tuple(at(layer, places["weight"]).shape)}, places | {"layouts": {}}, Manner())
            for layer, places in layers
            if "weight" in places
        ]
        before = [one.tensor("weight").clone() for one in driven]
        pictures = torch.rand(1, 3, 32, 32) * 255
        model.train(pictures, pictures.flip(3), 1)
        steps = []
        for one, old in zip(driven, before, strict=True):
            new = one.tensor("weight")
            gradient = one.own_gradient("weight", new)
            if isinstance(gradient, Tensor) and gradient.any():
                steps.append((new - old, gradient.reshape(new.shape).clone()))
        cleared = all(one.is_clear() for one in driven) if zero_grad(model) else None
        return {"steps": steps, "cleared": cleared}

    def facts(self) -> dict:
        """What is to be known of the submission's conventions: names, types, notes."""
        return {
            "roles": {role: (pair[0] if pair else None) for role in (*TRIALS, "Sequential", "MSE", "SGD") for pair in [self.known(role)]},
            "factors": dict(self.factors),
            "exported": sorted(self.classes.exported),
            "dtype": str(torch.get_default_dtype()).removeprefix("torch."),
            "notes": dict(self.notes),
        }

    def known(self, role: str):
        with contextlib.suppress(LookupError):
            return self.class_of(role)
        return None


SEQUENTIALS = (
    lambda kind, raws: kind(*raws),
    lambda kind, raws: kind(list(raws)),
    lambda kind, raws: appended(kind, raws),
)


def appended(kind: type, raws: list):
    """An empty network to which the modules are added one by one."""
    net = kind()
    for name in ("add", "append", "add_module", "add_layer", "appendLayer", "append_layer"):
        method = getattr(net, name, None)
        if callable(method):
            for raw in raws:
                method(raw)
            return net
    raise Undriven("there is no method to add a layer with")
