"""Photographs of every kind are read as RGB, and windows are the course's cut or random ones of its scale."""

import math

import numpy
import pytest
import torch
from PIL import Image

from data.load import DataError
from data.windows import SIDE, course_window, find_photos, random_windows, read_photo

RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def textured(width: int, height: int, seed: int = 0) -> Image.Image:
    """Noise at several scales, as photographs have it."""
    layers = [
        numpy.random.default_rng(seed + n).integers(0, 256, (math.ceil(height / n), math.ceil(width / n), 3), "uint8")
        for n in (1, 4, 16)
    ]
    layers = [numpy.asarray(Image.fromarray(layer).resize((width, height)), float) for layer in layers]
    return Image.fromarray((sum(layers) / 3).astype("uint8"))


def half_red_half_green() -> Image.Image:
    image = Image.new("RGB", (64, 48), RED)
    image.paste(GREEN, (32, 0, 64, 48))
    return image


def test_an_rgb_photograph_is_read_as_it_is(tmp_path):
    photo = textured(80, 60)
    photo.save(tmp_path / "a.png")
    assert numpy.array_equal(numpy.asarray(read_photo(tmp_path / "a.png")), numpy.asarray(photo))


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[274] = 6  # turn a quarter clockwise to see it upright
    half_red_half_green().save(tmp_path / "a.png", exif=exif)
    photo = read_photo(tmp_path / "a.png")
    assert photo.size == (48, 64)
    assert photo.getpixel((24, 5)) == RED
    assert photo.getpixel((24, 60)) == GREEN


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_laid_over_white(tmp_path, mode):
    image = half_red_half_green().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 16, 48))
    image.convert(mode).save(tmp_path / "a.png")
    assert read_photo(tmp_path / "a.png").mode == "RGB"
    assert read_photo(tmp_path / "a.png").getpixel((5, 5)) == WHITE


def test_a_palette_with_a_transparent_colour(tmp_path):
    half_red_half_green().quantize(4).save(tmp_path / "a.png", transparency=0)
    colours = {read_photo(tmp_path / "a.png").getpixel((x, 5)) for x in (5, 60)}
    assert WHITE in colours
    assert colours <= {WHITE, RED, GREEN}


def test_grey_and_palette_and_cmyk(tmp_path):
    grey = textured(64, 48).convert("L")
    grey.save(tmp_path / "grey.png")
    assert numpy.array_equal(numpy.asarray(read_photo(tmp_path / "grey.png"))[..., 1], numpy.asarray(grey))
    half_red_half_green().quantize(4).save(tmp_path / "palette.png")
    assert read_photo(tmp_path / "palette.png").getpixel((60, 5)) == GREEN
    half_red_half_green().convert("CMYK").save(tmp_path / "cmyk.jpg", quality=100)
    assert numpy.allclose(read_photo(tmp_path / "cmyk.jpg").getpixel((60, 5)), GREEN, atol=4)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_are_scaled_not_clipped(tmp_path, suffix):
    grey = numpy.tile(numpy.linspace(0, 65535, 64).astype("uint16"), (48, 1))
    Image.fromarray(grey).save(tmp_path / f"a.{suffix}")
    read = numpy.asarray(read_photo(tmp_path / f"a.{suffix}"))
    assert numpy.abs(read[..., 0] - grey / 257).max() <= 1


@pytest.mark.parametrize("kept", [0, 10, 500])
def test_a_damaged_photograph_is_named(tmp_path, kept):
    textured(80, 60).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:kept])
    with pytest.raises(DataError, match=r"a\.jpg: not a readable photograph"):
        read_photo(tmp_path / "a.jpg")


def test_a_tiny_picture_is_refused(tmp_path):
    textured(200, 31).save(tmp_path / "a.png")
    with pytest.raises(DataError, match="200×31 is too small"):
        read_photo(tmp_path / "a.png")


def test_photographs_are_found_in_folders_with_spaces_and_below_them(tmp_path):
    for name in ("my photos/b.JPG", "my photos/below/a.png", "my photos/.hidden.jpg", "my photos/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = find_photos([tmp_path / "my photos", str(tmp_path / "my photos" / "below")])
    assert [path.name for path in found] == ["a.png", "b.JPG"]


def test_a_missing_and_an_empty_folder_are_told_apart(tmp_path):
    with pytest.raises(DataError, match="none: no such folder"):
        find_photos([tmp_path / "none"])
    with pytest.raises(DataError, match="no photograph in"):
        find_photos([tmp_path])


@pytest.mark.parametrize("size", [(500, 375), (375, 500), (256, 256), (300, 256), (97, 131), (1200, 801)])
def test_the_course_window_is_scale_to_256_then_cut_the_centre(size):
    photo = textured(*size)
    width, height = (side * 256 // min(size) for side in size)
    left, top = round((width - 256) / 2), round((height - 256) / 2)
    scaled = photo.resize((width, height), Image.Resampling.BICUBIC)
    expected = numpy.asarray(scaled.crop((left, top, left + 256, top + 256)), int)
    window = course_window(photo)
    assert window.shape == (3, SIDE, SIDE)
    assert window.dtype == torch.uint8
    assert numpy.abs(window.permute(1, 2, 0).numpy() - expected).max() <= 1


def test_random_windows_show_the_place_they_were_cut_from_in_all_8_turns():
    # Colours that say where a pixel is: red grows to the right, green downwards; blue tells a flip from a turn.
    x, y = numpy.meshgrid(numpy.arange(400) * 255 / 399, numpy.arange(256) * 255 / 255)
    photo = Image.fromarray(numpy.stack([x, y, 0 * x], 2).astype("uint8"))
    turns, places = set(), []
    for window in random_windows(photo, 100, seeded(), zoom=1).float():
        slopes = [(window[c, -1, 128] - window[c, 0, 128], window[c, 128, -1] - window[c, 128, 0]) for c in (0, 1)]
        turns.add(tuple(int(torch.sign(s)) if abs(s) > 20 else 0 for pair in slopes for s in pair))
        assert window[0].max() - window[0].min() == pytest.approx(255 * 256 / 400, abs=3)  # 256 wide
        assert window[1].max() - window[1].min() == pytest.approx(255, abs=3)  # and all of the height
        places.append(float(window[0].min()))
    assert len(turns) == 8
    assert min(places) < 5
    assert max(places) > 255 * 144 / 400 - 5


def test_zoom_spreads_the_scale_from_the_course_s_up():
    height = numpy.tile((numpy.arange(512) / 2).astype("uint8")[:, None, None], (1, 512, 3))
    windows = random_windows(Image.fromarray(height), 200, seeded(), zoom=2).flatten(1).float()
    covered = (windows.amax(1) - windows.amin(1)) / 255  # part of the photograph's height
    assert covered.min() < 0.53
    assert covered.max() > 0.97
    assert covered.log2().mean() == pytest.approx(-0.5, abs=0.07)


def test_windows_of_a_large_photograph_look_like_those_of_a_smaller_one():
    small = textured(640, 640)
    large = small.resize((3200, 3200), Image.Resampling.BICUBIC)
    a, b = random_windows(small, 3, seeded()).float(), random_windows(large, 3, seeded()).float()
    assert (a - b).abs().mean() < 2


def test_windows_repeat_with_the_seed():
    photo = textured(500, 375)
    first = random_windows(photo, 4, seeded(3))
    assert torch.equal(first, random_windows(photo, 4, seeded(3)))
    assert not torch.equal(first, random_windows(photo, 4, seeded(4)))
    assert len(random_windows(photo, 0, seeded())) == 0
