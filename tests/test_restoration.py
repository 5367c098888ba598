"""`python -m benchmarks.restoration`: the figures are those of the pictures, by hand and by the library."""

import hashlib
import json
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image
from skimage.metrics import structural_similarity

from benchmarks import restoration, timing
from Proj_2.others.networks import paper


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """Three pictures of smooth colours, one of an odd size."""
    folder = tmp_path_factory.mktemp("pictures")
    for n, (width, height) in enumerate([(48, 40), (37, 51), (64, 64)]):
        ramp = torch.linspace(40, 200, width * height * 3).view(height, width, 3).roll(n * 99).byte()
        Image.fromarray(ramp.numpy()).save(folder / f"{n}.png")
    return folder


@pytest.fixture
def results(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(timing, "RESULTS", tmp_path / "results")
    torch.save({name: value.half() for name, value in paper().state_dict().items()}, tmp_path / "weights.pth")
    return tmp_path


def run(photos: Path, tmp_path: Path, *options: str) -> int:
    return restoration.main([str(photos), "--weights", str(tmp_path / "weights.pth"), "--network", "paper", *options])


def test_the_figures_are_those_of_the_pictures(photos, results, monkeypatch, capsys):
    """With a network that takes half of the noise away, and goes beyond 0–255 where nothing holds it back."""
    seen = []

    def predict(network, noisy, mixed):
        clean = restoration.torch.from_numpy(numpy.array(Image.open(photos / f"{len(seen)}.png")))
        clean = clean.permute(2, 0, 1)[None].float()
        seen.append((noisy, clean, 0.5 * (noisy + clean) + 70))
        return seen[-1][2].clone()

    monkeypatch.setattr(restoration, "predict", predict)
    assert run(photos, results, "--noise", "gaussian:25") == 0
    made = json.loads((results / "results" / f"restoration_{photos.name}_gaussian25_weights.json").read_text())
    assert [picture["picture"] for picture in made["pictures"]] == ["0.png", "1.png", "2.png"]
    assert (made["noise"], made["network"], made["folder"]) == ("gaussian:25", "paper", photos.name)
    assert made["sha256"] == hashlib.sha256((results / "weights.pth").read_bytes()).hexdigest()
    assert [picture["seed"] for picture in made["pictures"]] == [0, 1, 2]
    assert set(made["machine"]) >= {"commit", "processor", "torch"}
    for picture, (noisy, clean, denoised) in zip(made["pictures"], seen, strict=True):
        clipped = denoised.clamp(0, 255)
        for name, values in (("noisy_", noisy), ("", clipped)):
            error = (values - clean).double().square().mean().item()
            assert picture[f"{name}psnr"] == pytest.approx(10 * numpy.log10(255**2 / error), abs=1e-3)
            colours = [
                structural_similarity(
                    a.double().numpy(),
                    b.double().numpy(),
                    data_range=255,
                    gaussian_weights=True,
                    sigma=1.5,
                    use_sample_covariance=False,
                )
                for a, b in zip(values[0], clean[0], strict=True)
            ]
            assert picture[f"{name}ssim"] == pytest.approx(numpy.mean(colours), abs=1e-6)
        assert picture["noisy_psnr"] == pytest.approx(20.17, abs=0.4)
    assert made["mean"]["psnr"] == pytest.approx(numpy.mean([picture["psnr"] for picture in made["pictures"]]))
    assert "mean of 3" in capsys.readouterr().out


def test_every_network_sees_the_same_noise_and_every_picture_another(results, tmp_path, monkeypatch):
    (tmp_path / "grey").mkdir()
    for n in range(3):
        Image.new("RGB", (40, 40), (128, 128, 128)).save(tmp_path / "grey" / f"{n}.png")
    seen = []
    monkeypatch.setattr(restoration, "predict", lambda network, noisy, mixed: seen.append(noisy) or noisy.clone())
    for _ in range(2):
        assert run(tmp_path / "grey", results, "--noise", "gaussian:25", "--name", "again") == 0
    assert all(torch.equal(a, b) for a, b in zip(seen[:3], seen[3:], strict=True))
    assert not torch.equal(seen[0], seen[1])
    assert (results / "results" / "again.json").exists()


def test_the_ensemble_is_the_mean_of_eight_orientations(photos, results, monkeypatch):
    """Of a network that brightens the picture's upper left, whichever that is: every corner gets its share."""
    monkeypatch.setattr(restoration, "predict", lambda network, noisy, mixed: noisy + _corner(*noisy.shape[2:]))
    noisy = torch.rand(1, 3, 20, 30) * 255
    brightened = restoration._ensemble(None, noisy, False) - noisy
    wide, high = _corner(20, 30), _corner(30, 20)
    turned = [wide, wide.flip(0), wide.flip(1), wide.flip(0, 1), high.T, high.T.flip(0), high.T.flip(1)]
    torch.testing.assert_close(brightened[0, 0], sum([*turned, high.T.flip(0, 1)]) / 8, atol=1e-4, rtol=0)
    assert run(photos, results, "--noise", "gaussian:25", "--ensemble") == 0
    path = results / "results" / f"restoration_{photos.name}_gaussian25_weights_ensemble.json"
    assert json.loads(path.read_text())["ensemble"] is True


def _corner(height, width):
    return 100.0 * (torch.arange(height)[:, None] < 7) * (torch.arange(width) < 5)


def test_outside_of_a_git_checkout_the_commit_is_unknown(monkeypatch):
    monkeypatch.setenv("GIT_DIR", "nowhere")
    assert timing.machine()["commit"] is None


@pytest.mark.parametrize("noise", ["poisson:30", "camera", "impulse:0.5", "text:0.25", "bernoulli:0.5"])
def test_any_noise_and_a_real_network(noise, photos, results):
    assert run(photos, results, "--noise", noise, "--name", "any") == 0
    made = json.loads((results / "results" / "any.json").read_text())
    assert all(picture["noisy_psnr"] < 60 for picture in made["pictures"])


def test_the_course_s_noise_makes_pictures_small(results, tmp_path):
    (tmp_path / "large").mkdir()
    Image.fromarray(torch.randint(256, (100, 203, 3), dtype=torch.uint8).numpy()).save(tmp_path / "large" / "a.png")
    assert run(tmp_path / "large", results, "--noise", "course", "--name", "course") == 0


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("{photos} --noise gaussian", "needs the standard deviation"),
        ("{photos} --noise noise", "there is no noise 'noise'"),
        ("{tmp} --noise gaussian:25", "no photograph in"),
        ("{photos} --noise course", "0.png makes a clean picture of 6×5; expected at least 11 pixels a side"),
        ("{photos}/none --noise gaussian:25", "no such folder"),
        ("{photos} --noise gaussian:25 --network large", "does not hold weights of this network"),
        ("{photos} --noise gaussian:25 --weights nowhere", "nowhere can't be read"),
    ],
)
def test_a_wrong_call_ends_with_status_2_and_says_why(options, complaint, photos, results, capsys):
    words = [word.format(photos=photos, tmp=results) for word in options.split()]
    assert restoration.main(["--weights", str(results / "weights.pth"), "--network", "paper", *words]) == 2
    assert complaint in capsys.readouterr().err
    assert not (results / "results").exists()
