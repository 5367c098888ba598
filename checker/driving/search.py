"""The search for the manner that a class wants, and for the places of its parameters, by trials on small inputs."""

import dataclasses

import torch
from torch import Tensor

from . import gradients, layouts, tensors
from .building import meaning, parameters_of
from .leaves import leaves
from .manners import BACKS, Manner, all_manners
from .sequentials import AS_ITS_AUTHOR

TRIALS = {  # (arguments, input's shape), tried until one works: square and oblong, one picture and several
    "Conv2d": (((3, 5, 2), (2, 3, 6, 6)), ((3, 5, 2, 2), (2, 3, 6, 6)), ((3, 5, 3, 1, 1), (1, 3, 6, 6))),
    "TransposeConv2d": (((3, 5, 2), (2, 3, 4, 4)), ((3, 5, 2, 2), (2, 3, 4, 4)), ((3, 5, 4, 2, 1), (1, 3, 4, 4))),
    "NearestConv": (((3, 5, 3), (2, 3, 4, 4)), ((3, 5, 3), (1, 3, 4, 4))),
    "NearestUpsampling": (((2,), (2, 3, 4, 4)), ((2,), (1, 3, 4, 4))),
    "ReLU": (((), (2, 3, 4, 4)),),
    "Sigmoid": (((), (2, 3, 4, 4)),),
}
WITH_CHANNELS = "Conv2d", "TransposeConv2d", "NearestConv"
COMPLETE = 4  # how well a manner works: gradients of the parameters and of the input


def search(driver, role: str) -> Manner:
    """The first manner that gives all gradients, or else the one that gives most."""
    best, quality, found = tried(driver, role)
    if quality < 2:
        single = [manner._replace(single=True) for manner in all_manners(False) if not manner.network]
        other = tried(driver, role, single)
        if other[1] > quality:
            best, quality, found = other
    if not quality and role in WITH_CHANNELS:
        driver.exchanged.add(role)
        best, quality, found = tried(driver, role)
        if quality:
            driver.note("exchanged", f"{driver.class_of(role)[0]} takes the number of output channels first")
        else:
            driver.exchanged.discard(role)
    if quality < COMPLETE and driver.known("Sequential"):
        usual, driver.sequential_way = driver.sequential_way, AS_ITS_AUTHOR
        other = tried(driver, role)
        if other[1] > quality:
            best, quality, found = other
        else:
            driver.sequential_way = usual
    if role == "Conv2d":
        driver.led_by = best, found
    if quality < COMPLETE and driver.known("Sequential") and driver.led_by:
        led = (Manner(back, True, best.wrapped, best.prepare, led=True) for back in BACKS)
        other = tried(driver, role, list(led))
        if other[1] > quality:
            best, quality, found = other
    driver.places[role] = found or {"layouts": {}}
    if quality >= 2 and str(best):
        driver.note("manner", f"gradients are had only so: {best}")
    return best


def tried(driver, role: str, candidates: list[Manner] | None = None) -> tuple[Manner, int, dict]:
    """(manner, how far it gets, where it has its parameters) of the best one."""
    if candidates is None:
        known = [manner for manner in dict.fromkeys(driver.manners.values()) if not manner.led]
        candidates = [*known, *(m for m in all_manners(driver.tensor_class is not None) if m not in known)]
    best, quality, found = Manner(), 0, {}
    for arguments, shape in TRIALS[role]:
        for manner in candidates:
            driver.places[role] = {"layouts": {}}
            reached = how_far(driver, role, arguments, shape, manner)
            if reached > quality:
                best, quality, found = manner, reached, driver.places[role]
            if quality == COMPLETE:
                return best, quality, found
    return best, quality, found


def how_far(driver, role: str, arguments: tuple, shape: tuple, manner: Manner) -> int:
    """How far one manner gets: 0 nowhere, 1 forward, 2 backward; 3 gradients of parameters or input, 4 both."""
    reached = 0
    try:
        driven = driver.made(role, list(arguments), {"input_shape": shape}, manner)
        x = torch.empty(shape).uniform_(-1, 1)
        y = driven.forward(x)
        if not isinstance(y, Tensor) or y.dim() != x.dim():
            return 0
        reached = 1
        locate(driver, driven, x)
        driven.forward(x)
        grad_x = driven.backward(torch.empty(y.shape).uniform_(-1, 1))
        reached = 2
        of_parameters = [driven.gradient(name) for name in driven.shapes if driven.tensor(name) is not None]
        complete = all(isinstance(g, Tensor) and g.any() and g.isfinite().all() for g in of_parameters)
        returned = isinstance(grad_x, Tensor) and grad_x.shape == x.shape
        return 2 + complete * (len(of_parameters) == len(driven.shapes)) + returned
    except Exception:
        return reached


