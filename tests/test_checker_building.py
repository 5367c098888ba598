"""Arguments that names do not tell: they are torch's in torch's order, also where one between them is not given."""

import pytest

from checker.driving.building import CONVOLUTION, build

GIVEN = {"in_channels": 4, "out_channels": 3, "kernel_size": 5}


class Starred:
    def __init__(self, *sizes):
        self.sizes = (*sizes, *(1, 0)[len(sizes) - 3 :])


class Silent:
    def __init__(self, vorher, nachher, fenster, huepfer=1, kante=0):
        self.sizes = vorher, nachher, fenster, huepfer, kante


@pytest.mark.parametrize("kind", [Starred, Silent])
@pytest.mark.parametrize(
    ("more", "stride", "padding"),
    [({}, 1, 0), ({"stride": 2}, 2, 0), ({"padding": 2}, 1, 2), ({"padding": 2, "stride": 3}, 3, 2)],
)
def test_a_padding_without_a_stride_is_no_stride(kind, more, stride, padding):
    made = build(kind, GIVEN | more, CONVOLUTION)
    # What was not given may be left to the class's own default.
    assert made.sizes == (4, 3, 5, stride, padding)


class AsTorchs:
    """torch.nn.Upsample takes a size first."""

    def __init__(self, size=None, scale_factor=None):
        self.sizes = size, scale_factor


def test_torchs_own_name_is_meant_before_one_that_is_like_it():
    assert build(AsTorchs, {"scale_factor": 2}, {}).sizes == (None, 2)


class StrideOfTwo:
    def __init__(self, vorher, nachher, kernel_size=2, stride=2, padding=0):
        self.sizes = vorher, nachher, kernel_size, stride, padding


def test_a_default_that_is_not_torchs_is_not_used():
    assert build(StrideOfTwo, GIVEN, CONVOLUTION).sizes == (4, 3, 5, 1, 0)
