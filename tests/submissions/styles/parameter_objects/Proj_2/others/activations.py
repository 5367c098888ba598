import torch

from .module import Module


class Relu(Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x + x.abs()) / 2

    def backward(self, grad_output: torch.Tensor) -> torch.Tensor:
        return grad_output * self.input.sign().clamp(min=0)


class Sigmoid(Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.output = x.sigmoid()
        return self.output

    def backward(self, grad_output: torch.Tensor) -> torch.Tensor:
        return grad_output * (1. - self.output) * self.output
