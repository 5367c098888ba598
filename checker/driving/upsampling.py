"""Which operation an upsampling is, by what it computes: how far one pixel of the input reaches in the output."""

import contextlib

import torch
from torch import Tensor

from . import tensors
from .building import build
from .leaves import type_of
from .methods import call

KERNEL, SIDE, CHANNELS = 3, 6, (3, 5)
CONVOLUTION = {"stride": 1, "padding": 0, "dilation": 1, "bias": True, "output_padding": 0, "groups": 1}


def recognise(driver, name: str, kind: type) -> tuple[str, int]:
    """(role, factor): "TransposeConv2d", "NearestUpsampling", or "NearestConv", a convolution after doubling.

    In a transposed convolution a pixel reaches as many rows as the kernel has, in the repetition of pixels as many as
    the factor, and with a convolution after it as many as both together, less one.
    """
    size, seen = {"input_shape": (1, CHANNELS[0], SIDE, SIDE)}, driver.seen(kind)
    with_channels = {"in_channels": CHANNELS[0], "out_channels": CHANNELS[1], "kernel_size": KERNEL} | size
    for given in (with_channels | {"stride": 2}, with_channels):
        with contextlib.suppress(Exception):
            reach, factor = reach_of(driver, build(kind, given, CONVOLUTION, seen))
            if reach == KERNEL and factor >= 1:
                return "TransposeConv2d", factor
            if reach == factor + KERNEL - 1:
                return "NearestConv", factor
    for given in ({"scale_factor": 2}, {}):
        with contextlib.suppress(Exception):
            reach, factor = reach_of(driver, build(kind, given | size, {}, seen))
            if reach == factor:
                return "NearestUpsampling", factor
    return ("NearestUpsampling", 2) if "nearest" in name.lower() else ("TransposeConv2d", 1)


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
    driver.begin()
    return tensors.unwrap(call(module, driver.tensor(x, wrapped, type_of(module)))).clone()


def pixel(x: Tensor, row: int) -> Tensor:
    x = x.clone()
    x[:, :, row, 2] = torch.tensor([1.0, 2.0, 3.0], dtype=x.dtype)[: x.shape[1]]
    return x


def changed_rows(y: Tensor, still: Tensor) -> list[int]:
    return (y != still).flatten(0, 1).any(0).any(1).nonzero().flatten().tolist()
