"""Several processes train as one does: the same weights, one voice, and an end for all when one ends."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from processes import together

import train
from data.build import TRAIN_FILE
from data.crops import Crops
from data.load import save_pair
from data.noise import noise
from Proj_2.others.loss import LOSSES
from Proj_2.others.networks import paper, unet
from Proj_2.others.training import BatchTraining, Training
from training.buckets import Buckets
from training.team import Team, checksum, joined, same

ROOT = Path(train.__file__).parent
# Batches of 7 and a last one of 2, in 10 epochs of 5 steps: of neither have 2 or 3 processes equal shares, and of the
# last one of 3 processes has none.
EPOCHS, PAIRS, BATCH = 10, 30, 7
CASES = {
    "pairs": {"clip": 0.05},
    "known pixels": {"clip": 0.05, "average": 0.9, "noise": "bernoulli:0.5"},
    # Half of the way: in the other half this loss is so steep that 1e-15 of a weight comes to 1e-2.
    "annealed": {"average": 0.9, "loss": "l0", "noise": "impulse:0.3", "until": EPOCHS // 2},
    "through the network in parts": {"pairs": 300, "batch": 290, "side": 8},
}


def trained(team, case, wrong=lambda training: None):
    """The state after 50 steps, fewer in some cases, of what CASES says."""
    options = dict(CASES[case])
    pairs, size, side = options.pop("pairs", PAIRS), options.pop("batch", BATCH), options.pop("side", 16)
    corruption, loss = options.pop("noise", None), LOSSES[options.pop("loss", "l2")]()
    until = options.pop("until", EPOCHS)
    torch.manual_seed(5)
    network = unet((6, 8), (1, 1)) if corruption else paper()
    options |= {"batch_size": size, "peak_lr": 3e-3, "seed": 4, "loss": loss}
    options["team"] = Buckets(network, team, smallest=4_000) if team.size > 1 else None
    training = (BatchTraining if corruption else Training)(network, EPOCHS, pairs, **options)
    wrong(training)
    pictures = torch.randint(256, (2, pairs, 3, side, side), dtype=torch.uint8)
    crops = Crops([[picture] for picture in pictures[0]], corruption and noise(corruption), 12)
    with torch.no_grad():
        for epoch in range(until):
            batches = (crops.epoch(epoch, pairs, size, team.part),) if corruption else pictures
            losses = [float(loss) for loss in training.epoch(*batches)]
    state = network.state_dict() | {"losses": torch.tensor(losses)}
    if training.average:
        state |= {f"average {name}": mean for name, mean in training.average.state_dict().items()}
    same(team, "weights", lambda: checksum(state.values()), "")
    return state


def train_all(out):
    with joined() as team:
        states = {case: trained(team, case) for case in CASES}
        if team.rank == 0:
            torch.save(states, out)
    return 0


@pytest.fixture(scope="module")
def alone():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield {case: trained(Team(), case) for case in CASES}
    torch.set_num_threads(threads)


@pytest.mark.parametrize("size", [2, 3])
def test_any_number_of_processes_trains_as_one_does(size, alone, tmp_path):
    assert together(tmp_path, train_all, *[(tmp_path / "out",)] * size) == [(0, "")] * size
    states = torch.load(tmp_path / "out")
    for case, expected in alone.items():
        for name, tensor in expected.items():
            torch.testing.assert_close(states[case][name], tensor, rtol=0, atol=1e-5, msg=f"{case}: {name}")


@pytest.mark.parametrize("pictures", [3, 140])
def test_what_is_sent_during_the_backward_pass_is_complete(pictures, monkeypatch):
    """Few messages, all but the last on their way before the backward pass ends, and none changes after that."""
    sent = []

    class Message:
        def wait(self):
            sent.append("waited")

    def all_reduce(bucket, async_op):
        sent.append((bucket, bucket.clone()))
        return Message()

    monkeypatch.setattr("training.buckets.dist.all_reduce", all_reduce)
    network = unet((16, 24, 32), (2, 2, 2))
    buckets = Buckets(network, Team(), smallest=30_000)
    assert all(gradient.stride() == parameter.stride() for parameter, gradient in network.param())
    training, total = Training(network, 1, pictures, batch_size=pictures, team=buckets), buckets.total
    training.team.total = lambda loss: sent.append("backward is over") or total(loss)
    pairs = torch.randint(256, (2, pictures, 3, 16, 16), dtype=torch.uint8)
    for _ in range(2):
        sent.clear()
        loss = training.step(*pairs)
        messages = [entry for entry in sent if isinstance(entry, tuple)]
        assert len(messages) == len(buckets.buckets) > 2
        assert sent.index("backward is over") == len(messages) - 1
        assert all(torch.equal(bucket, then) for bucket, then in messages)
        gradients = sum(gradient.nbytes for _, gradient in network.param())
        assert sum(bucket.nbytes for bucket, _ in messages) == gradients + loss.nbytes
        assert messages[-1][0][-1] == loss


def train_wrong(out):
    def equal_shares(training):  # as if every process had as many pairs as the others
        step = training.step
        training.step = lambda *pairs, of: step(*pairs, of=2 * len(pairs[0]))

    with joined() as team:
        torch.save(trained(team, "pairs", equal_shares), out)
    return 0


def test_a_mean_of_the_processes_means_would_be_noticed(alone, tmp_path):
    assert together(tmp_path, train_wrong, *[(tmp_path / "out",)] * 2) == [(0, "")] * 2
    state, expected = torch.load(tmp_path / "out"), alone["pairs"]
    assert max(float((state[name] - expected[name]).abs().max()) for name in expected) > 1e-4


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Path:
    """A folder of 660 noisy pairs, of which 66 are held out."""
    folder = tmp_path_factory.mktemp("pairs")
    clean = torch.rand(660, 3, 4, 4).repeat_interleave(8, 2).repeat_interleave(8, 3) * 200
    save_pair(folder / TRAIN_FILE, *[(clean + 40 * torch.rand(clean.shape)).byte() for _ in range(2)])
    return folder


def options(pairs: Path, out: Path, *more) -> list[str]:
    small = ["--network", "paper", "--precision", "float32", "--epochs", "3"]
    return list(map(str, ["--data", pairs, *small, *more, "--out", out]))


def process_number(rank: int, parent: int) -> int:
    """The process that torchrun, the process `parent`, gave the number `rank`."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            its_parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if its_parent == parent and f"RANK={rank}" in (folder / "environ").read_text().split("\0"):
                return int(folder.name)
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            continue
    raise LookupError(f"{parent} has no process {rank}")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc to find a process")
