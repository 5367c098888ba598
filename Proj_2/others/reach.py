"""How far a network looks: what a picture's size must be a multiple of, and how much tiles have to overlap."""

from math import ceil

from .container import Sequential
from .conv import Conv2d
from .pooling import MaxPool2d
from .upsampling import NearestUpsampling, TransposeConv2d


def reduction(network):
    """How many pixels of the input, in each direction, lie behind one pixel of the network's smallest layer."""
    return max(_look(network, axis, 1)[1] for axis in (0, 1))


def reach(network):
    """A distance in pixels of the input, beyond which no pixel can influence one of the output."""
    return ceil(max(_look(network, axis, 1)[2] for axis in (0, 1)))


def _look(network, axis, pixel):
    """For the direction `axis`: the size of a pixel after `network`, its largest size within and the reach, all in
    pixels of the input, of which `pixel` lie behind each pixel of what `network` gets.
    """
    largest, reach = pixel, 0
    for module in network:
        if isinstance(module, Sequential):
            pixel, within, more = _look(module, axis, pixel)
            largest = max(largest, within)
        elif isinstance(module, (Conv2d, MaxPool2d)):
            more = pixel * _extent(module.window, axis)
            pixel = pixel * module.stride[axis]
        elif isinstance(module, TransposeConv2d):
            pixel = pixel / module.stride[axis]
            more = pixel * _extent(module.window, axis)
        elif isinstance(module, NearestUpsampling):
            pixel = pixel / module.scale_factor[axis]
            more = pixel * (module.scale_factor[axis] - 1)
        else:
            more = 0
        largest, reach = max(largest, pixel), reach + more
    return pixel, largest, reach


def _extent(window, axis):
    """How far a kernel extends from the first pixel of a position, the padding counted."""
    k, _, p, d = (pair[axis] for pair in window)
    return max(p, d * (k - 1) - p)
