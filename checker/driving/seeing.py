"""What is computed while something runs: a few numbers of every tensor, and some tensors whole."""

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

MOST = 20_000  # tensors, of which the rest is not looked at
BYTES = 24 << 20  # of those that are kept whole


class Watch(TorchDispatchMode):
    """Notes the tensors of floating-point numbers that operators take and give, each as it is then. `prints` are
    their marks, which do not depend on the order of the values; `whole` are those of the `sizes` that matter.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else torch imports its compiler for this, which takes seconds

    def __init__(self, sizes: set[int]):
        super().__init__()
        self.sizes, self.left = sizes, BYTES
        self.prints: dict[tuple, None] = {}
        self.whole: dict[tuple, Tensor] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.see(args)
        result = func(*args, **(kwargs or {}))
        self.see(result)
        return result

    def see(self, value) -> None:
        if isinstance(value, list | tuple):
            for item in value:
                self.see(item)
        elif isinstance(value, Tensor) and value.is_floating_point() and value.numel() and len(self.prints) < MOST:
            mark = marks(value)
            self.prints.setdefault(mark)
            if value.numel() in self.sizes:
                self.keep(value, mark)

    def keep(self, value: Tensor, mark: tuple) -> None:
        """Keep it as it is now, unless that is kept already."""
        flat = value.reshape(-1).double()
        key = *mark, float(flat @ torch.linspace(1, 2, flat.numel(), dtype=torch.float64))
        if key not in self.whole and self.left > 4 * flat.numel():
            self.left -= 4 * flat.numel()
            self.whole[key] = value.detach().float().clone(memory_format=torch.contiguous_format)


class Sizes(Watch):
    """Notes the sizes alone of what operators give, which takes little time."""

    def __init__(self):
        super().__init__(set())

    def see(self, value) -> None:
        if isinstance(value, Tensor) and value.is_floating_point():
            self.prints.setdefault((value.numel(), 0.0, 0.0, 0.0, 0.0))


def marks(value: Tensor) -> tuple[int, float, float, float, float]:
    """(number of values, mean, root of the mean square, least, largest)"""
    flat = value.detach().reshape(-1).double()
    return (
        flat.numel(),
        float(flat.mean()),
        float(flat.square().mean().sqrt()),
        float(flat.min()),
        float(flat.max()),
    )
