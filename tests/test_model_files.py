"""Model.load_pretrained_model: from anywhere; whatever is wrong with the file is said, and changes nothing."""

import os

import model_oracle
import oracle
import package
import pytest
import torch
from torch import nn

from Proj_2.model import Model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return package.copy(tmp_path_factory.mktemp("submission"))


@pytest.fixture
def copied(folder):
    """The Model of a copy of the submission, and the path of its weights, which are some network's."""
    module, path = package.load(folder), folder / "bestmodel.pth"
    torch.save({key: value.cpu().clone() for key, value in module.Model().network.state_dict().items()}, path)
    return module.Model, path


class Payload:
    """What a pickle may do when it is opened carelessly."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def damaged(path, kind):
    """Put something in place of a file of weights that is no such file."""
    state = torch.load(path)
    first = next(iter(state))
    contents = {
        "another network": {"0.weight": torch.zeros(3), "1.bias": torch.zeros(2)},
        "one key missing": {key: value + 1 for key, value in state.items() if key != first},
        "one key too many": {**{key: value + 1 for key, value in state.items()}, "extra": torch.zeros(1)},
        "last shape wrong": {key: value + 1 for key, value in state.items()} | {list(state)[-1]: torch.zeros(7)},
        "names without tensors": dict.fromkeys(state, 1.0),
        "a list": list(state.values()),
        "a tensor": torch.zeros(3),
        "nothing": None,
        "a payload": {**state, first: Payload(path.with_name("opened"))},
    }
    whole = path.read_bytes()
    if kind in contents:
        torch.save(contents[kind], path)
    else:
        cut = {"truncated": whole[: len(whole) // 2], "one byte short": whole[:-1]}
        path.write_bytes({**cut, "empty": b"", "text": b"not weights\n" * 50}[kind])


KINDS = ["truncated", "one byte short", "empty", "text", "another network", "one key missing", "one key too many"]
KINDS += ["last shape wrong", "names without tensors", "a list", "a tensor", "nothing", "a payload"]


def test_missing_file(copied):
    Model, path = copied
    path.unlink()
    model = Model()
    before = model_oracle.weights(model)
    assert path.name in oracle.refusal(model.load_pretrained_model, FileNotFoundError)
    assert model_oracle.same(before, model_oracle.weights(model))


@pytest.mark.parametrize("kind", KINDS)
def test_foreign_file(copied, kind):
    Model, path = copied
    damaged(path, kind)
    model = Model()
    before = model_oracle.weights(model)
    message = oracle.refusal(model.load_pretrained_model, ValueError)
    assert path.name in message
    assert "\n" not in message
    assert model_oracle.same(before, model_oracle.weights(model)), "refused, but the weights changed"
    assert not path.with_name("opened").exists(), "opening the file ran the code in it"


def test_loads_from_any_directory(copied, tmp_path, monkeypatch):
    Model, path = copied
    monkeypatch.chdir(tmp_path)
    state = torch.load(path)
    torch.manual_seed(1)
    for model in (Model(), Model()):
        optimised = [value for value, _ in model.network.param()]
        model.load_pretrained_model()
        assert model_oracle.same(state.values(), model_oracle.weights(model))
        assert model_oracle.same(state.values(), [value.cpu() for value in optimised]), (
            "an optimiser made before does not see what was loaded"
        )


def test_training_goes_on_from_what_was_loaded(copied):
    Model, path = copied
    model = Model()
    model.load_pretrained_model()
    model.train(*model_oracle.noisy_pairs(3), 1)
    for new, loaded in zip(model_oracle.weights(model), torch.load(path).values(), strict=True):
        assert 0 < (new - loaded).norm() < 0.3 * loaded.norm()


# --- the file that is shipped -------------------------------------------------------------------------------


def torch_twin(network):
    """The same network of torch.nn."""

    def layer(ours):
        if not hasattr(ours, "weight"):
            return {"ReLU": nn.ReLU, "Sigmoid": nn.Sigmoid}[type(ours).__name__]()
        transposed = hasattr(ours, "output_padding")
        columns, rows = ours.weight.shape[:2] if transposed else ours.weight.shape[1::-1]
        options = {name: getattr(ours, name) for name in ("stride", "padding", "dilation")}
        options |= {"output_padding": ours.output_padding} if transposed else {}
        kind = nn.ConvTranspose2d if transposed else nn.Conv2d
        return kind(columns, rows, tuple(ours.weight.shape[2:]), bias=ours.bias is not None, **options)

    return nn.Sequential(*map(layer, network))


def test_torch_loads_the_shipped_weights():
    model = Model()
    model.load_pretrained_model()
    twin = torch_twin(model.network)
    twin.load_state_dict(torch.load(package.FOLDER / "bestmodel.pth", map_location="cpu", weights_only=True))
    x = torch.rand(3, 3, 32, 64)
    device = model.network.param()[0][0].device
    assert torch.allclose(model.network.forward(x.to(device)).cpu(), twin(x), atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (31, 33), (32, 32)], ids=str)
def test_the_shipped_weights_keep_a_flat_picture(size):
    """To the last row and column: grey stays grey, and nothing of the padding shows."""
    model = Model()
    model.load_pretrained_model()
    for grey in (64, 128, 192):
        result = model.predict(torch.full((1, 3, *size), grey, dtype=torch.uint8))
        assert (result - grey).abs().max() < 30


def test_the_shipped_weights_denoise():
    """On pictures with the course's noise: one pixel of each 8×8 block for the block's mean."""
    model = Model()
    model.load_pretrained_model()
    large = model_oracle.pictures(20, 256, 256) + 40 * torch.randn(20, 3, 1, 1)
    large = (large + 30 * torch.randn(20, 1, 256, 256)).clamp(0, 255)
    clean = nn.functional.avg_pool2d(large, 8)
    noisy = large[:, :, 4::8, 4::8]
    error = [(x - clean).square().mean(dtype=torch.float64) for x in (noisy, model.predict(noisy.round()))]
    assert error[1] < error[0] / 2, f"mean squared error {error[0]:.0f} of the noisy, {error[1]:.0f} of the result"
