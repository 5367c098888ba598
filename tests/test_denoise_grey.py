"""Grey pictures are denoised as coloured ones are, whether their file has one colour or three."""

from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

import denoise
from data.pictures import Picture, read_picture
from denoising.grey import coloured, one_colour
from denoising.work import psnr

PHOTO = Path(__file__).parent.parent / "data" / "photos" / "animal-bee.jpg"


def test_noise_is_made_independent_from_colour_to_colour_and_the_mean_stays():
    values = (50 * torch.randn(1, 1, 200, 200, generator=torch.Generator().manual_seed(0))).expand(-1, 3, -1, -1)
    seen = coloured(values, 50.0, "here")
    torch.testing.assert_close(seen.mean(1), values[:, 0], atol=1e-4, rtol=0)
    torch.testing.assert_close(seen[0].flatten(1).cov() / 7500, torch.eye(3), atol=0.03, rtol=0)
    assert torch.equal(seen, coloured(values, 50.0, "here"))
    assert not torch.equal(seen, coloured(values, 50.0, "there"))


def test_a_picture_of_three_equal_colours_is_grey():
    grey = numpy.random.default_rng(0).integers(0, 256, (300, 20, 1)).astype("uint8")
    pixels = grey.repeat(3, 2)
    assert numpy.array_equal(one_colour(Picture(pixels)).pixels, grey)
    assert numpy.array_equal(one_colour(Picture(grey)).pixels, grey)
    pixels[299, 19, 2] ^= 1
    assert one_colour(Picture(pixels)) is None


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_grey_photograph_loses_its_noise(mode, tmp_path, monkeypatch):
    """What a network that takes the noise for a part of the picture leaves there, is nearly all: it gains 0.4 dB."""
    monkeypatch.chdir(tmp_path)
    with Image.open(PHOTO) as photo:
        clean = numpy.asarray(photo.crop((60, 60, 220, 180)).convert("L"))
    noisy = (clean + numpy.random.default_rng(0).normal(0, 25, clean.shape)).round().clip(0, 255).astype("uint8")
    for name, values in (("clean.png", clean), ("a.png", noisy)):
        Image.fromarray(values).convert(mode).save(name)
    assert denoise.main(["a.png"]) == 0
    noisy, result, clean = (read_picture(Path(name)) for name in ("a.png", "a_denoised.png", "clean.png"))
    assert result.pixels.shape == clean.pixels.shape
    assert psnr(result, clean) > psnr(noisy, clean) + 11
    assert one_colour(result)
