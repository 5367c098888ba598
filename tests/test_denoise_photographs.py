"""denoise.py on photographs: the noise found, what is left alone, what a file holds, tiles, the page."""

import re
from base64 import b64decode
from html import unescape
from io import BytesIO
from pathlib import Path

import numpy
import pytest
import tifffile
import torch
from PIL import Image

import denoise
from data.deep import write_png
from data.noise import noise
from data.pictures import Picture, read_picture
from denoising import denoiser
from denoising.estimate import noise_level
from denoising.work import corrupted, psnr
from Proj_2.others.networks import unet
from Proj_2.others.prediction import predict

PHOTOS = Path(__file__).parent.parent / "data" / "photos"
# Leaves, stones, fur and grass over all of the picture among them.
TEXTURED = ["land-brook", "animal-crab", "farm-pig", "farm-chicken", "monument-reims-cathedral", "animal-giraffe"]
SMOOTH = ["animal-bee", "farm-duck"]
PROFILE = b"what an ICC profile holds"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """An empty working directory, and weights that change nothing."""
    torch.save(unet().state_dict(), tmp_path / "blind.pth")
    monkeypatch.setattr(denoiser, "WEIGHTS", tmp_path / "blind.pth")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return Path()


@pytest.fixture
def blur(monkeypatch):
    """A network that takes all noise away, and all texture with it."""

    def predict(network, noisy, mixed, tile):
        around = torch.nn.functional.pad(noisy, (2, 2, 2, 2), mode="replicate")
        return torch.nn.functional.avg_pool2d(around, 5, 1)

    monkeypatch.setattr(denoiser, "predict", predict)


def photo(name: str) -> Picture:
    return read_picture(PHOTOS / f"{name}.jpg")


def noisy(name: str, kind: str) -> tuple[Picture, Picture]:
    return corrupted(photo(name), noise(kind), Path(name))


@pytest.mark.parametrize("name", TEXTURED + SMOOTH)
def test_the_noise_that_is_found_is_that_which_is_there(name):
    assert noise_level(photo(name)) < 2
    for sigma in (5, 10, 25):
        assert noise_level(noisy(name, f"gaussian:{sigma}")[0]) == pytest.approx(sigma, rel=0.15)
    grey = photo(name)
    grey.pixels = grey.pixels.mean(2, keepdims=True).astype("uint8")
    picture, _ = corrupted(grey, noise("gaussian:25"), Path(name))
    assert picture.pixels.shape[2] == 1
    assert noise_level(picture) == pytest.approx(25 / 3**0.5, rel=0.4)  # the mean of the three colours' noise


@pytest.mark.parametrize("name", TEXTURED + SMOOTH)
@pytest.mark.parametrize("sigma", [0, 1, 2])
def test_a_picture_with_hardly_any_noise_is_never_made_worse(name, sigma, blur, capsys):
    picture, truth = noisy(name, f"gaussian:{sigma}")
    Image.fromarray(picture.pixels).save("a.png")
    Image.fromarray(truth.pixels).save("clean.png")
    assert denoise.main(["a.png", "--clean", "clean.png"]) == 0
    assert "as it was: hardly any noise" in capsys.readouterr().out
    assert psnr(read_picture(Path("a_denoised.png")), truth) >= psnr(picture, truth)


def test_true_noise_is_not_spared_and_strength_is_a_part_of_it(blur, capsys):
    for name in TEXTURED + SMOOTH:
        assert denoiser.needed(noise_level(noisy(name, "gaussian:5")[0])) > 0.9
    Image.fromarray(noisy("land-brook", "gaussian:10")[0].pixels).save("a.png")
    results = []
    for strength in ("0", "0.5", "1"):
        assert denoise.main(["a.png", "--strength", strength, "-o", "b.png"]) == 0
        results.append(read_picture(Path("b.png")).pixels.astype(int))
    assert "hardly" not in capsys.readouterr().out
    assert numpy.array_equal(results[0], read_picture(Path("a.png")).pixels)
    assert abs(results[1] - (results[0] + results[2]) / 2).max() <= 1
    assert abs(results[2] - results[0]).mean() > 5


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (17, 64)])
def test_pictures_smaller_than_what_the_network_sees_are_denoised(size, capsys):
    """Whether their noise can be estimated or not."""
    pixels = numpy.random.default_rng(0).integers(0, 256, (*size, 3), "uint8")
    Image.fromarray(pixels).save("a.png")
    assert denoise.main(["a.png"]) == 0
    assert "hardly" not in capsys.readouterr().out
    assert numpy.array_equal(
        read_picture(Path("a_denoised.png")).pixels, pixels
    )  # the test's network changes nothing


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("suffix", ["png", "tif", "deflated.tif", "big.tif"])
def test_16_bits_of_colour_come_back(channels, suffix):
    pixels = numpy.random.default_rng(0).integers(0, 65536, (300, 41, channels)).astype("uint16")
    path = Path(f"a.{suffix}")
    if suffix == "png":
        write_png(path, pixels, PROFILE)
    else:
        options = {"deflated.tif": {"compression": "deflate"}, "big.tif": {"byteorder": ">"}}.get(suffix, {})
        extra = ["unassalpha"] if channels == 4 else None
        tifffile.imwrite(path, pixels, photometric="rgb", extrasamples=extra, iccprofile=PROFILE, **options)
    assert denoise.main([str(path), "-o", "result.png"]) == 0
    result = read_picture(Path("result.png"))
    found = result.pixels if channels == 3 else numpy.dstack([result.pixels, result.alpha])
    assert result.profile == PROFILE
    assert found.dtype == "uint16"
    assert abs(found.astype(int) - pixels).max() <= 1  # 32 bits in the network
    with Image.open("result.png") as image:  # another reader than ours
        assert numpy.array_equal(numpy.asarray(image), found >> 8)