def locate(driver, driven, x: Tensor) -> None:
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
            layout = layouts.layout_of(driven.tensor(name), shape)
            driven.places["layouts"][name] = layout
            if layout and layout.name and name == "weight" and driven.role in ("Conv2d", "TransposeConv2d"):
                layout = driven.places["layouts"][name] = as_it_is_read(driven, layout, x.shape)
            if layout and layout.name:
                driver.note(f"layout_{name}", f"{type(driven.raw).__name__} keeps its {name} as {layout.name}")
    if "weight" not in driven.places and "bias" in driven.shapes:
        locate_joined(driven, x)
    if "weight" in driven.places and "bias" not in driven.places and lacks_bias(driver, driven, x):
        driver.without_bias.add(driven.role)
        driven.shapes.pop("bias", None)


def lacks_bias(driver, driven, x: Tensor) -> bool:
    """Whether a convolution has no bias at all: its class takes no argument for one, it holds no tensor that is
    called so, and zeros give zeros. One that has a bias and does not add it is wrong instead.
    """
    for parameter in parameters_of(driver.class_of(driven.role)[1]) or ():
        anything = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if anything or meaning(parameter.name, ("bias",)):
            return False
    names = [path[-1] for path, _ in leaves(driven.raw)]
    if any(isinstance(name, str) and gradients.USUAL["bias"].fullmatch(name) for name in names):
        return False
    return not tensors.unwrap(driven.forward(torch.zeros_like(x))).any()


def locate_joined(driven, x: Tensor) -> None:
    """Find weight and bias as parts of one matrix: the bias is the last or first column, or row, and it alone makes a
    difference to the output for an input of zeros.
    """
    outputs, zeros = driven.shapes["bias"][0], torch.zeros_like(x)
    inputs = torch.Size(driven.shapes["weight"]).numel() // outputs
    for path, leaf in leaves(driven.raw):
        if tuple(leaf.shape) not in ((outputs, inputs + 1), (inputs + 1, outputs)) or not leaf.is_floating_point():
            continue
        across = (slice(None),) if leaf.shape[0] == outputs else ()
        for place, others in ((-1, slice(None, -1)), (0, slice(1, None))):
            part, still = leaf[*across, place], tensors.unwrap(driven.forward(zeros)).clone()
            part.add_(1)
            moved = not torch.equal(tensors.unwrap(driven.forward(zeros)), still)
            part.sub_(1)
            if moved:
                driven.places |= {"whole": path, "weight": (*path, ("key", (*across, others)))}
                driven.places["bias"] = *path, ("key", (*across, place))
                for name, shape in driven.shapes.items():
                    driven.places["layouts"][name] = layouts.layout_of(driven.tensor(name), shape)
                driven.driver.note(
                    "layout_weight", f"{type(driven.raw).__name__} keeps weight and bias in one matrix"
                )
                return


def as_it_is_read(driven, layout: layouts.Layout, size: torch.Size) -> layouts.Layout:
    """The layout of a weight, another one if that is what one pixel leaves in the output: a transposed convolution's
    is flipped where zeros are put between the pixels, and a plain convolution follows; a matrix may have the kernel's
    rows and columns before the channels.
    """
    shape, transposed = driven.shapes["weight"], driven.role == "TransposeConv2d"
    zero = torch.zeros(1, shape[0 if transposed else 1], *size[2:])
    one = zero.clone()
    one[0, 0, 2, 2] = 1
    left = driven.forward(one).clone() - driven.forward(zero)
    rows, columns = ((left != 0).flatten(0, 1).any(0).any(axis).nonzero().flatten() for axis in (1, 0))
    if not len(rows) or int(rows[-1] - rows[0]) + 1 != shape[2] or int(columns[-1] - columns[0]) + 1 != shape[3]:
        return layout
    left = left[0, :, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    own = driven.tensor("weight")
    if transposed:
        others = [dataclasses.replace(layout, flipped=True)]
    else:
        others = [
            dataclasses.replace(layout, order=order) for order in ((2, 3, 1, 0), (0, 2, 3, 1)) if own.dim() == 2
        ]

    def fits(one: layouts.Layout) -> bool:
        weight = one.torchs(own, shape)
        return torch.allclose(weight[0] if transposed else weight[:, 0].flip(1, 2), left, atol=1e-4)

    return next((one for one in others if fits(one)), layout) if not fits(layout) else layout
