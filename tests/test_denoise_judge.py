"""The two gates of `--learn`: known noise is left alone, and a gain that may be chance is not kept."""

from io import BytesIO
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

import denoise
from data.noise import noise
from data.pictures import read_picture
from denoising import judge, learning
from denoising.denoiser import photo_network
from denoising.judge import DEPENDENT, KNOWN, Judge, nothing_to_learn

PHOTOS = Path(__file__).parent.parent / "data" / "photos"
COLOURS = torch.tensor([1.5, 1, 1]).view(3, 1, 1)


def windows(name: str = "land-brook") -> torch.Tensor:
    """Eight clean ones, 8×3×64×64."""
    values = read_picture(PHOTOS / f"{name}.jpg").values()
    return torch.cat([values[..., 100:164, left : left + 64] for left in range(0, 512, 64)])


def with_noise(kind: str, name: str = "land-brook") -> torch.Tensor:
    return noise(kind).corrupt(windows(name), torch.Generator().manual_seed(0)).round().clamp(0, 255)


@pytest.fixture(scope="module")
def shipped():
    return photo_network()


@pytest.mark.parametrize("kind", ["gaussian:5", "gaussian:25", "gaussian:50"])
@pytest.mark.parametrize("name", ["land-brook", "animal-bee"])  # all of it texture, hardly any
def test_noise_that_the_network_was_trained_for_is_known(kind, name, shipped):
    with torch.no_grad():
        assert nothing_to_learn(shipped, with_noise(kind, name)) == KNOWN


@pytest.mark.parametrize("kind", ["lamplight:10", "lamplight:60", "impulse:0.02", "impulse:0.1"])
def test_other_noise_is_not(kind, shipped):
    with torch.no_grad():
        assert nothing_to_learn(shipped, with_noise(kind)) == ""


@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_thing_that_is_looked_at_is_enough(number, shipped, monkeypatch):
    """More noise in one colour, noise that all have in common, tails: the others see nothing in it."""
    clean, generator = windows("animal-bee"), torch.Generator().manual_seed(0)
    normal = 10 * torch.randn(clean.shape, generator=generator)
    noisy = (clean + normal * COLOURS, clean + normal[:, :1], with_noise("impulse:0.02", "animal-bee"))[number]
    monkeypatch.setattr(judge, "APART", 1.0)
    ratios = judge._ratios
    others = [i for i in range(3) if i != number]
    with torch.no_grad():
        assert nothing_to_learn(shipped, noisy) != KNOWN
        monkeypatch.setattr(judge, "_ratios", lambda noise: ratios(noise)[others])
        assert nothing_to_learn(shipped, noisy) == KNOWN


@pytest.mark.parametrize("kind", ["gaussian:25", "lamplight:30"])
def test_noise_in_which_neighbours_tell_of_each_other_is_told(kind, shipped, monkeypatch):
    """A picture as most files are: JPEG, with its colours in half the size."""
    file, noisy = BytesIO(), with_noise(kind)
    picture = torch.cat(list(noisy), 2).permute(1, 2, 0)  # the windows side by side
    Image.fromarray(picture.byte().numpy()).save(file, "JPEG", quality=90, subsampling=2)
    squeezed = torch.from_numpy(numpy.array(Image.open(file))).permute(2, 0, 1).float()
    with torch.no_grad():
        assert nothing_to_learn(shipped, torch.stack(squeezed.chunk(8, 2))) == DEPENDENT
        monkeypatch.setattr(judge, "APART", 1.0)
        assert nothing_to_learn(shipped, torch.stack(squeezed.chunk(8, 2))) != DEPENDENT


def test_nothing_is_known_of_what_shows_no_noise(shipped):
    """All of it white: whatever noise there was is clipped."""
    with torch.no_grad():
        assert nothing_to_learn(shipped, torch.full((8, 3, 64, 64), 255.0)) != KNOWN


def test_the_program_learns_nothing_from_noise_that_is_known_and_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with Image.open(PHOTOS / "animal-bee.jpg") as photo:
        photo.crop((0, 0, 256, 256)).save("a.png")
    call, known = ["a.png", "--corrupt", "gaussian:25"], []
    assert denoise.main([*call, "-o", "blind.png"]) == 0
    monkeypatch.setattr(
        learning, "nothing_to_learn", lambda *given: known.append(nothing_to_learn(*given)) or known[0]
    )
    assert denoise.main([*call, "-o", "learnt.png", "--learn"]) == 0
    assert known == [KNOWN]
    assert "nothing to learn: the noise is of the kind that the network knows" in capsys.readouterr().out
    assert Path("learnt.png").read_bytes() == Path("blind.png").read_bytes()


@pytest.fixture
def clean(monkeypatch):
    """Networks are functions of the windows here; returns the clean ones."""
    monkeypatch.setattr(judge, "as_file", lambda network, windows: network(windows))
    return windows()


def test_a_network_that_leaves_the_noise_in_is_never_better(clean):
    noisy = with_noise("gaussian:25")
    assert Judge(lambda seen: seen, noisy).gain(lambda seen: clean) > 0.4  # half of two variances, and the texture
    assert Judge(lambda seen: clean, noisy).gain(lambda seen: seen) == 0


@pytest.mark.parametrize(("part", "kept"), [(0.01, False), (0.04, True)])
def test_a_gain_has_to_be_enough(part, kept, clean):
    noisy = with_noise("gaussian:25")
    error = float((noisy - clean).square().mean())
    wrong = (part * error) ** 0.5 * (
        2 * torch.randint(2, clean.shape, generator=torch.Generator().manual_seed(1)) - 1
    )
    gain = Judge(lambda seen: clean + wrong, noisy).gain(lambda seen: clean)
    assert gain == (pytest.approx(part, rel=0.4) if kept else 0)


def test_a_gain_has_to_be_more_than_chance(clean):
    """An eighth in all, once in one block and once in every one."""
    noisy, wrong = with_noise("gaussian:25"), torch.zeros_like(clean)
    wrong[0, :, :32, :32] = 9 * 32**0.5  # there are 32 blocks
    assert Judge(lambda seen: clean + wrong, noisy).gain(lambda seen: clean) == 0
    wrong = torch.full_like(clean, 9.0)
    assert Judge(lambda seen: clean + wrong, noisy).gain(lambda seen: clean) > 0.1
