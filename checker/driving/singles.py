"""Modules that take one picture, C×H×W, at a time: a batch goes through them picture by picture."""

import torch
from torch import Tensor

from .module import Driven


class Single(Driven):
    """A batch's forward is that of each of its pictures; so is its backward, each behind a forward of its picture,
    since a module remembers one. Gradients add up over the pictures: the module adds them, or else it is done here.
    """

    def __init__(self, *args):
        super().__init__(*args)
        self.batch, self.summed = None, {}

    def forward(self, x: Tensor):
        self.batch, self.summed = x, {}
        outputs = [super(Single, self).forward(one) for one in x]
        return stacked([one.clone() if isinstance(one, Tensor) else one for one in outputs])

    def again(self) -> None:
        super().forward(self.batch[-1])

    def backward(self, grad_y: Tensor):
        if self.shapes and "overwrites" not in self.places:
            self.places["overwrites"] = False
            self.places["overwrites"] = self.overwrites(grad_y)
        found = []
        for x, one in zip(self.batch, grad_y, strict=True):
            found.append(self.one_backward(x, one))
            for name in self.shapes if self.places.get("overwrites") else ():
                gradient = super().own_gradient(name, self.tensor(name))
                if isinstance(gradient, Tensor):
                    self.summed[name] = self.summed.get(name, 0) + gradient
        return stacked(found)

    def one_backward(self, x: Tensor, grad_y: Tensor):
        super().forward(x)
        returned = super().backward(grad_y)
        return returned.clone() if isinstance(returned, Tensor) else returned

    def overwrites(self, grad_y: Tensor) -> bool:
        """Whether a second backward leaves the same gradient as the first."""
        found = []
        for _ in range(2):
            self.one_backward(self.batch[0], grad_y[0])
            found.append(super().own_gradient("weight", self.tensor("weight")))
            found[-1] = found[-1].clone() if isinstance(found[-1], Tensor) else None
        return None not in found and bool(found[0].any()) and torch.equal(*found)

    def own_gradient(self, name: str, own: Tensor):
        return self.summed[name] if name in self.summed else super().own_gradient(name, own)


def stacked(found: list):
    """The results of all pictures as one batch; the first one if they can't be that."""
    fits = all(isinstance(one, Tensor) and one.shape == found[0].shape for one in found)
    return torch.stack(found) if fits else found[0]
