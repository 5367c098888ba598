"""Memory that a module keeps from one call to the next.

A training step makes the same intermediate results over and over. Fresh memory for each of them costs more
than some of the arithmetic: the system hands it out page by page, each page zeroed at its first touch.
"""

from math import prod
from threading import local


class Buffers:
    """Tensors by name, made at their first use and again whenever the shape, type or device asked for changes.

    What a buffer holds is undefined until written, except that one taken with `zeroed=True` starts as zeros.
    """

    def __init__(self):
        self._kept = {}

    def take(self, name, shape, like, zeroed=False):
        """A contiguous tensor of `shape` with the type and device of `like`."""
        kept = self._kept.get(name)
        if kept is None or kept.shape != shape or kept.dtype != like.dtype or kept.device != like.device:
            kept = self._kept[name] = like.new_zeros(shape) if zeroed else like.new_empty(shape)
        return kept

    def take_like(self, name, x):
        """A tensor with the shape, memory order, type and device of `x`."""
        kept = self._kept.get(name)
        if (
            kept is None
            or kept.shape != x.shape
            or kept.stride() != x.stride()
            or kept.dtype != x.dtype
            or kept.device != x.device
        ):
            kept = self._kept[name] = x.clone()
        return kept

    def kept(self, name):
        """The tensor of that name, None if there is none yet."""
        return self._kept.get(name)

    def copy_of(self, name, x):
        """A kept tensor that holds the values of `x`."""
        return self.take_like(name, x).copy_(x)


class _Workspace(local):
    """Memory that all modules share, for what is of no use after the call that made it; each thread has its own.

    What was taken under a name is gone when that name is taken again, with whatever shape.
    """

    def __init__(self):
        self._kept = {}

    def take(self, name, shape, like):
        """A contiguous tensor of `shape` with the type and device of `like`; what it holds is undefined."""
        key, size = (name, like.dtype, like.device), prod(shape)
        kept = self._kept.get(key)
        if kept is None or kept.numel() < size:
            kept = self._kept[key] = like.new_empty(size)
        return kept[:size].view(shape)

    def take_like(self, name, x):
        """The same with the shape and memory order of `x`, which fills its memory."""
        return self.take(name, (x.numel(),), x).as_strided(x.shape, x.stride())


workspace = _Workspace()
