"""The networks: `paper` and `large` halve the picture twice and double it twice, the form that the assignment asks
for; the U-Nets are for the noise of photographs and for what can be had from the course's pictures.
"""

from .activation import LeakyReLU, ReLU, Sigmoid
from .container import Sequential
from .conv import Conv2d
from .initialisation import kaiming_
from .skip import Residual, SkipConnection
from .upsampling import Upsampling

REDUCTION = 4  # pixels of the input, in each direction, behind one pixel of the smallest layer of the assignment's


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


def unet(channels=(64, 128, 256), convolutions=(2, 2, 4), entrance=2):
    """A U-Net (O. Ronneberger et al., arXiv 1505.04597) that says what to add to the noisy picture; by default
    with 3,612,547 parameters, for photographs.

    `channels`: of each level, from the first to the smallest; each has half the height and width of the one before.
    `convolutions`: how many 3×3 convolutions each level has on the way down, and again on the way up; every two that
    keep the number of channels have a connection past them, with which larger steps can be taken. `entrance`:
    the first level has 1/`entrance` of the picture's height and width. At 2, a quarter of the pixels with four times
    the values each, everything costs a quarter (FFDNet, K. Zhang et al., arXiv 1710.04026). Height and width of the
    pictures have to be multiples of entrance·2^(levels − 1).

    Levels are halved by convolutions and doubled by their transposes, of 2×2 pixels and as large a stride: unlike the
    maximum of four, they need not lose anything (K. Zhang et al., arXiv 2008.13751). It starts as the identity.
    """
    ends = [Conv2d(3, channels[0], 3, padding=1), Conv2d(channels[0], 3, 3, padding=1)]
    if entrance > 1:
        ends = [
            Conv2d(3, channels[0], entrance, stride=entrance),
            Upsampling(channels[0], 3, entrance, stride=entrance),
        ]
    network = Residual(ends[0], LeakyReLU(0.1), *_level(channels, convolutions), ends[1])
    kaiming_(network)
    network[-1].weight.zero_()
    _quieten(network)
    return network


def _quieten(network):
    """Have pairs with a connection past them begin with little to add, so that values do not grow from pair to pair
    (H. Zhang et al., Fixup initialization, arXiv 1901.09321).
    """
    for module in network:
        if isinstance(module, Residual):
            module[-1].weight.mul_(0.1)
        elif isinstance(module, Sequential):
            _quieten(module)


def _level(channels, convolutions):
    """The modules of a level of a U-Net and of all below it."""
    here, *below = channels
    first, *others = convolutions
    if not below:
        return _convolutions(here, here, first)
    return [
        *_convolutions(here, here, first),
        SkipConnection(
            Conv2d(here, below[0], 2, stride=2),
            LeakyReLU(0.1),
            *_level(below, others),
            Upsampling(below[0], here, 2, stride=2),
        ),
        *_convolutions(2 * here, here, first),
    ]


def _convolutions(in_channels, out_channels, number):
    """`number` 3×3 convolutions in order, of which the first may change the number of channels."""
    if number == 0:
        return []
    if in_channels != out_channels or number == 1:
        single = Conv2d(in_channels, out_channels, 3, padding=1), LeakyReLU(0.1)
        return [*single, *_convolutions(out_channels, out_channels, number - 1)]
    pair = [Conv2d(in_channels, in_channels, 3, padding=1) for _ in range(2)]
    return [Residual(pair[0], LeakyReLU(0.1), pair[1]), *_convolutions(in_channels, out_channels, number - 2)]


def unet_small():
    """A U-Net for experiments of minutes, 516,611 parameters: a sixth of the other's cost."""
    return unet((32, 64, 128), (1, 1, 2))


def unet_course():
    """A U-Net for the course's 32×32 pixels, which have no pixel to spare at the entrance."""
    return unet(convolutions=(2, 2, 2), entrance=1)


NETWORKS = {"paper": paper, "large": large, "unet": unet, "unet_small": unet_small, "unet_course": unet_course}