def test_16_bits_that_are_lost_are_said_to_be(capsys):
    pixels = numpy.random.default_rng(0).integers(0, 65536, (3, 40, 41)).astype("uint16")
    tifffile.imwrite("a.tif", pixels, photometric="rgb", planarconfig="separate")
    assert denoise.main(["a.tif"]) == 0
    assert "note: a.tif: its 16 bits a colour are read as 8" in capsys.readouterr().err


def test_exif_is_kept_but_for_the_orientation_that_was_applied():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif.get_ifd(0x8769)[0x9003] = 6, "Maker", "2024:05:06 07:08:09"
    image = Image.fromarray(noisy("animal-bee", "gaussian:10")[0].pixels)
    image.save("a.jpg", exif=exif)
    assert denoise.main(["a.jpg"]) == 0
    with Image.open("a_denoised.png") as result:
        kept = result.getexif()
        assert result.size == (image.height, image.width)
    assert (kept.get(0x0112, 1), kept[0x010F], kept.get_ifd(0x8769)[0x9003]) == (1, "Maker", "2024:05:06 07:08:09")


def test_tiles_make_no_difference(monkeypatch):
    network = unet((4, 8, 8), (1, 1, 1))
    torch.nn.init.normal_(network[-1].weight, 0, 0.1)
    picture = Picture(photo("animal-bee").pixels[:300])
    with torch.no_grad():
        whole = predict(network, picture.values()).clamp(0, 255)
        monkeypatch.setattr(denoiser, "on_cpu_mixed", lambda network: False)
        monkeypatch.setattr(denoiser, "TILE", 128)
        seen = []
        result = denoiser.denoise(network, picture, 1.0, seen.append)
    assert len(seen) > 9
    assert sum(seen) == picture.pixels[:, :, 0].size
    assert (result.values() - whole).abs().max() < 0.51
    assert not numpy.array_equal(result.pixels, picture.pixels)


def test_the_page_holds_all_that_it_shows_and_asks_for_nothing(capsys):
    pictures = [noisy(name, "gaussian:25")[0] for name in SMOOTH]
    names = ["a & <b>.png", 'it"s.png']
    for name, picture in zip(names, pictures, strict=True):
        Image.fromarray(picture.pixels).save(name, icc_profile=PROFILE)
    assert denoise.main([*names, "--html", "pages/look.html"]) == 0
    assert "page: pages/look.html" in capsys.readouterr().out
    text = Path("pages/look.html").read_text("utf-8")
    sources = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', text)
    outside = re.sub(r'"data:image/jpeg;base64,[^"]+"', "", text)
    assert not re.search(r"https?:|//\w|url\(|@import|<link|src=\"|href", outside)
    assert [unescape(name) for name in re.findall(r"<b>(.*?)</b>", text)] == names
    assert text.count('<input type="range"') == 2
    assert len(sources) == 4
    for i, source in enumerate(sources):
        with Image.open(BytesIO(b64decode(source))) as image:
            assert image.info["icc_profile"] == PROFILE
            assert abs(numpy.asarray(image).astype(int) - pictures[i // 2].pixels).mean() < 5


def test_a_page_that_no_browser_could_show_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("denoising.work.LARGEST", 100)
    Image.new("RGB", (40, 40)).save("a.png")
    assert denoise.main(["a.png", "--html", "b.html"]) == 2
    assert "a page of the first 1 pictures is too large already; name fewer" in capsys.readouterr().err
    assert not Path("b.html").exists()
