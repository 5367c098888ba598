from typing import List

import torch

from .parameter import Parameter


class Module:
    """Layers are called like functions: the call remembers the input for backward(), forward() alone does not."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self.input = x
        return self.forward(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError()

    def backward(self, grad_output: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError()

    def parameters(self) -> List[Parameter]:
        return [attribute for attribute in vars(self).values() if isinstance(attribute, Parameter)]


class Sequential(Module):
    def __init__(self, *modules: Module):
        self.modules = modules

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for module in self.modules:
            x = module(x)
        return x

    def backward(self, grad_output: torch.Tensor) -> torch.Tensor:
        for module in self.modules[::-1]:
            grad_output = module.backward(grad_output)
        return grad_output

    def parameters(self) -> List[Parameter]:
        return [parameter for module in self.modules for parameter in module.parameters()]
