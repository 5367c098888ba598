"""The catalogue: each noise has its formula's mean, variance and independence, and names are understood."""

import pytest
import torch

from data.load import DataError
from data.noise import BLOCK, NOISES, clean, corrupt, noise

ALL = [
    "course",
    "gaussian:25",
    "gaussian:5-50",
    "lamplight:60",
    "poisson:30",
    "poisson:5-50",
    "camera",
    "bernoulli",
    "text",
    "impulse",
]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def flat(value: float, n: int = 16, side: int = 128) -> torch.Tensor:
    return torch.full((n, 3, side, side), value)


def correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    return torch.corrcoef(torch.stack([a.flatten(), b.flatten()]).double())[0, 1].item()


@pytest.mark.parametrize("value", [0.0, 20.0, 128.0, 255.0])
@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("gaussian:25", lambda x: 25**2),
        ("gaussian:50", lambda x: 50**2),
        # E[σ²] for σ uniform from 5 to 50
        ("gaussian:5-50", lambda x: (5**2 + 5 * 50 + 50**2) / 3),
        ("lamplight:60", lambda x: 60**2 * (1 + 2 / 36) / 3),
        ("poisson:30", lambda x: 255 * x / 30),
        ("poisson:5", lambda x: 255 * x / 5),
    ],
)
def test_unbiased_and_of_the_variance_that_the_formula_gives(name, variance, value):
    pictures = 4000  # many: where the strength is random, a picture is one draw of it
    difference = noise(name).corrupt(flat(value, pictures, 12), seeded()).double() - value
    expected, count = variance(value), difference.numel()
    assert difference.mean().abs() <= 5 * (expected / count) ** 0.5
    assert difference.square().mean().item() == pytest.approx(expected, rel=0.05 if "-" in name else 0.02)


def test_neither_gaussian_nor_poisson_is_rounded_or_clipped():
    for name in ("gaussian:25", "poisson:31"):
        noisy = noise(name).corrupt(flat(250.0), seeded())
        assert noisy.max() > 256
        assert (noisy != noisy.round()).float().mean() > 0.9
    assert noise("gaussian:25").corrupt(flat(5.0), seeded()).min() < -1


def test_poisson_counts_photons():
    """P(λ·x)/λ: multiples of 255/λ, as likely as Poisson's distribution says."""
    photons = noise("poisson:4").corrupt(flat(127.5), seeded()) * 4 / 255
    assert (photons - photons.round()).abs().max() < 1e-4
    counts = photons.round().long().flatten().bincount()[:6].double() / photons.numel()
    expected = torch.distributions.Poisson(2.0).log_prob(torch.arange(6.0)).exp().double()
    assert (counts - expected).abs().max() < 0.003


def test_gaussian_is_normal():
    noisy = noise("gaussian:10").corrupt(flat(100.0), seeded()).double().sub(100).div(10)
    for order, expected in ((1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)):
        assert noisy.pow(order).mean().item() == pytest.approx(expected, abs=0.05)


def test_camera_is_a_file_s_noise():
    """Whole values in 0–255, and a variance of gain·x + read² around a mean that is unbiased away from both ends."""
    camera, values = noise("camera"), torch.tensor([64.0, 128.0, 192.0])
    photos = values.view(1, 3, 1, 1).expand(2000, 3, 16, 16)
    noisy = camera.corrupt(photos, seeded())
    assert torch.equal(noisy, noisy.round())
    assert noisy.min() >= 0
    assert noisy.max() <= 255
    difference = (noisy - photos).double()
    assert difference.mean((0, 2, 3)).abs().max() < 0.3
    deviation = difference.square().mean((2, 3)).sqrt()  # of each picture, for each of the three values
    assert (
        deviation[:, 2] > deviation[:, 0] + 1
    ).float().mean() > 0.1  # photons: more noise where there is more light
    assert deviation.min() < 1.5
    assert 25 < deviation.max() < 60


def test_camera_s_strengths_are_those_of_its_ranges(monkeypatch):
    kind = NOISES["camera"]
    monkeypatch.setattr(kind, "gains", (4.0, 4.0))
    monkeypatch.setattr(kind, "reads", (3.0, 3.0))
    noisy = kind().corrupt(flat(100.0), seeded()).double()
    assert noisy.var().item() == pytest.approx(4 * 100 + 3**2 + 1 / 12, rel=0.02)  # 1/12: rounding


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9])
def test_bernoulli_loses_a_part_of_the_pixels_and_says_which(part):
    photos = torch.randint(1, 256, (8, 3, 64, 64), generator=seeded())
    noisy, known = noise(f"bernoulli:{part}").draw(photos, seeded(1))
    assert known.shape == (8, 1, 64, 64)
    assert torch.equal(noisy, photos * known)
    assert 1 - known.mean().item() == pytest.approx(part, abs=0.01)
    assert set(known.unique().tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9])
def test_impulse_replaces_a_part_of_the_pixels_by_any_colour(part):
    photos = flat(77.0)
    noisy = noise(f"impulse:{part}").corrupt(photos, seeded())
    hit = (noisy != photos).any(1)
    assert hit.float().mean().item() == pytest.approx(part, abs=0.01)
    if part:
        colours = noisy.permute(0, 2, 3, 1)[hit].double()
        assert colours.mean(0).sub(127.5).abs().max() < 1
        assert colours.var(0).sub(255**2 / 12).abs().max() < 60  # of the uniform distribution
        assert abs(correlation(colours[:, 0], colours[:, 1])) < 0.02


