"""JPEG files that hold the colours in half the size, as most do, lose their noise too."""

from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

import denoise
from data.pictures import Picture, read_picture
from denoising.halved import brightness, denoise_halved
from denoising.work import psnr

PHOTO = Path(__file__).parent.parent / "data" / "photos" / "animal-bee.jpg"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("subsampling", "halved"), [(0, False), (1, True), (2, True)])
def test_a_file_tells_whether_its_colours_are_halved(subsampling, halved):
    Image.new("RGB", (20, 20), "red").save("a.jpg", subsampling=subsampling)
    assert read_picture(Path("a.jpg")).halved == halved
    Image.new("L", (20, 20)).save("grey.jpg")
    Image.new("RGB", (20, 20), "red").save("a.png")
    assert not read_picture(Path("grey.jpg")).halved
    assert not read_picture(Path("a.png")).halved


@pytest.mark.parametrize("size", [(8, 12), (7, 11), (1, 1)])
def test_brightness_is_the_picture_s_and_the_colours_those_at_half_the_size(size):
    """With a network that changes nothing: what has its colours in half the size already comes back."""
    values = (torch.arange(float(size[0]))[:, None] * 9 + torch.arange(float(size[1]))).expand(1, 3, -1, -1)
    values = values + torch.tensor([30.0, 60.0, 90.0]).view(3, 1, 1)
    torch.testing.assert_close(denoise_halved(lambda x: x, values, 5.0, "here"), values, atol=1e-3, rtol=0)
    asked = []
    denoise_halved(lambda x: asked.append(x.shape[2:]) or x, values, 5.0, "here")
    assert [tuple(shape) for shape in asked] == [size, tuple(-(-length // 2) for length in size)]


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_brightness_weighs_the_colours(dtype):
    pixels = numpy.random.default_rng(0).integers(0, numpy.iinfo(dtype).max, (600, 5, 3)).astype(dtype)
    expected = pixels @ numpy.array([0.299, 0.587, 0.114])
    assert brightness(Picture(pixels)).pixels.dtype == dtype
    assert abs(brightness(Picture(pixels)).pixels[:, :, 0] - expected).max() < 0.51


def test_such_a_photograph_loses_its_noise():
    """Asked directly, the network leaves nearly all of it there: 0.3 dB are gained."""
    with Image.open(PHOTO) as photo:
        clean = numpy.asarray(photo.crop((60, 60, 220, 180)))
    noisy = (clean + numpy.random.default_rng(0).normal(0, 25, clean.shape)).round().clip(0, 255).astype("uint8")
    Image.fromarray(noisy).save("a.jpg", quality=90, subsampling=2)
    assert denoise.main(["a.jpg"]) == 0
    noisy, result = (read_picture(Path(name)) for name in ("a.jpg", "a_denoised.png"))
    assert psnr(result, Picture(clean)) > psnr(noisy, Picture(clean)) + 8
