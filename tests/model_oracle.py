"""The checks of `Model` that tests and mutation harness share; each takes the class."""

import oracle
import torch
from torch import nn

SIZES = [(1, 1), (5, 7), (31, 33), (32, 32), (4, 2), (64, 36)]


def pictures(n, height=32, width=32, dtype=torch.float32):
    """Smooth random pictures, values 0–255."""
    coarse = torch.rand(n, 3, 4, 4) * 255
    smooth = nn.functional.interpolate(coarse, (height, width), mode="bilinear", align_corners=True)
    return smooth.round().to(dtype)


def noisy_pairs(n, dtype=torch.uint8):
    """Two noisy versions, N×3×32×32, of the same pictures."""
    clean = pictures(n)
    return [(clean + 20 * torch.randn_like(clean)).clamp(0, 255).round().to(dtype) for _ in range(2)]


def weights(model):
    return [value.detach().cpu().clone() for value, _ in model.network.param()]  # the network may be on CUDA


def same(before, after):
    return all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def check_predict(Model, dtype, layout="contiguous"):
    """Shape, type and range for every size and batch; uint8 and float agree; the input stays as it is."""
    model, results = Model(), []
    for height, width in SIZES:
        for n in (0, 1, 3, 3, 1):
            noisy = torch.randint(0, 256, (n, 3, height, width)).to(dtype)
            noisy = oracle.LAYOUTS[layout](noisy) if n else noisy
            copy = noisy.clone()
            result = model.predict(noisy)
            assert type(result) is torch.Tensor
            assert result.shape == noisy.shape, f"expected shape {[*noisy.shape]}, not {[*result.shape]}"
            assert result.dtype == torch.float32, f"expected float32, not {result.dtype}"
            assert torch.equal(noisy, copy), "predict changed its input"
            assert ((result >= 0) & (result <= 255)).all(), "values beyond 0–255"
            as_float = model.predict(copy.float().contiguous())
            assert torch.allclose(result, as_float, atol=1e-3, rtol=0), "the result depends on the type or layout"
            results.append((result, result.clone()))
            assert all(torch.equal(kept, value) for kept, value in results), "predict changed an earlier result"


def check_scale(Model):
    """Values are 0–255, in and out: a network of zeros answers mid-grey, one that has learnt grey answers grey."""
    model = Model()
    for value, _ in model.network.param():
        value.zero_()
    grey = model.predict(torch.full((2, 3, 8, 8), 99.0))
    assert torch.allclose(grey, torch.full_like(grey, 127.5)), "sigmoid(0) is the middle of 0–255"
    model = Model()  # inputs divided by 255, as the first layer sees them
    seen = []
    first = model.network[0]
    forward = first.forward
    first.forward = lambda x, *args, **kwargs: (seen.append(x.detach().cpu().clone()), forward(x, *args, **kwargs))[1]
    for dtype in (torch.uint8, torch.float32):
        model.predict(torch.full((1, 3, 8, 8), 102, dtype=dtype))
    assert all(torch.allclose(x, torch.full_like(x, 102 / 255)) for x in seen), "the network takes values 0–1"
    assert seen


def check_batch_independence(Model, n=130, size=(16, 20)):
    """A picture's result is the same alone, among others, and among other others."""
    model, noisy = Model(), torch.randint(0, 256, (n, 3, *size), dtype=torch.uint8)
    noisy[0] //= 8  # a dark picture among bright ones
    together, reverse = model.predict(noisy), model.predict(noisy.flip(0)).flip(0)
    alone = torch.cat([model.predict(noisy[i : i + 1]) for i in range(0, n, 13)])
    assert (together - reverse).abs().max() <= 1e-3
    assert (together[::13] - alone).abs().max() <= 1e-3
    noisy[1:] //= 8
    assert (model.predict(noisy)[0] - together[0]).abs().max() <= 1e-3


def check_train(Model, n, dtype, num_epochs=1):
    """Weights move, from where they are; inputs and global switches stay; the same seed gives the same weights."""
    results = []
    for _ in range(2):
        torch.manual_seed(3)
        model, pair = Model(), noisy_pairs(n, dtype)
        copies, before = [tensor.clone() for tensor in pair], weights(model)
        switches = torch.is_grad_enabled(), torch.get_default_dtype()
        assert model.train(*pair, num_epochs) is None
        assert (torch.is_grad_enabled(), torch.get_default_dtype()) == switches
        assert same(pair, copies), "train changed its input"
        for old, new in zip(before, weights(model), strict=True):
            assert new.isfinite().all()
            assert not torch.equal(old, new), "train left weights as they were"
            assert (new - old).norm() < 0.9 * old.norm(), "train did not go on from the weights it found"
        results.append(weights(model))
    assert same(*results), "the same seed, but not the same weights"


def check_learning(Model):
    """Some sixty steps bring the prediction closer to the clean pictures."""
    torch.manual_seed(4)
    clean = pictures(500, 16, 16)
    noisy_in, noisy_out = ((clean + 20 * torch.randn_like(clean)).clamp(0, 255) for _ in range(2))
    model = Model()
    before = (model.predict(noisy_in) - clean).square().mean()
    model.train(noisy_in, noisy_out, 12)
    after = (model.predict(noisy_in) - clean).square().mean()
    assert after < 0.7 * before, f"mean squared error {before:.0f} before, {after:.0f} after"


def check_refusals(Model):
    """train and predict refuse what they can't use, in words, and leave the weights as they are."""
    model, good = Model(), noisy_pairs(4, torch.float32)
    before = weights(model)

    def with_value(value):
        bad = good[0].clone()
        bad[2, 1, 5, 6] = value
        return bad

    bad_pictures = {
        "not a tensor": good[0].tolist(),
        "nothing": None,
        "one picture without a batch": good[0][0],
        "one channel": good[0][:, :1],
        "channels last": good[0].permute(0, 2, 3, 1),
        "whole numbers wider than a byte": good[0].long(),
        "truth values": good[0].bool(),
        "complex numbers": good[0] + 0j,
        "NaN": with_value(torch.nan),
        "infinity": with_value(torch.inf),
        "below 0": with_value(-1.0),
        "above 255": with_value(256.0),
    }
    calls = {
        "as many of each": lambda: model.train(good[0], good[1][:3], 1),
        "one size": lambda: model.train(good[0], good[1][:, :, :16], 1),
        "at least one": lambda: model.train(good[0][:0], good[1][:0], 1),
        "a range that is one": lambda: model.train(good[0], good[1] * 2, 1),
    }
    for what, bad in bad_pictures.items():
        calls[f"train from {what}"] = lambda bad=bad: model.train(bad, good[1], 1)
        calls[f"train to {what}"] = lambda bad=bad: model.train(good[0], bad, 1)
        if what not in ("NaN", "infinity", "below 0", "above 255"):
            calls[f"predict from {what}"] = lambda bad=bad: model.predict(bad)
    for what, call in calls.items():
        try:
            message = oracle.refusal(call, ValueError)
        except AssertionError as error:
            raise AssertionError(f"{what}: {error}") from None
        assert 20 < len(message) < 300, f"{what}: expected one sentence, not {message!r}"
        assert "\n" not in message
        assert same(before, weights(model)), f"{what}: refused, but the weights changed"
