from torch import Tensor

from .module import Module


class ReLU(Module):
    def forward(self, x: Tensor) -> Tensor:
        self.x = x
        return x.clamp(min=0)

    def backward(self, grad_output: Tensor) -> Tensor:
        return grad_output.where(self.x > 0, grad_output.new_zeros(()))


class Sigmoid(Module):
    def forward(self, x: Tensor) -> Tensor:
        # 1 / (1 + exp(-x)) written with tanh, which does not overflow
        self.y = 0.5 * (1 + (x / 2).tanh())
        return self.y

    def backward(self, grad_output: Tensor) -> Tensor:
        return grad_output * (self.y - self.y.pow(2))
