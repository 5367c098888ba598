"""`--learn`: pairs of one noisy picture, and weights that are kept only if they gain something."""

from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

import denoise
from data.load import DataError
from data.noise import noise
from data.pictures import Picture
from data.psnr import psnr
from denoising import denoiser, judge, learning, work
from denoising.learning import WEIGHT, Learnt, cut_windows, learn, sub_pair
from Proj_2.others.networks import unet
from Proj_2.others.prediction import predict
from Proj_2.others.training import BatchTraining


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def scene(side: int = 256) -> torch.Tensor:
    """Smooth colours with edges, 1×3×side×side."""
    x = torch.linspace(0, 6, side)
    waves = torch.stack([(x[:, None] * k).sin() + (x * (3 - k)).cos() for k in (1, 1.5, 2)])
    return (128 + 40 * waves + 30 * (waves.roll(1, 0) > 0.3))[None].clamp(0, 255)


def picture(values: torch.Tensor) -> Picture:
    made = Picture(numpy.empty((*values.shape[2:], 3), "uint8"))
    made.put(values)
    return made


def small():
    return unet((8, 16), (1, 1))


@pytest.fixture(scope="module")
def blind() -> dict[str, torch.Tensor]:
    """The weights of a small network that knows Gaussian noise and nothing else."""
    torch.manual_seed(0)
    with torch.no_grad():
        network, generator = small(), seeded(5)
        training = BatchTraining(network, 1, 250 * 16, 3e-3, 16, clip=0.2)
        places = torch.randint(256, (250, 16, 2), generator=generator).tolist()
        clean = (torch.cat([scene().roll(place, (2, 3))[..., :32, :32] for place in some]) for some in places)
        pairs = (tuple(noise("gaussian:25").corrupt(x, generator) for _ in range(2)) for x in clean)
        for _ in training.epoch(pairs):
            pass
        return network.state_dict()


@pytest.fixture
def network(blind):
    network = small()
    network.load_state_dict(blind)
    return network


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    """Rates at which so small a network learns something in a second, and a little is enough to be kept."""
    monkeypatch.setattr(learning, "PEAK_LR", 2e-3)
    monkeypatch.setattr(judge, "LEAST", 0.005)


def test_pairs_are_neighbours_of_one_cell():
    """A picture whose values say where they are: 16·row + column."""
    rows, columns = torch.arange(16.0)[:, None], torch.arange(16.0)
    places = (16 * rows + columns).expand(2, 3, 16, 16)
    first, second = sub_pair(places, torch.zeros_like(places), seeded())
    assert first.shape == second.shape == (2, 3, 8, 8)
    for half in (first, second):
        assert torch.equal(half // 16 // 2, (rows[:8] + 0 * columns[:8]).expand_as(half))
        assert torch.equal(half % 16 // 2, (0 * rows[:8] + columns[:8]).expand_as(half))
        assert torch.equal(half[:, 0], half[:, 2])  # the colours of a pixel stay together
    assert set((second - first).flatten().tolist()) == {-16, -1, 1, 16}  # above, left, right and below
    assert not torch.equal(first[0], first[1])


def test_the_target_is_moved_by_what_the_denoised_picture_differs():
    noisy, denoised = 255 * torch.rand(2, 4, 3, 32, 32, generator=seeded())
    first, second = sub_pair(noisy, 0 * noisy, seeded(1))
    _, moved = sub_pair(noisy, denoised, seeded(1))
    there, here = sub_pair(denoised, 0 * noisy, seeded(1))
    torch.testing.assert_close(moved, second + WEIGHT * (there - here))
    assert not torch.equal(first, second)


def test_the_noise_of_a_picture_is_learnt_from_this_picture_alone(network):
    truth = scene()
    noisy = picture(noise("lamplight:60").corrupt(truth, seeded()))
    with torch.no_grad():
        before = predict(network, noisy.values())
        learnt = learn(network, cut_windows([noisy]), 90)
        result = predict(network, noisy.values())
    assert (learnt.steps, learnt.best) == (90, 90)
    assert learnt.gain > 0.02
    assert psnr(result, truth) > psnr(before, truth) + 0.5


@pytest.mark.parametrize(("kind", "rate"), [("impulse:0.2", 2e-3), ("gaussian:25", 1.0)])
def test_what_does_harm_is_not_kept(kind, rate, network, blind, monkeypatch):
    """Training does: by impulses, which so small a network can't but leave there; and by too large steps."""
    noisy = picture(noise(kind).corrupt(scene(), seeded()))
    windows = cut_windows([noisy])
    monkeypatch.setattr(learning, "PEAK_LR", rate)
    monkeypatch.setattr(learning, "nothing_to_learn", lambda network, windows: "")
    with torch.no_grad():
        learnt = learn(network, windows, 60)
        assert learnt == Learnt(60, 0, 0.0)
        assert all(torch.equal(value, blind[name]) for name, value in network.state_dict().items())
        monkeypatch.setattr(learning.Judge, "gain", lambda judge, network: 0.5)  # whatever comes of it
        before = predict(network, noisy.values())
        assert learn(network, windows, 60).best
        assert psnr(predict(network, noisy.values()), scene()) < psnr(before, scene()) - 0.5


def test_ctrl_c_keeps_the_best_so_far(network, blind):
    noisy = picture(noise("lamplight:60").corrupt(scene(), seeded()))

    def stop_at(last):
        def progress(learnt):
            if learnt.steps == last:
                raise KeyboardInterrupt

        return progress

    states = []
    for last in (31, 50):  # the weights of step 30 were measured
        network.load_state_dict(blind)
        with torch.no_grad():
            learnt = learn(network, cut_windows([noisy]), 200, stop_at(last))
        assert (learnt.steps, learnt.best) == (last, 30)
        states.append({name: value.clone() for name, value in network.state_dict().items()})
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert not all(torch.equal(value, blind[name]) for name, value in states[0].items())


def test_windows_come_from_all_pictures_and_are_bounded_in_number():
    pictures = [picture(torch.full((1, 3, 300, 200), float(value))) for value in (10, 20, 30)]
    windows = cut_windows(pictures)
    assert windows.shape[1:] == (3, 64, 64)  # six of 128 pixels would be too few
    assert set(windows.unique().tolist()) == {10, 20, 30}
    assert cut_windows(iter(pictures * 5)).shape == (30, 3, 128, 128)
    assert len(cut_windows(pictures * 99)) == learning.MOST
    with pytest.raises(DataError, match="expected 16 squares of 32×32 pixels, found 12"):
        cut_windows([picture(torch.zeros(1, 3, 96, 130))])


def test_the_program_learns_says_what_it_gained_and_lets_no_estimate_stand_against_it(
    blind, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(denoiser, "unet", small)
    monkeypatch.setattr(denoise, "STEPS", 60)
    monkeypatch.setattr(work, "noise_level", lambda picture: 0.0)
    monkeypatch.chdir(tmp_path)
    torch.save(blind, "small.pth")
    Image.fromarray(picture(scene()).pixels).save("a.png")
    options = ["--corrupt", "lamplight:60", "--weights", "small.pth"]
    assert denoise.main(["a.png", *options]) == 0
    assert "as it was: hardly any noise" in capsys.readouterr().out
    assert denoise.main(["a.png", *options, "--learn"]) == 0
    said = capsys.readouterr().out
    assert "learnt in 60 steps: hidden pixels are met" in said
    before, after = map(float, said.splitlines()[-1].split()[3:5])
    assert after > before + 1
    assert Path("a_denoised.png").exists()
