import torch


class Parameter:
    """A tensor that is learnt (value) and the sum of its gradients since the last call of zero() (gradient)."""

    def __init__(self, value: torch.Tensor):
        self.value = value
        self.zero()

    def add_gradient(self, gradient: torch.Tensor) -> None:
        self.gradient = self.gradient + gradient

    def zero(self) -> None:
        self.gradient = torch.empty(self.value.shape).fill_(0.)
