"""The layout in which a submission keeps a weight: another order of the dimensions, or a matrix."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """How a submission keeps a parameter: the order of torch's dimensions in its own, joined to `shape`."""

    order: tuple[int, ...]
    name: str = ""  # what is unlike torch's, for a note; empty if nothing is
    flipped: bool = False  # whether the kernel's rows and columns run the other way

    def own(self, value: Tensor, shape) -> Tensor:
        """torch's value in the submission's layout."""
        value = value.flip(2, 3) if self.flipped else value
        return value.permute(self.order).reshape(shape)

    def torchs(self, value: Tensor, shape) -> Tensor:
        """A value in the submission's layout as torch has it, of `shape`."""
        permuted = [shape[i] for i in self.order]
        back = [self.order.index(i) for i in range(len(self.order))]
        value = value.reshape(permuted).permute(back)
        return value.flip(2, 3) if self.flipped else value


def layout_of(own: Tensor, shape: tuple[int, ...]) -> Layout | None:
    """The layout in which a tensor of the shape of `own` may hold a parameter that is of `shape` in torch."""
    if own.numel() != torch.Size(shape).numel():
        return None
    plain = tuple(range(len(shape)))
    if tuple(own.shape) == tuple(shape):
        return Layout(plain)
    if len(shape) == 1:
        return Layout(plain, "×".join(map(str, own.shape)))
    said = "×".join(map(str, own.shape))
    for order in ((1, 0, 2, 3), (2, 3, 1, 0), (2, 3, 0, 1), (0, 2, 3, 1), (1, 2, 3, 0)):
        if tuple(own.shape) == tuple(shape[i] for i in order):
            return Layout(order, said)
    o, c, kh, kw = shape
    for rows, order in (
        ((o,), plain),
        ((c * kh * kw,), (1, 2, 3, 0)),
        ((c,), (1, 0, 2, 3)),
        ((o * kh * kw,), (0, 2, 3, 1)),
    ):
        if own.dim() >= 2 and own.squeeze().dim() == 2 and own.squeeze().shape[0] == rows[0]:
            return Layout(order, said)
    return Layout(plain, said)