def test_a_killed_process_ends_the_run_which_goes_on_with_another_number_of_them(pairs, alone, tmp_path):
    out, whole = tmp_path / "stopped", tmp_path / "whole"
    slow = ["--batch", "35"]  # 51 steps; after many more, rounding decides which units of this network live
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "train.py"]
    run = subprocess.Popen(
        [*command, *options(pairs, out, *slow)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    next(line for line in run.stdout if line.split()[0] == "1")
    os.kill(process_number(1, run.pid), signal.SIGKILL)
    shown, said = run.communicate(timeout=60)
    assert run.returncode != 0
    assert said.count("error: ") == said.count("at most the epoch under way is lost; go on") == 1
    assert "another process ended" in said
    assert said.count("Traceback") == 1  # torchrun's own
    assert "best:" not in shown

    resume = (["--resume", "--out", str(out)],)
    assert [status for status, _ in together(tmp_path, train.main, *[resume] * 3)] == [0, 0, 0]
    assert train.main(options(pairs, whole, *slow)) == 0
    one, other = (torch.load(folder / "last.pth") for folder in (whole, out))
    assert len(one["rows"]) == len(other["rows"]) == 3
    for name, tensor in one["network"].items():
        torch.testing.assert_close(other["network"][name], tensor, rtol=0, atol=1e-5)


def run_in(folder: Path, arguments: list[str], change=None) -> int:
    os.chdir(folder)
    if change:
        change()
    return train.main(arguments)


def one_sentence(ends: list[tuple[int, str]]) -> str:
    """What the processes said about the end that all came to; only one of them may."""
    assert all(status for status, _ in ends)
    said = [line for _, text in ends for line in text.splitlines() if line.startswith("error: ")]
    assert len(said) == 1
    assert not any("Traceback" in text for _, text in ends)
    return said[0]


def test_wrong_use_ends_all_and_one_says_why(pairs, tmp_path):
    def ends(*each) -> str:
        return one_sentence(together(tmp_path, run_in, *each))

    out = tmp_path / "out"
    here = options(Path("."), out)
    assert "a --batch of 2 can't be divided among 3 processes" in ends(*[(pairs, [*here, "--batch", "2"])] * 3)
    said = ends((pairs, here), (pairs, [*here, "--lr", "0.5"]))
    assert "process 1 was started with --lr 0.5, but process 0 without --lr; start all with the same options" in said
    other = tmp_path / "other"
    other.mkdir()
    save_pair(other / TRAIN_FILE, *torch.randint(200, (2, 660, 3, 16, 16), dtype=torch.uint8))
    assert "process 2 has other pairs than process 0; train on the same" in ends(
        (pairs, here), (pairs, here), (other, here)
    )
    said = ends(*[(pairs, here, one_gpu)] * 2)
    assert "GPUs of this machine: 1, processes on it: 2; start one for each" in said
    assert not (out / "last.pth").exists()


def one_gpu():
    torch.cuda.is_available, torch.cuda.device_count = lambda: True, lambda: 1


def drift():
    """A bit of a weight of this process changes in the first epoch."""
    epoch = train._epoch

    def drifting(training, *more):
        loss = epoch(training, *more)
        parameter, _ = training.network.param()[0]
        parameter[0, 0, 0, 0] *= 1 + 1e-7
        return loss

    train._epoch = drifting


def break_down():
    scores = iter([20.0, 10.0])
    train._score = lambda *_: next(scores)


def mistake():
    train._epoch = lambda *_: 1 / 0


def test_weights_that_drift_apart_end_the_run(pairs, tmp_path):
    here = options(pairs, tmp_path / "out")
    said = one_sentence(together(tmp_path, run_in, (ROOT, here), (ROOT, here, drift)))
    assert "process 1 has other weights after epoch 1 than process 0; compute on machines of one kind" in said


def test_what_process_0_finds_wrong_ends_the_others(pairs, tmp_path):
    here = options(pairs, tmp_path / "out")
    said = one_sentence(together(tmp_path, run_in, *[(ROOT, here, break_down)] * 2))
    assert "the PSNR fell from 20.00 to 10.00 dB in epoch 2" in said


def test_a_mistake_of_the_program_has_one_traceback(pairs, tmp_path):
    ends = together(tmp_path, run_in, *[(ROOT, options(pairs, tmp_path / "out"), mistake)] * 2)
    assert all(status == 1 for status, _ in ends)
    assert sum(said.count("ZeroDivisionError") for _, said in ends) == 1


def test_a_port_in_use_is_named(pairs, tmp_path):
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = one_sentence(together(tmp_path, main_of_first, *[(options(pairs, tmp_path / "out"),)] * 2, port=port))
    assert f"the processes can't meet at localhost:{port}" in said
    assert "choose another port" in said


def main_of_first(arguments):
    return train.main(arguments) if os.environ["RANK"] == "0" else 1
