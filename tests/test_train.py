"""A training run: what it leaves, that stopping it costs an epoch at most and changes nothing, and its complaints."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

import data.fresh
import train
from data.build import TRAIN_FILE, build
from data.fresh import FreshPairs
from data.load import save_pair
from data.noise import clean
from Proj_2.others.networks import paper
from Proj_2.others.training import Training
from training.options import arguments, plain_values
from training.team import Team

ROOT = Path(train.__file__).parent


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Path:
    """A folder of 660 noisy pairs: enough for an epoch of a second when batches are small."""
    folder = tmp_path_factory.mktemp("some pairs")
    generator = torch.Generator().manual_seed(1)
    clean = torch.rand(660, 3, 4, 4, generator=generator).repeat_interleave(4, 2).repeat_interleave(4, 3) * 200
    noisy = [(clean + 40 * torch.rand(clean.shape, generator=generator)).byte() for _ in range(2)]
    save_pair(folder / TRAIN_FILE, *noisy)
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """A folder of 12 photographs, each of one colour of its own."""
    folder = tmp_path_factory.mktemp("some photos")
    for n in range(12):
        Image.new("RGB", (64, 80), (20 * n, 10, 250 - 20 * n)).save(folder / f"{n:02}.png")
    return folder


@pytest.fixture
def small(monkeypatch):
    """Runs on photographs in a second: few pictures held out, no further processes."""
    monkeypatch.setattr(train, "HELD_OUT", 8)
    monkeypatch.setattr(data.fresh, "cores", lambda: 1)


@pytest.fixture
def one_thread():
    """As the processes that `start` starts: sums in another order would differ in their last bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def start(*arguments) -> subprocess.Popen:
    command = [sys.executable, "train.py", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def stop_within(process: subprocess.Popen, epoch: int, how: signal.Signals) -> str:
    """Send the signal in the middle of the epoch after `epoch`; returns what the process had to say about it."""
    for line in process.stdout:
        if line.split()[0] == str(epoch):
            break
    time.sleep(0.05)  # an epoch takes ten times that on the fastest machine
    process.send_signal(how)
    return process.communicate(timeout=60)[1]


def load(path: Path):
    return torch.load(path, weights_only=True)


def without_seconds(rows: list[dict]) -> list[dict]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def assert_same_run(a: Path, b: Path):
    one, other = load(a / "last.pth"), load(b / "last.pth")
    assert without_seconds(one["rows"]) == without_seconds(other["rows"])
    assert one["optimizer"]["steps"] == other["optimizer"]["steps"]
    tensors = [(one["network"], other["network"]), (load(a / "best.pth"), load(b / "best.pth"))]
    tensors += zip(one["optimizer"]["state"], other["optimizer"]["state"], strict=True)
    for here, there in tensors:
        assert here.keys() == there.keys()
        assert all(torch.equal(here[name], there[name]) for name in here)


def test_a_run_that_was_interrupted_and_killed_and_resumed_ends_as_one_that_was_not(
    pairs, tmp_path, one_thread, capsys
):
    options = ["--data", str(pairs), "--network", "paper", "--epochs", "4", "--batch", "1", "--out"]
    out = tmp_path / "stopped twice"

    first = start(*options, out)
    said = stop_within(first, 1, signal.SIGINT)
    assert first.returncode == 130
    assert "Traceback" not in said
    assert f"--resume --out '{out}'" in said
    assert len(load(out / "last.pth")["rows"]) == 1

    second = start("--resume", "--out", out)
    stop_within(second, 2, signal.SIGKILL)
    assert second.returncode == -signal.SIGKILL
    assert len(load(out / "last.pth")["rows"]) == 2

    assert train.main(["--resume", "--out", str(out)]) == 0
    shown = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[0] for line in shown] == ["epoch", "1", "2", "3", "4", "best:"]
    assert train.main([*options, str(tmp_path / "whole")]) == 0
    assert_same_run(tmp_path / "whole", out)


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_a_run_on_photographs_goes_on_as_if_never_stopped(optimizer, photos, tmp_path, small, monkeypatch):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    options = [
        "--network",
        "paper",
        "--epochs",
        "3",
        "--pairs",
        "20",
        "--windows",
        "12",
        "--batch",
        "5",
        "--seed",
        "3",
        "--optimizer",
        optimizer,
    ]
    options += ["--photos", str(photos), "--out"]
    assert train.main([*options, str(whole)]) == 0
    with monkeypatch.context() as patch:
        epoch = train._epoch

        def interrupted(training, pairs, number, title):
            if number < 3:
                return epoch(training, pairs, number, title)
            next(training.epoch(*pairs(number)))
            raise KeyboardInterrupt

        patch.setattr(train, "_epoch", interrupted)
        assert train.main([*options, str(stopped)]) == 130
    assert len(load(stopped / "last.pth")["rows"]) == 2
    assert train.main([*options, str(stopped), "--resume"]) == 0
    assert_same_run(whole, stopped)


