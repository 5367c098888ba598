"""The gradient of a module's input where nothing returns or keeps it: that of a convolution's weights before it."""

import torch
from torch import Tensor

from .module import Driven


class Led(Driven):
    """A module behind a convolution of 1×1 that makes its input: one channel for each pixel of the batch, which is 1
    there and 0 elsewhere, so that the weights are the input's values.
    """

    lead: Driven | None = None

    def forward(self, x: Tensor):
        n, c, h, w = x.shape
        pixels = n * h * w
        inputs = {"input_shape": (n, pixels, h, w)}
        self.lead = self.driver.lead([pixels, c, 1], inputs)
        values = {"weight": x.transpose(0, 1).reshape(c, pixels, 1, 1), "bias": torch.zeros(c)}
        self.lead.assign({name: values[name] for name in self.lead.shapes})
        self.lead.prepare()
        self.net = self.driver.sequential_of([self.lead.raw, self.raw])
        self.shape = x.shape
        return super().forward(torch.eye(pixels).view(n, h, w, pixels).movedim(3, 1))

    def again(self) -> None:
        """The last forward once more, of the same two modules."""
        super().forward(self.input)

    def parts(self) -> list[Driven]:
        return [self, self.lead] if self.lead else [self]

    def backward(self, grad_y: Tensor):
        self.lead.watch()
        returned = super().backward(grad_y)
        found = self.of_input(self.scale)
        return returned if found is None else found

    def of_input(self, scale: float = 1.0) -> Tensor | None:
        """The gradient of the input of the last forward, from the weights; None if they have none."""
        self.lead.scale = scale
        found = self.lead.gradient("weight")
        if not isinstance(found, Tensor):
            return None
        n, c, h, w = self.shape
        return found.reshape(c, n, h, w).transpose(0, 1)