@pytest.mark.parametrize("part", [0.0, 0.25, 0.5])
def test_text_covers_a_part_of_the_picture(part):
    photos = torch.randint(256, (6, 3, 100, 140), generator=seeded(), dtype=torch.uint8)
    noisy = noise(f"text:{part}").corrupt(photos, seeded())
    parts = (noisy != photos).any(1).float().mean((1, 2))
    assert parts.min() >= part - 0.01
    assert parts.max() <= part + 0.06  # the last word may go further
    edges, middle = (noisy != photos).any(1).float(), slice(20, 80)
    if part:
        assert edges[:, :, :10].mean() > 0.4 * edges[:, middle, middle].mean()


def test_the_median_of_text_and_the_mode_of_impulses_are_the_clean_colour():
    photos = torch.tensor([30.0, 90.0, 200.0]).view(1, 3, 1, 1).expand(400, 3, 32, 32)
    text = noise("text:0.4").corrupt(photos, seeded())
    assert torch.equal(text.median(0).values, photos[0])
    assert (text.mean(0) - photos[0]).abs().mean() > 5  # the mean is not
    impulses = noise("impulse:0.7").corrupt(photos, seeded())
    assert torch.equal(impulses.mode(0).values, photos[0])
    assert (impulses.mean(0) - photos[0]).abs().mean() > 20


@pytest.mark.parametrize(
    "name", ["gaussian:25", "lamplight:60", "poisson:30", "camera", "bernoulli:0.5", "impulse:0.5"]
)
def test_versions_pixels_and_pictures_are_independent(name):
    photos, generator = flat(128.0, 64), seeded()
    first, second = (noise(name).corrupt(photos, generator) - 128 for _ in range(2))
    limit = 0.01  # 3 million values
    assert abs(correlation(first, second)) < limit
    assert abs(correlation(first[..., 1:], first[..., :-1])) < limit
    assert abs(correlation(first[..., 1:, :], first[..., :-1, :])) < limit
    assert abs(correlation(first[1:], first[:-1])) < limit
    if name not in ("bernoulli:0.5", "impulse:0.5"):  # there a pixel's three values share a fate
        assert abs(correlation(first[:, 0], first[:, 1])) < limit


def test_every_picture_draws_its_own_strength():
    noisy = noise("gaussian:5-50").corrupt(flat(0.0, 500, 32), seeded())
    deviations = noisy.std((1, 2, 3))
    assert 4.5 < deviations.min() < 7
    assert 48 < deviations.max() < 52
    assert deviations.mean().item() == pytest.approx(27.5, abs=2)


@pytest.mark.parametrize("name", ALL)
def test_seeds_repeat_versions_differ_and_photographs_stay(name):
    photos = torch.randint(256, (3, 3, 64, 64), generator=seeded(), dtype=torch.uint8)
    before, kept, generator = photos.clone(), noise(name), seeded(5)
    first, second = kept.corrupt(photos, generator), kept.corrupt(photos, generator)
    assert first.dtype == kept.clean(photos).dtype == torch.float32
    assert first.shape == kept.clean(photos).shape == (3, 3, 64 // kept.block, 64 // kept.block)
    assert not torch.equal(first, second)
    assert torch.equal(first, kept.corrupt(photos, seeded(5)))
    assert torch.equal(first, kept.corrupt(photos.float(), seeded(5)))
    assert torch.equal(photos, before)


def test_the_course_s_noise_is_the_course_s():
    photos = torch.randint(256, (2, 3, 64, 64), generator=seeded(), dtype=torch.uint8)
    kept = noise("course")
    assert kept.block == BLOCK
    assert torch.equal(kept.corrupt(photos, seeded(3)), corrupt(photos, seeded(3)).float())
    assert torch.equal(kept.clean(photos), clean(photos).float())


def test_losses_and_ranges_by_default():
    assert {name: noise(name).loss for name in ("gaussian:25", "text", "impulse", "bernoulli")} == {
        "gaussian:25": "l2",
        "text": "l1",
        "impulse": "l0",
        "bernoulli": "l2",
    }
    assert (noise("text").low, noise("text").high) == (0, 0.5)
    assert (noise("gaussian:25").low, noise("gaussian:25").high) == (25, 25)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("gausian:25", "no noise 'gausian'; expected one of course, gaussian"),
        ("", "no noise ''"),
        ("gaussian", "needs the standard deviation σ on values 0–255: a number from 0 to 255, or a range"),
        ("gaussian:", "not ''"),
        ("gaussian:x", "not 'x'"),
        ("gaussian:50-5", "like gaussian:5-50; not '50-5'"),
        ("gaussian:-5", "not '-5'"),
        ("gaussian:300", "from 0 to 255"),
        ("gaussian:nan", "not 'nan'"),
        ("gaussian:5-50-90", "not '5-50-90'"),
        ("poisson:0", "from 0.1 to 100000"),
        ("impulse:1.5", "a number from 0 to 0.99, or a range like impulse:0-0.95; not '1.5'"),
        ("camera:3", "the noise camera takes no values, not '3'"),
        ("course:1", "takes no values"),
    ],
)
def test_what_is_no_noise_is_refused(text, complaint):
    with pytest.raises(DataError) as error:
        noise(text)
    assert complaint in str(error.value)
