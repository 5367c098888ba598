"""Which operation an upsampling is, by what it computes: how far one pixel of the input reaches in the output."""

import contextlib
from typing import NamedTuple

import torch
from torch import Tensor

from . import tensors
from .building import CONVOLUTION, MEANINGS, build, meaning, parameters_of
from .leaves import leaves, type_of

KERNEL, SIDE, CHANNELS = 3, 6, (3, 5)


class Found(NamedTuple):
    """The role that an upsampling plays, by how much it enlarges, and which of torch's arguments its class has no say
    in, or wants to be given whatever the case.
    """

    role: str
    factor: int
    fixed: dict[str, int]
    always: dict[str, int]


def recognise(driver, name: str, kind: type) -> Found:
    """What it is: "TransposeConv2d", "NearestUpsampling", or "NearestConv", a convolution after doubling.

    In a transposed convolution a pixel reaches as many rows as the kernel has, in the repetition of pixels as many as
    the factor, and with a convolution after it as many as both together, less one.
    """
    size, seen = {"input_shape": (1, CHANNELS[0], SIDE, SIDE)}, driver.seen(kind)
    channels = {"in_channels": CHANNELS[0], "out_channels": CHANNELS[1]} | size
    for given in ({"kernel_size": KERNEL, "stride": 2}, {"kernel_size": KERNEL}, {"stride": 2}, {}):
        with contextlib.suppress(Exception):
            module = build(kind, channels | given, CONVOLUTION, seen)
            reach, factor = reach_of(driver, module)
            kernel = given.get("kernel_size") or kernel_of(module)
            fixed = {} if "kernel_size" in given else {"kernel_size": kernel}
            if reach == kernel and factor >= 1:
                return Found("TransposeConv2d", factor, fixed | ({} if "stride" in given else {"stride": factor}), {})
            if reach == factor + kernel - 1:
                return Found("NearestConv", factor, fixed, {"stride": 2} if "stride" in given else {})
    for given in ({"scale_factor": 2}, {}):
        with contextlib.suppress(Exception):
            reach, factor = reach_of(driver, build(kind, given | size, {}, seen))
            if reach == factor:
                return Found("NearestUpsampling", factor, {} if given else {"scale_factor": factor}, {})
    nearest = "nearest" in name.lower() or not takes_channels(kind)
    return Found(*(("NearestUpsampling", 2) if nearest else ("TransposeConv2d", 1)), {}, {})


GEOMETRY = "kernel_size", "stride", "padding", "output_padding"


def geometries(driver) -> list[dict[str, int]]:
    """Those of the transposed convolutions that the Model is made of, where their class has an output padding."""
    pair = driver.known("TransposeConv2d")
    found = driver.usage.options(pair[1], GEOMETRY) if pair else []
    return [one for one in found if set(one) == set(GEOMETRY)]


def takes_channels(kind: type) -> bool:
    """Whether any argument of a class is one of channels; where it can't be seen, it is."""
    named = [meaning(p.name, MEANINGS) for p in parameters_of(kind) or ()]
    return not named or "in_channels" in named or "out_channels" in named


def kernel_of(module) -> int | None:
    """The size of the kernel of a module that is not told it: the one that a weight of its has the size for."""
    sizes = {leaf.numel() for _, leaf in leaves(module)}
    return next((k for k in range(1, SIDE) if CHANNELS[0] * CHANNELS[1] * k * k in sizes), None)


def reach_of(driver, module) -> tuple[int, int]:
    """(rows that depend on a pixel in the middle, rows from there to those that depend on the pixel below it)"""
    for wrapped in (False, True):
        with contextlib.suppress(Exception):
            zero = torch.zeros(1, CHANNELS[0], SIDE, SIDE)
            still = output(driver, module, zero, wrapped)
            first, second = (changed_rows(output(driver, module, pixel(zero, row), wrapped), still) for row in (2, 3))
            return first[-1] - first[0] + 1, second[0] - first[0]
    raise driver.Undriven("its forward pass can't be run")


def output(driver, module, x: Tensor, wrapped: bool) -> Tensor:
    x = driver.tensor(x, wrapped, type_of(module))
    for one in (x, x[0]) if isinstance(x, Tensor) else (x,):  # some take a picture without the batch's dimension
        driver.begin()
        with contextlib.suppress(Exception):
            y = tensors.unwrap(driver.companions.output(module, one)).clone()
            if not isinstance(one, Tensor) or y.dim() == one.dim():
                return y.reshape(-1, *y.shape[-3:])
    raise driver.Undriven("its forward pass can't be run")


def pixel(x: Tensor, row: int) -> Tensor:
    x = x.clone()
    x[:, :, row, 2] = torch.tensor([1.0, 2.0, 3.0], dtype=x.dtype)[: x.shape[1]]
    return x


def changed_rows(y: Tensor, still: Tensor) -> list[int]:
    return (y != still).flatten(0, 1).any(0).any(1).nonzero().flatten().tolist()
