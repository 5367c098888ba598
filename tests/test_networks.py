"""The U-Nets: how they begin, how far they see, and predictions of pictures of any size."""

import pytest
import torch

from Proj_2.others import prediction
from Proj_2.others.activation import LeakyReLU, ReLU
from Proj_2.others.container import Sequential
from Proj_2.others.conv import Conv2d
from Proj_2.others.initialisation import kaiming_
from Proj_2.others.networks import NETWORKS, unet, unet_course, unet_small
from Proj_2.others.pooling import MaxPool2d
from Proj_2.others.prediction import predict
from Proj_2.others.reach import reach, reduction
from Proj_2.others.skip import SkipConnection
from Proj_2.others.upsampling import NearestUpsampling, TransposeConv2d


@pytest.fixture(autouse=True)
def _no_autograd():
    torch.set_grad_enabled(False)


@pytest.fixture
def small():
    """A U-Net of three levels that changes what it gets."""
    return trained(unet((6, 5, 4), (1, 1, 2), entrance=2))


def trained(network):
    """`network` as if it had learnt something: its last layer is no longer zero."""
    network[-1].weight.normal_(0, 0.1)
    return network


@pytest.mark.parametrize("make", [unet, unet_small, unet_course])
def test_a_unet_starts_as_the_identity_and_learns_from_there(make):
    network, x = make(), torch.rand(2, 3, 16, 24)
    assert torch.equal(network.forward(x), x)
    network.backward(torch.randn_like(x))
    assert network[-1].weight_grad.any()


def test_kaiming_keeps_the_size_of_the_values():
    """Ten layers deep the values are about as large as they came in, where torch's weights would leave little."""
    layers = [layer for _ in range(8) for layer in (Conv2d(64, 64, 3, padding=1), LeakyReLU(0.1))]
    up = TransposeConv2d(64, 64, 2, stride=2)
    network = Sequential(*layers, Sequential(Conv2d(64, 64, 2, stride=2), ReLU()), up)
    x = torch.randn(4, 64, 16, 16)
    assert network.forward(x).std() < 0.1
    assert kaiming_(network) is network
    assert 0.5 < network.forward(x)[..., 2:-2, 2:-2].std() < 1.5
    # N(0, 2/((1 + a²)·fan-in)), fan-in being 9·64 with a LeakyReLU behind it, and 64 of the transposed one with none.
    for module, variance in ((network[0], 2 / 1.01 / 576), (network[-2][0], 2 / 256), (up, 1 / 64)):
        assert abs(module.weight.var() / variance - 1) < 0.05
        assert not module.bias.any()


SEEING = [
    (Sequential(Conv2d(3, 2, 3, padding=1)), 1, 1),
    (Sequential(Conv2d(3, 2, 5, stride=2, padding=2, dilation=1)), 2, 2),
    (Sequential(Conv2d(3, 2, 3, padding=2, dilation=2), Conv2d(2, 1, (1, 5), padding=(0, 2))), 1, 4),
    (Sequential(Conv2d(3, 4, 2, stride=2), TransposeConv2d(4, 3, 2, stride=2)), 2, None),
    (Sequential(MaxPool2d(3, 3), NearestUpsampling(3)), 3, None),
    (Sequential(SkipConnection(MaxPool2d(2), Conv2d(3, 2, 3, padding=1), NearestUpsampling(2))), 2, None),
    (Sequential(Conv2d(3, 4, 4, 2, 1), TransposeConv2d(4, 3, 6, stride=2, padding=2)), 2, None),
    (trained(unet((3, 4), (1, 1), 2)), 4, None),
    (trained(unet((3, 4, 3), (1, 1, 2), 1)), 4, None),
]


@pytest.mark.parametrize(("network", "grid", "distance"), SEEING)
def test_nothing_is_seen_from_beyond_the_reach(network, grid, distance):
    """A pixel is changed: what changes in the output lies within the reach, and some of it near its end."""
    assert reduction(network) == grid
    bound, side = reach(network), 96
    assert distance is None or bound == distance
    x = torch.randn(1, 3, side, side, dtype=torch.float64)
    y, seen = network.forward(x), 0
    scale = side // y.shape[2]
    for row in range(36, 36 + 2 * grid):
        changed = x.clone()
        changed[:, :, row, row] += 100
        for axis in (2, 3):
            difference = (network.forward(changed) - y).abs().amax([i for i in range(4) if i != axis])
            places = scale * difference.nonzero()
            seen = max(seen, int((places - row).abs().max()))
    assert bound - 2 * grid <= seen <= bound


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (33, 16), (64, 200)], ids=str)
def test_any_size_is_predicted(small, size):
    noisy = torch.rand(2, 3, *size) * 255
    result = predict(small, noisy)
    assert result.shape == noisy.shape
    rows, columns = ((torch.arange(-(-length // 8) * 8)).clamp(max=length - 1) for length in size)
    whole = small.forward(noisy[:, :, rows][:, :, :, columns] / 255)[:, :, : size[0], : size[1]] * 255
    assert torch.allclose(result, whole, atol=1e-3)


@pytest.mark.parametrize("size", [(303, 250), (161, 149), (90, 400)], ids=str)
def test_tiles_give_what_the_whole_picture_gives(small, monkeypatch, size):
    noisy = torch.rand(2, 3, *size) * 255
    whole = predict(small, noisy)
    monkeypatch.setattr(prediction, "TILE", 160)
    shapes, forward = [], small.forward
    monkeypatch.setattr(small, "forward", lambda x, scratch: (shapes.append(x.shape), forward(x, scratch))[1])
    tiled = predict(small, noisy)
    assert len(shapes) > 1
    assert max(max(shape[2:]) for shape in shapes) <= 160
    assert torch.allclose(tiled, whole, atol=1e-3)
    monkeypatch.setattr(prediction, "reach", lambda network: 0)  # without an overlap there are seams
    assert not torch.allclose(predict(small, noisy), whole, atol=0.1)


def test_bfloat16_changes_a_picture_only_by_what_the_network_does(small):
    """A network that changes nothing returns the picture's own digits; one that does is near its float32 self."""
    noisy = torch.rand(2, 3, 24, 40) * 255
    assert (predict(unet((6, 5), (1, 1)), noisy, mixed=True) - noisy).abs().max() < 1e-4
    exact, mixed = predict(small, noisy), predict(small, noisy, mixed=True)
    assert 0 < (mixed - exact).abs().max() < 0.05 * (exact - noisy).abs().max()


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_restores_a_batch_in_its_shape(name):
    assert predict(NETWORKS[name](), torch.rand(2, 3, 13, 21) * 255).shape == (2, 3, 13, 21)
