"""Pictures of every kind in, PNG out: nothing is lost, nothing overwritten, and one bad file stops no other."""

import os
import re
import shutil
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

import denoise
import Proj_2.model
from data.load import DataError
from data.noise import clean, corrupt
from data.pictures import read_picture, save_image
from data.psnr import psnr
from denoising import denoiser, sheet, work
from Proj_2.model import Model
from Proj_2.others.networks import unet

PROFILE = b"what an ICC profile holds"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """An empty working directory, and weights of our own: none need be in the repository."""
    torch.save(Model().network.state_dict(), tmp_path / "weights")
    monkeypatch.setattr(Proj_2.model, "WEIGHTS", tmp_path / "weights")
    torch.save(unet().state_dict(), tmp_path / "blind")
    monkeypatch.setattr(denoiser, "WEIGHTS", tmp_path / "blind")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return Path()


@pytest.fixture
def identity(monkeypatch):
    """A denoiser that changes nothing: what comes out must be what went in."""
    predicts(monkeypatch, lambda noisy: noisy)


def predicts(monkeypatch, made):
    """Have every network predict what the function makes of the noisy picture."""
    monkeypatch.setattr(denoiser, "predict", lambda network, noisy, mixed, tile: made(noisy))


def picture(width: int = 37, height: int = 22, mode: str = "RGB", seed: int = 0) -> Image.Image:
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    pixels = numpy.random.default_rng(seed).integers(0, 256, (height, width, channels), "uint8")
    return Image.fromarray(pixels.squeeze(2) if channels == 1 else pixels, mode)


def pixels(image) -> numpy.ndarray:
    with Image.open(image) if isinstance(image, Path | str) else image as opened:
        return numpy.asarray(opened)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_colours_grey_and_transparency_come_back_as_they_went_in(mode, identity):
    picture(mode=mode).save("a.png", icc_profile=PROFILE)
    assert denoise.main(["a.png"]) == 0
    with Image.open("a_denoised.png") as result:
        assert (result.format, result.mode, result.info.get("icc_profile")) == ("PNG", mode, PROFILE)
    assert numpy.array_equal(pixels("a_denoised.png"), pixels("a.png"))


@pytest.mark.parametrize(("name", "big_endian"), [("a.png", False), ("a.tif", False), ("a.tif", True)])
def test_16_bits_of_grey_come_back(name, big_endian, identity):
    values = numpy.random.default_rng(0).integers(0, 65536, (20, 30)).astype("uint16")
    image = (
        Image.frombytes("I;16B", (30, 20), values.astype(">u2").tobytes()) if big_endian else Image.fromarray(values)
    )
    image.save(name)
    assert denoise.main([name]) == 0
    with Image.open("a_denoised.png") as result:
        assert result.mode == "I;16"
        assert numpy.array_equal(numpy.asarray(result), values)


def test_palettes_and_single_bits_and_inks_become_rgb_or_grey(identity):
    picture().quantize(16).save("palette.png")
    picture().quantize(16).save("transparent.gif", transparency=3)
    picture(mode="L").convert("1").save("bits.tif")
    picture(mode="CMYK").save("inks.jpg", icc_profile=PROFILE)
    names = ["palette.png", "transparent.gif", "bits.tif", "inks.jpg"]
    assert denoise.main([*names, "-o", "out"]) == 0
    for name, mode in zip(names, ["RGB", "RGBA", "L", "RGB"], strict=True):
        with Image.open(name) as source, Image.open(Path("out", name).with_suffix(".png")) as result:
            assert result.mode == mode
            assert "icc_profile" not in result.info  # of inks, it would be wrong for RGB
            assert numpy.array_equal(numpy.asarray(result), numpy.asarray(source.convert(mode)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation, identity):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture().save("a.png", exif=exif)
    assert denoise.main(["a.png"]) == 0
    turned = {2: [0], 3: [3], 4: [1], 5: [5], 6: [4], 7: [6], 8: [2]}.get(orientation, [])  # Image.Transpose
    expected = picture()
    for turn in turned:
        expected = expected.transpose(turn)
    with Image.open("a_denoised.png") as result:
        assert result.getexif().get(0x0112, 1) == 1
    assert numpy.array_equal(pixels("a_denoised.png"), numpy.asarray(expected))


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (45, 33), (64, 64)])
def test_what_is_written_is_what_the_model_predicts(size):
    picture(*size).save("a.webp", lossless=True)
    assert denoise.main(["a.webp", "--noise", "course", "-o", "b.png"]) == 0
    model = Model()
    model.load_pretrained_model()
    noisy = torch.from_numpy(numpy.array(picture(*size))).permute(2, 0, 1)[None]
    expected = model.predict(noisy).round()[0].permute(1, 2, 0).byte().numpy()
    assert numpy.array_equal(pixels("b.png"), expected)
    assert not numpy.array_equal(pixels("b.png"), pixels("a.webp"))


