"""The report's experiments on photographs: what a run does, what it tells, and what it wants to be there."""

import json

import pytest
import torch
from PIL import Image

from data.build import HERE
from data.load import DataError, save_pair
from Proj_2.others.networks import unet_course
from report.__main__ import main
from report.experiments import course_unet, photographs


@pytest.fixture(autouse=True)
def _no_grad():
    torch.set_grad_enabled(False)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Four small photographs in place of those of data/photos, and two sets of one picture each to measure on."""
    found = sorted((HERE / "photos").glob("animal-*.jpg"))
    for folder, paths in (("photos", found[:4]), ("sets/Kodak", found[4:5]), ("sets/BSD300_test", found[5:6])):
        (tmp_path / folder).mkdir(parents=True)
        for path in paths:
            Image.open(path).resize((80, 72)).save(tmp_path / folder / f"{path.stem}.png")
    monkeypatch.setattr(photographs, "PHOTOS", tmp_path / "photos")
    for cached in (photographs._photos, photographs._scenes):
        cached.cache_clear()
    yield tmp_path / "sets"
    for cached in (photographs._photos, photographs._scenes):
        cached.cache_clear()


def steps_taken(monkeypatch):
    """A list that gets the batch of every step."""
    batches, step = [], photographs.BatchTraining.step
    monkeypatch.setattr(
        photographs.BatchTraining, "step", lambda self, *batch: batches.append(batch) or step(self, *batch)
    )
    return batches


@pytest.mark.parametrize("targets", ["noisy", "clean"])
def test_a_run_on_photographs_tells_what_it_did_and_is_the_same_again(targets, photos, monkeypatch):
    batches = steps_taken(monkeypatch)
    made = photographs.config(targets=targets, steps=4, batch=2, evaluations=2, network="paper")
    first, again, other = (photographs.run(made, seed, None) for seed in (0, 0, 1))
    assert [step for step, _, _ in first["curve"]] == [0, 2, 4]
    assert first["curve"][-1][1] == first["psnr"] == again["psnr"] != other["psnr"]
    assert 0 == first["curve"][0][2] < first["curve"][1][2] < first["curve"][2][2]
    assert first["sets"] == {}
    for x, target, _ in batches:
        assert x.shape == (2, 3, 64, 64)
        assert bool((target == target.round()).all()) == (targets == "clean")


def test_noisy_and_clean_runs_differ_in_their_targets_only(photos, monkeypatch):
    batches = steps_taken(monkeypatch)
    for targets in ("noisy", "clean"):
        photographs.run(photographs.config(targets=targets, steps=1, batch=2, evaluations=1), 0, None)
    (noisy, *_), (clean, *_) = batches
    assert torch.equal(noisy, clean)


def test_a_run_on_photographs_is_measured_on_the_field_s_sets(photos, monkeypatch):
    monkeypatch.setenv(photographs.BENCHMARKS, str(photos))
    made = photographs.config(steps=1, batch=1, evaluations=1, test="text:0.25", noise="text", loss="l1")
    record = photographs.run(made, 0, None)
    assert {name: means["pictures"] for name, means in record["sets"].items()} == {"Kodak": 1, "BSD300_test": 1}
    assert record["sets"]["Kodak"]["noisy_psnr"] == pytest.approx(record["sets"]["Kodak"]["psnr"], abs=1)
    json.dumps(record, allow_nan=False)


def test_a_run_on_photographs_that_diverges_says_so(photos):
    record = photographs.run(photographs.config(steps=30, batch=1, lr=1e30, network="paper", clip=0), 0, None)
    assert record["diverged"] is True
    assert len(record["curve"]) <= 12


def test_photographs_are_told_from_others(photos):
    told = photographs.describe(None)
    assert told["train"].startswith("data/photos, 3 photographs, sha256 ")
    for cached in (photographs._photos, photographs._scenes):
        cached.cache_clear()
    path = min((photographs.PHOTOS).glob("*.png"))
    Image.new("RGB", (80, 72)).save(path)
    assert photographs.describe(None) != told


def test_sets_that_are_not_there_are_missed_before_anything_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(photographs.BENCHMARKS, str(tmp_path))
    assert main(["run", "gaussian", "--quick", "--out", str(tmp_path)]) == 2
    assert "lacks a folder Kodak or BSD300_test" in capsys.readouterr().err


def test_the_course_s_unet_is_asked_for_where_its_weights_should_be(tmp_path, monkeypatch):
    pictures = torch.randint(256, (4, 3, 8, 8), dtype=torch.uint8)
    save_pair(tmp_path / "val_data.pkl", pictures, pictures.flip(0))
    monkeypatch.setattr(course_unet, "UNETS", tmp_path)
    monkeypatch.delenv(course_unet.COURSE, raising=False)
    with pytest.raises(DataError, match=r"unet_course.pth can't be read"):
        course_unet.measure(tmp_path, True)
    torch.save(unet_course().state_dict(), tmp_path / "unet_course.pth")
    measures = course_unet.measure(tmp_path, True)
    assert measures["default"]["unet"] == pytest.approx(measures["default"]["noisy"], abs=1e-3)  # the identity as yet
    assert measures["course"] is None
    monkeypatch.setenv(course_unet.COURSE, str(tmp_path))
    assert course_unet.measure(tmp_path, True)["course"] == measures["default"]
