"""The networks. All of them halve the picture twice and double it twice, the form that the assignment asks for."""

from .activation import ReLU, Sigmoid
from .container import Sequential
from .conv import Conv2d
from .upsampling import Upsampling

REDUCTION = 4  # pixels of the input, in each direction, behind one pixel of the smallest layer
HALO = 48  # a multiple of REDUCTION that is more than the distance from which a pixel can influence another


def paper():
    """The network of the source paper, 17,763 parameters, with the padding that it leaves out: without it, 32×32
    pixels would not come back as 32×32.
    """
    return Sequential(
        Conv2d(3, 32, 3, stride=2, padding=1),  # 16×16
        ReLU(),
        Conv2d(32, 64, 2, stride=2),  # 8×8
        ReLU(),
        Upsampling(64, 32, 2, stride=2),  # 16×16
        ReLU(),
        Upsampling(32, 3, 2, stride=2),  # 32×32
        Sigmoid(),
    )


def large():
    """A larger network of the same form, 1,074,179 parameters. At equal cost, many channels and small kernels in the
    middle do better than fewer channels and overlapping kernels; only the outer layers, cheap as they are, overlap.
    """
    return Sequential(
        Conv2d(3, 256, 4, stride=2, padding=1),  # 16×16
        ReLU(),
        Conv2d(256, 512, 2, stride=2),  # 8×8
        ReLU(),
        Upsampling(512, 256, 2, stride=2),  # 16×16
        ReLU(),
        Upsampling(256, 3, 4, stride=2, padding=1),  # 32×32
        Sigmoid(),
    )


NETWORKS = {"paper": paper, "large": large}