def test_grey_stays_grey_and_the_colours_hidden_by_transparency_stay_hidden():
    picture(mode="LA").save("a.png")
    assert denoise.main(["a.png", "--noise", "course"]) == 0
    result = pixels("a_denoised.png")
    assert numpy.array_equal(result[:, :, 1], pixels("a.png")[:, :, 1])
    assert not numpy.array_equal(result[:, :, 0], pixels("a.png")[:, :, 0])


def test_a_folder_is_done_below_too_and_nothing_given_is_touched(folder, identity, capsys):
    for name in ("a.jpg", "b.png", "below/deep/c.BMP", ".hidden.png", ".cache/d.png"):
        Path("in", name).parent.mkdir(parents=True, exist_ok=True)
        picture().save(folder / "in" / name)
    Path("in/notes.txt").write_text("no picture")
    before = {name: Path("in", name).read_bytes() for name in files(Path("in"))}
    assert denoise.main(["in", "--noise", "course"]) == 0
    assert files(Path("in_denoised")) == ["a.png", "b.png", "below/deep/c.png"]
    assert {name: Path("in", name).read_bytes() for name in files(Path("in"))} == before
    table = capsys.readouterr().out.splitlines()
    assert [line.split() for line in table[1:]] == [
        [f"in/{name}", "37×22", f"in_denoised/{name[:-4]}.png"] for name in ("a.jpg", "b.png", "below/deep/c.BMP")
    ]

    assert denoise.main(["in", "-o", "in/out"]) == 0
    assert denoise.main(["in", "-o", "in/out"]) == 0  # its own results are no input
    assert files(Path("in/out")) == ["a.png", "b.png", "below/deep/c.png"]


def test_results_of_one_name_are_told_apart(identity):
    Path("in").mkdir()
    picture(seed=1).save("in/a.png")
    picture(seed=2).save("in/a.bmp")
    assert denoise.main(["in", "-o", "out"]) == 0
    assert files(Path("out")) == ["a.bmp.png", "a.png.png"]
    assert numpy.array_equal(pixels("out/a.bmp.png"), pixels("in/a.bmp"))


def test_a_bad_file_is_named_and_the_rest_is_done(identity, capsys):
    Path("in").mkdir()
    picture().save("in/a.png")
    Path("in/b.jpg").write_text("no picture at all")
    picture(200, 200).save("in/c.png")
    Path("in/c.png").write_bytes(Path("in/c.png").read_bytes()[:5000])
    Image.new("F", (9, 9)).save("in/d.tif")
    picture().save("in/e.jpg")
    assert denoise.main(["in"]) == 1
    assert files(Path("in_denoised")) == ["a.png", "e.png"]
    said = capsys.readouterr()
    for name in ("b.jpg", "c.png", "d.tif"):
        assert len(re.findall(rf"^error: in/{name}: ", said.err, re.MULTILINE)) == 1
        assert re.search(rf"^in/{name} +(\d+×\d+)? +failed$", said.out, re.MULTILINE)
    assert "3 of 5 failed" in said.err


