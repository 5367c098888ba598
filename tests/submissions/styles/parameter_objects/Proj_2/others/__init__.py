from .activations import Relu, Sigmoid
from .convolutions import Conv2d, ConvTranspose2d
from .losses import MSELoss
from .module import Module, Sequential
from .optimizers import Optimizer, SGDOptimizer
from .parameter import Parameter
