"""The benchmarks compare like with like: the contenders of a race take the same steps."""

import pytest
import torch

from benchmarks import contenders, ranking, twin
from Proj_2.others.networks import paper, unet
from Proj_2.others.training import Training


@pytest.mark.parametrize("make", [paper, lambda: unet((6, 8), (1, 1))], ids=["paper", "unet"])
def test_torch_trains_as_we_do(make):
    pairs = torch.randint(0, 256, (2, 50, 3, 32, 32), dtype=torch.uint8)
    ends = []
    for kind in (Training, contenders.TorchTraining):
        torch.manual_seed(0)
        training = kind(make(), 2, len(pairs[0]), batch_size=20)
        with torch.no_grad():
            losses = [float(loss) for _ in range(2) for loss in training.epoch(*pairs)]
        network = training.model if kind is contenders.TorchTraining else training.network
        ends.append((losses, network.state_dict()))
    torch.testing.assert_close(ends[0][0], ends[1][0], rtol=1e-4, atol=1e-6)
    for name, ours in ends[0][1].items():
        torch.testing.assert_close(ours, ends[1][1][name], rtol=1e-3, atol=1e-5)


def test_operations_of_a_layer_by_hand():
    """Conv 32·27·256, conv 64·128·64, transposed 64·128·64 and 32·12·256 products a picture; the first layer's
    gradient with respect to the pictures is left out.
    """
    step, forward = twin.operations(paper(), 1)
    products = [32 * 27 * 256, 64 * 128 * 64, 64 * 128 * 64, 32 * 12 * 256]
    assert forward == 2 * sum(products)
    assert step == 2 * (3 * sum(products) - products[0])


def test_operations_of_a_unet_by_hand():
    """On 8×8 pixels: entrance 16·12·4, 3×3 16·144 and 16·288, down 4·96, 3×3 4·324, up 4·96, exit 16·48."""
    step, forward = twin.operations(unet((4, 6), (1, 1)), 5, 8)
    products = [16 * 48, 16 * 144, 4 * 96, 4 * 324, 4 * 96, 16 * 288, 16 * 48]
    assert forward == 10 * sum(products)
    assert step == 10 * (3 * sum(products) - products[0])


def test_pairs_are_in_order_if_the_correct_one_has_more_points():
    assert [ranking.ordered(*pair) for pair in ((1.0, 0.9), (0.9, 1.0), (0.95, 0.95))] == [1, 0, 0.5]


def test_the_truth_is_read_and_what_is_none_is_refused(tmp_path):
    path = tmp_path / "TRUTH.csv"
    path.write_text("name,base,correct,severity,what\na,a,1,0,right\nb,a,0,3,no sum\n", encoding="utf-8")
    assert ranking.read(path) == {"a": (True, "right"), "b": (False, "no sum")}
    path.write_text("name,correct,what\na,perhaps,\n", encoding="utf-8")
    with pytest.raises(ValueError, match="expected yes or no"):
        ranking.read(path)
    path.write_text("name,right\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no column correct, what"):
        ranking.read(path)