def test_what_is_given_is_never_overwritten(identity, capsys):
    Path("in").mkdir()
    picture().save("in/a.png")
    before = Path("in/a.png").read_bytes()
    os.link("in/a.png", "link.png")
    Path("out").mkdir()
    os.symlink("../in/a.png", "out/a.png")
    for out in ("in/a.png", "in", "./in/../in/a.png", "link.png", "out"):
        assert denoise.main(["in/a.png", "-o", out]) == 2
        assert "would be overwritten" in capsys.readouterr().err
    for arguments in (["in", "-o", "in"], ["in/a.png", "--montage", "-o", "link.png"]):
        assert denoise.main(arguments) == 2
    assert Path("in/a.png").read_bytes() == before
    picture().save("clean.png")
    assert denoise.main(["in/a.png", "--clean", "clean.png", "-o", "clean.png"]) == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("nowhere.png", "nowhere.png: no such file or folder"),
        ("empty", "empty: no picture in it; expected files ending in"),
        ("a.png -o b.jpg", "results are PNG files; call it b.png"),
        ("a.png b.png -o c.png", "several results need a folder"),
        ("two -o c.png", "several results need a folder"),
        ("a.png two/a.png -o out", "2 of the results would be written there"),
        ("a.png --clean nowhere.png", "nowhere.png: no such file or folder"),
        ("a.png b.png --clean a.png", "--clean expects a folder"),
        ("a.png --clean b.png --corrupt course", "not allowed with"),
        ("a.png --corrupt fog", "there is no noise 'fog'"),
        ("a.png --corrupt gaussian:900", "the noise gaussian needs the standard deviation"),
        ("a.png --noise fog", "invalid choice: 'fog'"),
        ("a.png --strength 2", "expected a number from 0 (nothing) to 1 (all), not 2"),
        ("a.png --strength much", "expected a number from 0 (nothing) to 1 (all), not much"),
        ("a.png --weights nowhere.pth", "nowhere.pth can't be read"),
        ("a.png --weights a.png", "a.png does not hold weights of this network"),
        ("a.png --weights ../weights", "weights does not hold weights of this network"),
        ("a.png --noise course --learn", "--learn is about photographs"),
        ("a.png --learn --strength 0", "nothing to --learn for"),
        ("a.png --corrupt course --weights a.png", "--weights is about photographs"),
        ("a.png --html page.png", "the page is one HTML file; call it page.png.html"),
        ("a.png --html two", "the page is one HTML file"),
        ("a.png --html b.html -o b.html", "b.html is to be the page, and --out a folder of the same name"),
        ("a.png --learn", "too little to learn from: expected 16 squares of 32×32 pixels, found 0"),
        ("a.png --montage -o sheet.jpg", "a montage is one PNG file"),
    ],
)
def test_a_wrong_call_ends_with_status_2_and_says_why(arguments, complaint, capsys):
    Path("empty").mkdir()
    Path("two").mkdir()
    for name in ("a.png", "b.png", "two/a.png", "two/b.png"):
        picture().save(name)
    before = files(Path())
    try:
        status = denoise.main(arguments.split())
    except SystemExit as end:
        status = end.code
    assert status == 2
    assert complaint in capsys.readouterr().err
    assert files(Path()) == before


def test_an_empty_name_is_not_the_folder_where_one_is(capsys):
    """A script's variable that is not set would have everything denoised."""
    picture().save("a.png")
    with pytest.raises(SystemExit):
        denoise.main([""])
    assert "expected the name of a file or a folder, not an empty one" in capsys.readouterr().err
    assert files(Path()) == ["a.png"]


def test_a_clean_picture_is_missing_though_there_is_an_earlier_result(identity, capsys):
    Path("clean").mkdir()
    for name in ("a.png", "a_denoised.png"):
        picture().save(name)
    assert denoise.main(["a.png", "--clean", "clean", "--noise", "course"]) == 1
    assert "error: clean/a.png: not a readable picture" in capsys.readouterr().err