def test_what_a_run_leaves(photos, tmp_path, small, capsys):
    out = tmp_path / "new" / "run"
    options = ["--photos", str(photos), "--network", "paper", "--epochs", "2", "--pairs", "20", "--windows", "12"]
    assert train.main([*options, "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {"config.json", "log.csv", "curve.png", "last.pth", "best.pth"}
    config = json.loads((out / "config.json").read_text())
    assert (config["network"], config["epochs"], config["photos"]) == ("paper", 2, [str(photos)])
    with open(out / "log.csv", newline="") as file:
        log = list(csv.DictReader(file))
    assert [row["epoch"] for row in log] == ["1", "2"]
    rows = load(out / "last.pth")["rows"]
    assert [float(row["psnr"]) for row in log] == pytest.approx([row["psnr"] for row in rows], abs=1e-6)
    with Image.open(out / "curve.png") as curve:
        assert curve.size > (400, 200)
    paper().load_state_dict(load(out / "best.pth"))
    shown = capsys.readouterr().out
    assert f"{rows[-1]['psnr']:.3f}" in shown
    assert str(out / "best.pth") in shown

    before = (out / "last.pth").read_bytes()
    assert train.main(["--resume", "--out", str(out)]) == 0  # nothing is left to do
    assert (out / "last.pth").read_bytes() == before
    assert train.main(["--resume", "--out", str(out), "--epochs", "3"]) == 2
    assert "has --epochs 2, not 3" in capsys.readouterr().err
    assert train.main([*options, "--out", str(out)]) == 2
    assert "holds a run already" in capsys.readouterr().err


def test_the_best_weights_are_those_of_the_epoch_with_the_highest_psnr(pairs, tmp_path, monkeypatch):
    scores, seen, kept = iter([10.0, 12.0, 11.0]), [], train.checkpoint
    monkeypatch.setattr(train, "psnr", lambda *_: torch.tensor([next(scores)]))
    monkeypatch.setattr(
        train, "checkpoint", lambda network, *more: seen.append(clone(network)) or kept(network, *more)
    )

    def clone(network):
        return {name: parameter.clone() for name, parameter in network.state_dict().items()}

    assert train.main(["--data", str(pairs), "--network", "paper", "--epochs", "3", "--out", str(tmp_path)]) == 0
    best = load(tmp_path / "best.pth")
    same = [all(torch.equal(best[name], state[name]) for name in best) for state in seen]
    assert same == [False, False, True, False]  # the first is that of the beginning


def test_no_photograph_is_both_trained_on_and_held_out_of_a_built_folder(photos, tmp_path):
    build([photos], train_pairs=90, val_pairs=1, out=tmp_path, workers=1, say=lambda line: None)
    source, held_out = train._pair_source({"data": tmp_path, "pairs": None, "network": "paper"}, Team())
    trained, held = ({tuple(picture[:, 0, 0].tolist()) for picture in half[0]} for half in (source(1), held_out))
    assert len(held) >= 1
    assert len(trained) >= 8
    assert not trained & held


def test_of_many_versions_the_target_is_the_mean_of_all_but_the_input():
    window = torch.randint(256, (1, 3, 256, 256), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    windows = window.expand(20, -1, -1, -1)
    for versions, kept in ((2, 1.0), (17, 1 / 16)):
        first, second = FreshPairs(windows, 0, versions).epoch(1, 20)
        spread = [(noisy.float() - clean(windows)).square().mean().item() for noisy in (first, second)]
        assert spread[1] == pytest.approx(kept * spread[0] + (versions > 2) / 12, rel=0.05)  # 1/12: it is rounded


def test_pictures_that_are_not_alike_never_exchange_their_roles(monkeypatch):
    monkeypatch.setattr(Training, "step", lambda self, x, target, of: x.mean() > 0)
    for exchange in (True, False):
        training = Training(paper(), 1, 40, batch_size=1, exchange=exchange)
        assert any(training.epoch(torch.zeros(40, 3, 8, 8), torch.ones(40, 3, 8, 8))) == exchange


def test_every_seed_holds_out_the_same_photographs_and_makes_other_pairs(photos, small):
    config = {"photos": [photos], "windows": 12, "val_list": None, "zoom": 1.0, "pairs": 12, "versions": 2}
    (one, held), (other, held_too) = (train._photo_source(config | {"seed": seed}, Team()) for seed in (0, 1))
    assert all(map(torch.equal, held, held_too))
    assert not torch.equal(one(1)[0], other(1)[0])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("--epochs 0", "expected a whole number from 1 to 100,000, not '0'"),
        ("--epochs 2.5", "expected a whole number"),
        ("--lr nan", "not 'nan'"),
        ("--zoom 0.5", "expected a number from 1 to 8, not '0.5'"),
        ("--network huge", "invalid choice: 'huge'"),
        ("--photos nowhere", "nowhere: no such folder"),
        ("--data nowhere", "no such file"),
        ("--data {pairs} --windows 5", "--windows is about photographs"),
        ("--data {pairs} --out {pairs}/train_data.pkl", "can't be made a folder"),
        ("--resume", "holds no run to go on with"),
    ],
)
def test_a_wrong_call_ends_with_status_2_and_says_why(options, complaint, pairs, tmp_path, capsys):
    arguments = ["--out", str(tmp_path), *(word.format(pairs=pairs) for word in options.split(" "))]
    try:
        status = train.main(arguments)
    except SystemExit as end:
        status = end.code
    assert status == 2
    assert complaint in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("shape", "complaint"),
    [((20, 3, 30, 32), "30×32; expected multiples of 4"), ((1, 3, 32, 32), "a single picture; expected 2 at least")],
)
def test_pairs_that_can_t_be_trained_on_are_refused(shape, complaint, tmp_path, capsys):
    save_pair(tmp_path / TRAIN_FILE, *torch.zeros(2, *shape, dtype=torch.uint8))
    assert train.main(["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert complaint in capsys.readouterr().err


def test_a_run_of_another_version_is_refused(tmp_path, capsys):
    config = plain_values(arguments([])[0]) | {"speed": 3}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert train.main(["--resume", "--out", str(tmp_path)]) == 2
    assert "it differs in speed: start a new run" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["config.json", "last.pth"])
def test_a_damaged_run_is_refused_and_left_as_it_is(name, pairs, tmp_path, capsys):
    options = ["--data", str(pairs), "--network", "paper", "--epochs", "1", "--out", str(tmp_path)]
    assert train.main(options) == 0
    damaged = (tmp_path / name).read_bytes()[:-40]
    (tmp_path / name).write_bytes(damaged)
    assert train.main(["--resume", "--out", str(tmp_path)]) == 2
    assert name in capsys.readouterr().err
    assert (tmp_path / name).read_bytes() == damaged


def test_pairs_that_changed_since_the_run_began_are_noticed(pairs, tmp_path, capsys):
    save_pair(tmp_path / TRAIN_FILE, *torch.zeros(2, 40, 3, 32, 32, dtype=torch.uint8))
    options = ["--data", str(tmp_path), "--network", "paper", "--epochs", "1", "--out", str(tmp_path / "run")]
    assert train.main(options) == 0
    save_pair(tmp_path / TRAIN_FILE, *torch.zeros(2, 50, 3, 32, 32, dtype=torch.uint8))
    assert train.main(["--resume", "--out", str(tmp_path / "run")]) == 2
    assert "has changed since this run began: 45 pairs, not 36" in capsys.readouterr().err


def test_a_loss_that_is_no_number_ends_the_run():
    class Diverging:
        steps_per_epoch, peak_lr = 3, 0.5

        def epoch(self):
            yield from (0.1, float("nan"), 0.1)

    with pytest.raises(train.UsageError, match=r"the loss is nan at step 2 of epoch 7: .* --lr below 0\.5"):
        train._epoch(Diverging(), lambda number: (), 7, "")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def fail(partial):
        partial.write_text("half of the n")
        raise RuntimeError("no space left")

    with pytest.raises(OSError, match=r"can't be written \(no space left\)"):
        train.write(path, fail)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file", "old")]
