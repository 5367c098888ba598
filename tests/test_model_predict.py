"""Model.predict: any number and size of pictures, 0–255 in and out, in bounded memory."""

import math

import model_oracle
import oracle
import package
import pytest
import torch

from Proj_2.model import Model


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64], ids=str)
def test_predict(dtype):
    model_oracle.check_predict(Model, dtype)


@pytest.mark.parametrize("layout", [name for name in oracle.LAYOUTS if name != "contiguous"])
def test_predict_any_layout(layout):
    model_oracle.check_predict(Model, torch.float32, layout)


def test_predict_with_autograd_off():
    torch.set_grad_enabled(False)
    model_oracle.check_predict(Model, torch.float32)


def test_values_are_0_to_255():
    model_oracle.check_scale(Model)


def test_a_picture_does_not_depend_on_its_batch():
    model_oracle.check_batch_independence(Model)


def test_a_large_picture_shows_no_seam():
    """Wherever a large picture is cut, the middle of the piece comes out as it does in the whole."""
    model, noisy = Model(), torch.randint(0, 256, (1, 3, 1100, 612), dtype=torch.uint8)
    whole, margin = model.predict(noisy), 64
    for top in range(0, 1100 - 256, 128):
        for left in (0, 128, 256, 356):
            piece = model.predict(noisy[:, :, top : top + 256, left : left + 256])
            inner = slice(margin, -margin)
            difference = (piece - whole[:, :, top : top + 256, left : left + 256])[:, :, inner, inner]
            assert difference.abs().max() <= 1e-3, f"at {top}, {left}"


@pytest.mark.parametrize(
    ("shape", "most"),
    [
        ((1, 3, 2048, 2048), 0.75e9),
        pytest.param((1, 3, 4096, 4096), 2e9, marks=pytest.mark.slow),
        pytest.param((50_000, 3, 32, 32), 2e9, marks=pytest.mark.slow),
    ],
    ids=["one large picture", "one very large picture", "many small pictures"],
)
def test_memory_is_bounded(shape, most, tmp_path):
    """At most 2 GB over the input, result included, for what has as many pixels as a picture of 4096×4096."""
    # VmHWM and not ru_maxrss: a child inherits the latter from a parent that is larger.
    code = f"""
import json, torch
from Proj_2.model import Model
def kilobytes(field):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(field))
model, noisy = Model(), torch.randint(0, 256, {shape}, dtype=torch.uint8)
model.predict(noisy[:1, :, :8, :8])
before = kilobytes("VmRSS")
result = model.predict(noisy)
assert result.shape == noisy.shape
print(json.dumps((kilobytes("VmHWM") - before) * 1024))
"""
    used = package.run(code, package.FOLDER, tmp_path)
    assert math.prod(shape) * 4 * 0.9 < used < most  # the result alone is float32: the measure measures