def test_what_can_not_be_learnt_from_nor_written_is_named_and_results_are_told(identity, capsys):
    Path("a.jpg").write_text("no picture at all")
    assert denoise.main(["a.jpg", "--learn"]) == 2
    assert "error: a.jpg: not a readable picture" in capsys.readouterr().err
    picture().save("b.png")
    assert denoise.main(["b.png", "--html", "a.jpg/page.html"]) == 2
    said = capsys.readouterr()
    assert "a.jpg/page.html: can't be written, since a file lies where its folder should be" in said.err
    assert "b_denoised.png" in said.out


def test_missing_weights_are_asked_for(tmp_path, capsys):
    picture().save("a.png")
    (tmp_path / "weights").unlink()
    assert denoise.main(["a.png", "--noise", "course"]) == 2
    assert "weights is missing" in capsys.readouterr().err
    (tmp_path / "blind").unlink()
    assert denoise.main(["a.png"]) == 2
    assert "blind is missing: fetch it again" in capsys.readouterr().err


def test_a_montage_shows_noisy_denoised_and_clean_with_the_psnr(monkeypatch, capsys):
    predicts(monkeypatch, lambda noisy: noisy * 0.5 + 60)
    picture(32, 32, seed=1).save("noisy.png")
    picture(32, 32, seed=2).save("clean.png")
    shown = []
    draw_sheet = denoise.montage
    monkeypatch.setattr(denoise, "montage", lambda rows: shown.extend(rows) or draw_sheet(rows))
    assert denoise.main(["noisy.png", "--clean", "clean.png", "--montage", "--noise", "course"]) == 0

    noisy, truth = (
        torch.from_numpy(pixels(name).copy()).permute(2, 0, 1)[None] for name in ("noisy.png", "clean.png")
    )
    scores = [f"{psnr(values, truth).item():.2f}" for values in (noisy, (noisy * 0.5 + 60).round())]
    table = capsys.readouterr().out
    assert table.splitlines()[1].split() == ["noisy.png", "32×32", *scores, "done"]
    assert [title for title, _ in shown[0]] == [f"noisy  {scores[0]} dB", f"denoised  {scores[1]} dB", "clean"]

    made, margin = pixels("noisy_montage.png"), sheet.MARGIN
    assert made.shape[1] == 3 * 320 + 4 * margin
    expected = pixels("noisy.png"), (noisy * 0.5 + 60).round()[0].permute(1, 2, 0).byte().numpy(), pixels("clean.png")
    for column, image in enumerate(expected):
        left = margin + column * (320 + margin)
        cell = made[margin : margin + 320, left : left + 320]
        assert numpy.array_equal(cell, image.repeat(10, 0).repeat(10, 1))  # every pixel a square of 10×10
        assert (made[margin + 320 :, left : left + 320] < 100).any()  # the title below


def test_a_montage_of_several_has_a_row_each_and_titles_that_fit(identity):
    picture(300, 200).save("wide.png")
    picture(5, 400, mode="RGBA").save("narrow.png")
    assert denoise.main(["wide.png", "narrow.png", "--montage", "-o", "sheets/one.png"]) == 0
    made, margin = pixels("sheets/one.png"), sheet.MARGIN
    assert files(Path()) == ["narrow.png", "sheets/one.png", "wide.png"]
    assert made.shape[1] == 2 * 300 + 3 * margin
    assert made.shape[0] > 200 + 400 + 3 * margin
    assert numpy.array_equal(made[margin : margin + 200, margin : margin + 300], pixels("wide.png"))
    assert denoise.main(["narrow.png", "--montage"]) == 0
    assert pixels("narrow_montage.png").shape[1] > 100  # wide enough for "denoised"


