"""The same network as ours in torch.nn, and what a step of either takes in products."""

import torch
from torch import nn


class SkipConnection(nn.Sequential):
    def forward(self, x):
        return torch.cat([super().forward(x), x], 1)


class Residual(nn.Sequential):
    def forward(self, x):
        return super().forward(x) + x


CONTAINERS = {"Sequential": nn.Sequential, "SkipConnection": SkipConnection, "Residual": Residual}


def in_torch(network):
    """The `torch.nn` network with the form and the weights of one of ours, on the processor."""
    model = _twin(network)
    model.load_state_dict({name: p.contiguous() for name, p in network.state_dict().items()})
    return model


def _twin(module):
    kind = type(module).__name__
    if kind in CONTAINERS:
        return CONTAINERS[kind](*map(_twin, module))
    if kind == "LeakyReLU":
        return nn.LeakyReLU(module.negative_slope, inplace=True)  # what it keeps is what the next module keeps
    if kind in ("ReLU", "Sigmoid"):
        return getattr(nn, kind)()
    convolution = nn.Conv2d if kind == "Conv2d" else nn.ConvTranspose2d
    return convolution(module.in_channels, module.out_channels, module.kernel_size, module.stride, module.padding)


def operations(network, pictures, side=32):
    """Floating-point operations of the matrix products of one training step, and of one forward pass, with every
    convolution made directly.
    """
    products, _ = _products(network, (side, side))
    forward = 2 * pictures * sum(products)
    return 3 * forward - 2 * pictures * products[0], forward  # the gradient of the pictures is not needed


def _products(network, size):
    """The products of each convolution for a picture of that size, in order, and the size of the output."""
    products = []
    for module in network:
        if hasattr(module, "__iter__"):
            inner, size = _products(module, size)
            products += inner
        elif hasattr(module, "weight"):
            before, size = size, module.output_size(*size)
            h, w = size if type(module).__name__ == "Conv2d" else before
            products.append(h * w * module.weight.numel())
    return products, size
