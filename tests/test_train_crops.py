"""Runs on photographs at full size and on one's own noisy pictures: what they leave, and what they refuse."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

import data.scenes
import train
from Proj_2.others.networks import paper

ROOT = Path(train.__file__).parent
QUICK = ["--network", "paper", "--epochs", "2", "--pairs", "20", "--batch", "5", "--crop", "32"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """A folder of 12 photographs of coloured stripes."""
    folder = tmp_path_factory.mktemp("some photos")
    for n in range(12):
        stripes = torch.arange(64 * 80).view(64, 80, 1).div(n + 3, rounding_mode="floor") * torch.tensor([1, 3, 7])
        Image.fromarray((stripes % 256).byte().numpy()).save(folder / f"{n:02}.png")
    return folder


@pytest.fixture(autouse=True)
def _one_process(monkeypatch):
    monkeypatch.setattr(data.scenes, "cores", lambda: 1)


def load(path: Path):
    return torch.load(path, weights_only=True)


def run(photos: Path, out: Path, *options: str) -> int:
    return train.main(["--photos", str(photos), *QUICK, *options, "--out", str(out)])


@pytest.mark.parametrize(
    ("noise", "loss"),
    [
        ("gaussian:25", "l2"),
        ("gaussian:5-50", "l2"),
        ("poisson:30", "l2"),
        ("camera", "l2"),
        ("bernoulli:0.5", "l2"),
        ("text", "l1"),
        ("impulse", "l0"),
    ],
)
def test_any_noise_can_be_trained_on(noise, loss, photos, tmp_path):
    assert run(photos, tmp_path, "--noise", noise) == 0
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["noise"], config["loss"], config["targets"], config["data"]) == (noise, loss, "noisy", None)
    best = load(tmp_path / "best.pth")
    assert {tensor.dtype for tensor in best.values()} == {torch.float16}
    paper().load_state_dict(best)
    rows = load(tmp_path / "last.pth")["rows"]
    assert [row["epoch"] for row in rows] == [1, 2]


def test_clean_targets_and_another_loss_are_taken(photos, tmp_path, monkeypatch):
    batches = []
    step = train.BatchTraining.step
    monkeypatch.setattr(train.BatchTraining, "step", lambda self, *batch: batches.append(batch) or step(self, *batch))
    assert run(photos, tmp_path, "--noise", "text", "--targets", "clean", "--loss", "l2") == 0
    assert len(batches) == 8
    assert all((target == target.round()).all() and (x != target).any() for x, target, *_ in batches)
    assert json.loads((tmp_path / "config.json").read_text())["loss"] == "l2"


def test_the_average_is_what_is_measured_and_kept(photos, tmp_path):
    assert run(photos, tmp_path, "--noise", "gaussian:25", "--average", "0.9") == 0
    last, best = load(tmp_path / "last.pth"), load(tmp_path / "best.pth")
    chosen = max(last["rows"], key=lambda row: row["psnr"])["epoch"] == 2
    same = all(torch.equal(best[name], last["average"][name].half()) for name in best)
    assert same == chosen
    assert any((last["average"][name] != last["network"][name]).any() for name in best)


def test_a_run_goes_on_as_if_never_stopped(photos, tmp_path, monkeypatch):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    options = ["--noise", "gaussian:5-50", "--seed", "3"]
    assert run(photos, whole, *options) == 0
    with monkeypatch.context() as patch:
        epoch = train._epoch

        def interrupted(training, pairs, number, title):
            if number < 2:
                return epoch(training, pairs, number, title)
            next(training.epoch(*pairs(number)))
            raise KeyboardInterrupt

        patch.setattr(train, "_epoch", interrupted)
        assert run(photos, stopped, *options) == 130
    assert train.main(["--resume", "--out", str(stopped)]) == 0
    one, other = (load(out / "last.pth") for out in (whole, stopped))
    for state in ("network", "average"):
        assert all(torch.equal(one[state][name], other[state][name]) for name in one[state])
    assert [row["psnr"] for row in one["rows"]] == [row["psnr"] for row in other["rows"]]


def test_sigterm_ends_a_run_as_ctrl_c_does(photos, tmp_path):
    command = [sys.executable, "train.py", "--photos", photos, "--noise", "gaussian:25", "--network", "paper"]
    command += ["--pairs", "64", "--epochs", "100000", "--out", tmp_path]
    process = subprocess.Popen(
        list(map(str, command)),
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    next(line for line in process.stdout if line.split()[:1] == ["1"])
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Traceback" not in said
    assert len(load(tmp_path / "last.pth")["rows"]) >= 1


def test_a_run_branches_from_the_weights_of_another(photos, tmp_path):
    assert run(photos, tmp_path / "base", "--noise", "gaussian:5-50", "--decay", "0") == 0
    best = tmp_path / "base" / "best.pth"
    options = ["--noise", "gaussian:25", "--init", str(best), "--lr", "1e-9", "--decay", "1"]
    assert run(photos, tmp_path / "branch", *options) == 0
    start, end = load(best), load(tmp_path / "branch" / "best.pth")
    assert all(torch.allclose(start[name], end[name], atol=1e-3) for name in start)
    assert json.loads((tmp_path / "branch" / "config.json").read_text())["init"] == str(best)


def test_the_loss_of_a_run_falls(photos, tmp_path):
    options = ["--noise", "gaussian:10", "--epochs", "10", "--lr", "0.02", "--pairs", "64"]
    assert run(photos, tmp_path, *options) == 0
    rows = load(tmp_path / "last.pth")["rows"]
    assert rows[-1]["loss"] < 0.8 * rows[0]["loss"]
    assert rows[-1]["psnr"] > rows[0]["psnr"] + 0.5


def test_a_network_that_breaks_down_ends_the_run_and_leaves_what_was_good(photos, tmp_path, monkeypatch, capsys):
    scores = iter([20.0, 26.0, 22.9, 27.0])
    monkeypatch.setattr(train, "_score", lambda *_: next(scores))
    assert run(photos, tmp_path, "--noise", "gaussian:25", "--epochs", "4") == 2
    assert "the PSNR fell from 26.00 to 22.90 dB in epoch 3, whose weights are not kept" in capsys.readouterr().err
    assert [row["psnr"] for row in load(tmp_path / "last.pth")["rows"]] == [20.0, 26.0]


def test_own_noisy_pictures(tmp_path, capsys):
    for n in range(4):
        for folder in ("first", "second"):
            (tmp_path / folder).mkdir(exist_ok=True)
            picture = torch.randint(256, (40, 48, 3), dtype=torch.uint8)
            Image.fromarray(picture.numpy()).save(tmp_path / folder / f"{n}.png")
    folders = ["--noisy", str(tmp_path / "first"), str(tmp_path / "second")]
    assert train.main([*folders, *QUICK, "--out", str(tmp_path / "run")]) == 0
    assert "1 scenes held out, to their other noisy pictures" in capsys.readouterr().out
    assert train.main(["--resume", "--out", str(tmp_path / "run")]) == 0


def test_a_run_from_before_an_option_goes_on_without_it(photos, tmp_path):
    assert run(photos, tmp_path, "--noise", "gaussian:25") == 0
    config = json.loads((tmp_path / "config.json").read_text())
    del config["exclude"], config["init"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert train.main(["--resume", "--out", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("--photos {photos} --noise gausian:25", "there is no noise 'gausian'"),
        ("--photos {photos} --noise gaussian", "the noise gaussian needs the standard deviation"),
        ("--photos {photos} --noise gaussian:25 --zoom 2", "--zoom is about photographs with the course's noise"),
        ("--photos {photos} --noise course --crop 32", "--crop is about pictures at full size"),
        ("--photos {photos} --targets clean", "--targets is about photographs at full size"),
        ("--photos {photos} --noise gaussian:25 --crop 30", "--crop is 30, but the network paper"),
        ("--photos {photos} --noise gaussian:25 --crop 96", "has 96 pixels a side or more; choose a smaller --crop"),
        ("--photos {photos} --noise gaussian:25 --exclude nowhere", "nowhere: can't be read as a list"),
        ("--photos {photos} --noise gaussian:25 --init nowhere", "nowhere can't be read"),
        ("--photos {photos} --noise gaussian:25 --init {photos}/00.png", "does not hold weights of this network"),
        ("--photos {photos} --noise gaussian:25 --targets dirty", "invalid choice: 'dirty'"),
        ("--data {photos} --noise gaussian:25", "--noise is about photographs; it goes with --photos"),
        ("--noisy {photos} --noise gaussian:25", "--noise is about photographs; it goes with --photos"),
        ("--noisy {photos} --targets clean", "--targets is about photographs"),
        ("--noisy {photos}", "expected a sub-folder for every scene"),
    ],
)
def test_a_wrong_call_ends_with_status_2_and_says_why(options, complaint, photos, tmp_path, capsys):
    try:
        arguments = [word.format(photos=photos) for word in options.split()]
        status = train.main([*arguments, "--network", "paper", "--out", str(tmp_path)])
    except SystemExit as end:
        status = end.code
    assert status == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "last.pth").exists()