def test_a_folder_of_clean_pictures_goes_by_name(identity, capsys):
    for name in ("noisy/a.png", "noisy/below/b.png", "noisy/c.png", "noisy/d.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        picture(seed=len(name)).save(name)
    shutil.copytree("noisy", "clean")
    Path("clean/below/b.png").rename("clean/below/b.other.png")
    picture().save("clean/below/b.tif")  # another picture
    Path("clean/c.png").unlink()
    picture(20, 20).save("clean/d.png")
    assert denoise.main(["noisy", "--clean", "clean", "--noise", "course"]) == 1
    said = capsys.readouterr()
    assert re.search(r"^noisy/a.png +37×22 +100.00 +100.00 +", said.out, re.MULTILINE)
    assert re.search(r"^noisy/below/b.png +37×22 +\d\.\d\d +\d\.\d\d +", said.out, re.MULTILINE)
    assert "error: clean/c.png: not a readable picture" in said.err
    assert "error: clean/d.png: the clean picture is 20×20, but the noisy one is 37×22" in said.err


def test_a_photograph_is_corrupted_as_the_course_does(identity, capsys):
    picture(83, 64).save("a.png")
    assert denoise.main(["a.png", "--corrupt", "course"]) == 0
    photo = torch.from_numpy(pixels("a.png")[:, :80].copy()).permute(2, 0, 1)[None]
    noisy, truth = corrupt(photo, torch.Generator().manual_seed(0)), clean(photo)
    assert numpy.array_equal(pixels("a_denoised.png"), noisy[0].permute(1, 2, 0).numpy())
    score = f"{psnr(noisy, truth).item():.2f}"
    assert capsys.readouterr().out.splitlines()[1].split() == ["a.png", "10×8", score, score, "a_denoised.png"]
    picture(7, 50).save("thin.png")
    assert denoise.main(["thin.png", "--corrupt", "course"]) == 1
    assert "thin.png: the noise course averages blocks of 8 pixels" in capsys.readouterr().err


def test_ctrl_c_keeps_what_was_done(monkeypatch, capsys):
    def predict(noisy):
        if noisy.shape[3] == 50:
            raise KeyboardInterrupt
        return noisy

    predicts(monkeypatch, predict)
    Path("in").mkdir()
    for name, width in (("a", 40), ("b", 50), ("c", 60)):
        picture(width, 20).save(f"in/{name}.png")
    assert denoise.main(["in"]) == 130
    assert files(Path("in_denoised")) == ["a.png"]
    table = capsys.readouterr().out
    assert re.search(r"^in/c.png +not done$", table, re.MULTILINE)


def test_the_first_frame_of_several_is_used_and_said(identity, capsys):
    frames = [picture(mode="RGB", seed=n) for n in range(3)]
    frames[0].save("a.png", save_all=True, append_images=frames[1:])
    assert denoise.main(["a.png"]) == 0
    assert "a.png: the first of its 3 frames is used" in capsys.readouterr().err
    assert numpy.array_equal(pixels("a_denoised.png"), numpy.asarray(frames[0]))


def test_a_montage_that_no_viewer_could_open_is_refused(identity, monkeypatch, capsys):
    monkeypatch.setattr(work, "LARGEST", 3 * 320 * 320)
    for name in ("a.png", "b.png"):
        picture(320, 320).save(name)
    assert denoise.main(["a.png", "b.png", "--montage"]) == 2
    assert "the first 2 pictures is too large" in capsys.readouterr().err


def test_a_file_is_replaced_whole_or_not_at_all(folder, monkeypatch):
    Path("a.png").write_text("old")

    def fail(self, file, *_, **__):
        Path(file).write_text("half of the n")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(DataError, match=r"a\.png: can't be written \(No space left on device\)"):
        save_image(Path("a.png"), picture())
    assert files(folder) == ["a.png"]
    assert Path("a.png").read_text() == "old"


def test_a_picture_as_large_as_a_bomb_is_named(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    picture().save("a.png")
    with pytest.raises(DataError, match="decompression bomb"):
        read_picture(Path("a.png"))
