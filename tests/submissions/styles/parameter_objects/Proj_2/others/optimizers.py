from typing import List

from .parameter import Parameter


class Optimizer:
    def __init__(self, parameters: List[Parameter]):
        self.parameters = parameters

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.zero()

    def update(self) -> None:
        raise NotImplementedError()


class SGDOptimizer(Optimizer):
    def __init__(self, parameters: List[Parameter], learning_rate: float):
        super().__init__(parameters)
        self.learning_rate = learning_rate

    def update(self) -> None:
        for parameter in self.parameters:
            parameter.value = parameter.value - self.learning_rate * parameter.gradient
