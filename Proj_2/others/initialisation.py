"""Initial weights for deep networks."""

from .activation import LeakyReLU, ReLU
from .container import Sequential
from .convolution import Convolution


def kaiming_(network):
    """Draw the weights of all convolutions of `network` afresh, and clear their biases; returns the network.

    N(0, 2/((1 + a²)·fan-in)), a being the slope for negative values of the activation that follows: 0 for a ReLU, 1
    where there is none. Then the size of the values stays the same from layer to layer, however many there are
    (K. He et al., arXiv 1502.01852).
    """
    modules = list(network)
    for module, following in zip(modules, [*modules[1:], None], strict=True):
        if isinstance(module, Sequential):
            kaiming_(module)
        elif isinstance(module, Convolution):
            slope = {ReLU: 0, LeakyReLU: getattr(following, "negative_slope", 0)}.get(type(following), 1)
            module.weight.normal_(0, (2 / ((1 + slope**2) * module.fan_in())) ** 0.5)
            if module.bias is not None:
                module.bias.zero_()
    return network
