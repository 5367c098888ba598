"""The report's experiments: each defect against a slow reference written from its description, and the machinery that
runs, keeps and resumes.
"""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from data.build import HERE, build
from data.load import DataError, load_pair, save_pair
from Proj_2.others.loss import MSE
from Proj_2.others.networks import paper
from report.__main__ import main
from report.experiments import pairs, photographs, runs
from report.experiments.catalogue import EXPERIMENTS
from report.experiments.config import SEEDS, config
from report.experiments.defects import SummedMSE, modules
from report.experiments.postmortem import _weight_gradients
from report.experiments.store import Store, StoreError

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "report", "run"]


@pytest.fixture(autouse=True)
def _no_grad():
    torch.set_grad_enabled(False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pairs of noise: enough to run on."""
    folder = tmp_path_factory.mktemp("pairs")
    for name, count in (("train_data.pkl", 50_000), ("val_data.pkl", 4)):
        kept = torch.randint(256, (64, 3, 8, 8), dtype=torch.uint8)
        kept = kept.repeat(-(-count // 64), 1, 1, 1)[:count]
        save_pair(folder / name, kept, kept.flip(0))
    return folder


# --- defects ---------------------------------------------------------------------------------------------------


def layer_by_layer(network, x, target):
    """The input of every layer and the gradient of its output, of torch's autograd and in double precision."""
    with torch.enable_grad():
        state = {name: p.double() for name, p in network.state_dict().items()}
        inputs, outputs, y = [], [], x.double()
        for i in range(8):
            inputs.append(y)
            if i == 0:
                y = functional.conv2d(y, state["0.weight"], state["0.bias"], stride=2, padding=1)
            elif i == 2:
                y = functional.conv2d(y, state["2.weight"], state["2.bias"], stride=2)
            elif i in (4, 6):
                y = functional.conv_transpose2d(y, state[f"{i}.weight"], state[f"{i}.bias"], stride=2)
            else:
                y = y.sigmoid() if i == 7 else y.relu()
            y.requires_grad_().retain_grad()
            outputs.append(y)
        (y - target.double()).square().sum().div(len(x)).backward()
    return [t.detach() for t in inputs], [t.grad for t in outputs]


def weight_gradient(i, x, grad_y):
    """Of layer `i`, by torch, for one picture's input and its output's gradient."""
    stride, padding, k = 2, int(i == 0), 3 if i == 0 else 2
    if i < 4:
        return torch.nn.grad.conv2d_weight(x, (grad_y.shape[1], x.shape[1], k, k), grad_y, stride, padding)
    # The adjoint: its weight's gradient is that of a convolution with input and output exchanged.
    return torch.nn.grad.conv2d_weight(grad_y, (x.shape[1], grad_y.shape[1], k, k), x, stride, padding)


def reference(defects, inputs, grads):
    """Weight gradients with (a) and (b), computed from their descriptions, picture by picture and value by value."""
    gradients = {}
    for i in (0, 2, 4, 6):
        x, grad_y = inputs[i], grads[i]
        if "a" in defects:
            gradient = sum(weight_gradient(i, x[-1:], grad_y[n : n + 1]) for n in range(len(x)))
        else:
            gradient = weight_gradient(i, x, grad_y)
        if "b" in defects and i >= 4:
            c_in, c_out, k, _ = gradient.shape
            rows = [
                [gradient[ci, co, a, b].item() for ci in range(c_in)]
                for co in range(c_out)
                for a in range(k)
                for b in range(k)
            ]  # (C_out·k², C_in)
            gradient = torch.tensor(rows, dtype=torch.float64).view(c_in, c_out, k, k)
        gradients[f"{i}.weight"] = gradient.reshape(-1)
    return gradients


@pytest.mark.parametrize("defects", ["", "a", "b", "ab", "d"])
def test_weight_gradients_are_those_that_the_defects_describe(defects):
    made = runs.network(config(defects=defects, outer=6, inner=5), seed=1)
    noisy, target = torch.randint(256, (2, 3, 3, 8, 8))
    got = _weight_gradients(made, noisy, target)
    inputs, grads = layer_by_layer(made, noisy / 255, target / 255)
    wanted, true = reference(defects, inputs, grads), reference("", inputs, grads)
    for name, gradient in got.items():
        torch.testing.assert_close(gradient.double(), wanted[name], rtol=1e-3, atol=1e-5)
        broken = ("a" in defects) or ("b" in defects and name in ("4.weight", "6.weight"))
        same = torch.allclose(gradient.double(), true[name], rtol=1e-3, atol=1e-5)
        assert same != broken, name


def test_last_picture_is_right_for_a_batch_of_one():
    noisy, target = torch.randint(256, (2, 1, 3, 8, 8))
    gradients = [_weight_gradients(runs.network(config(defects=d), 0), noisy, target) for d in ("", "a")]
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient)


def test_defects_of_the_gradient_add_up():
    made, noisy, target = runs.network(config(defects="ab"), 0), *torch.randint(256, (2, 2, 3, 8, 8))
    once = _weight_gradients(made, noisy, target)
    x, y = noisy / 255, target / 255
    loss = SummedMSE()
    loss.forward(made.forward(x), y)
    made.accumulate(loss.backward())
    for name, (_, gradient) in made.named_param().items():
        if name.endswith("weight"):
            torch.testing.assert_close(gradient.reshape(-1), 2 * once[name], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("letter", "passes"), [("d", lambda x: x > 0), ("D", lambda x: x > float("-inf"))])
def test_relu_in_place_takes_its_input_and_differs_in_the_derivative(letter, passes):
    _, relu, _ = modules(letter)
    x, grad = torch.randn(2, 5, 4)
    before = x.clone()
    made = relu()
    y = made.forward(x)
    assert y.data_ptr() == x.data_ptr()
    assert torch.equal(x, before.clamp(min=0))
    assert torch.equal(made.backward(grad), grad * passes(before))


def test_smaller_bound():
    _, _, upsampling = modules("e")
    torch.manual_seed(0)
    small = upsampling(32, 3, 2, stride=2)
    bound = (32 * 4) ** -0.5
    assert 0.95 * bound < small.weight.abs().max() <= bound
    _, _, upsampling = modules("")
    assert upsampling(32, 3, 2, stride=2).weight.abs().max() > 2 * bound


def test_inputs_not_divided(folder):
    seen = []
    for defects in ("", "c"):
        made = config(defects=defects, pairs=100)
        network = runs.network(made, 0)
        forward = network.forward
        network.forward = lambda x, scratch=False, forward=forward: seen.append(float(x.max())) or forward(x, scratch)
        training = runs.ConfiguredTraining(network, made, 0)
        list(training.epoch(*pairs.source(made, folder)(0)))
        assert training.buffers.kept("target").max() <= 1
        runs.score(network, made, folder)
    assert seen == pytest.approx([1, 1, 255, 255], abs=2)
    assert min(seen[2:]) > 250


def test_summed_loss_has_the_mean_for_a_value_and_the_sum_over_a_picture_for_a_gradient():
    prediction, target = torch.rand(2, 5, 3, 32, 32)
    summed, mean = SummedMSE(), MSE()
    assert summed.forward(prediction, target) == mean.forward(prediction, target)
    torch.testing.assert_close(summed.backward(), 3072 * mean.backward())
    torch.testing.assert_close(summed.backward(), 2 * (prediction - target) / 5)


def test_an_unknown_defect_is_refused():
    with pytest.raises(ValueError, match="no defect x"):
        modules("ax")


# --- runs ------------------------------------------------------------------------------------------------------


def test_the_repaired_network_is_the_papers():
    torch.manual_seed(3)
    ours = paper().state_dict()
    for name, parameter in runs.network(config(), 3).state_dict().items():
        assert torch.equal(parameter, ours[name])


@pytest.mark.parametrize(
    ("name", "deviation"),
    [
        ("torch", lambda fan_in: (3 * fan_in) ** -0.5),
        ("printed", lambda fan_in: 3**-0.5 / fan_in),
        ("kaiming_uniform", lambda fan_in: (2 / fan_in) ** 0.5),
        ("kaiming_normal", lambda fan_in: (2 / fan_in) ** 0.5),
    ],
)
def test_initial_deviation(name, deviation):
    state = runs.network(config(initialisation=name), 0).state_dict()
    for layer, fan_in in ((0, 27), (2, 128), (4, 128), (6, 12)):
        assert state[f"{layer}.weight"].std().item() == pytest.approx(deviation(fan_in), rel=0.12)
        if name != "torch" and name != "printed":
            continue
        bound = deviation(fan_in) * 3**0.5
        assert state[f"{layer}.bias"].abs().max().item() <= bound * 1.0001


@pytest.mark.parametrize("batch", [2, 3])
def test_plain_training_is_torchs_sgd(batch, folder):
    """Two epochs of SGD on the summed loss, against autograd and torch.optim on the same batches."""
    made = config(pairs=5, batch=batch, lr=0.01, momentum=0.9)
    network, oracle = runs.network(made, 0), runs.network(made, 0)
    parameters = [torch.nn.Parameter(p.clone()) for p in oracle.state_dict().values()]
    sgd = torch.optim.SGD(parameters, lr=0.01, momentum=0.9)
    training, batches = runs.ConfiguredTraining(network, made, 0), []
    step = training.step
    training.step = lambda x, target, of=None: batches.append((x, target)) or step(x, target)
    for epoch in range(2):
        list(training.epoch(*pairs.source(made, folder)(epoch)))
    assert sum(len(x) for x, _ in batches) == 10
    with torch.enable_grad():
        for x, target in batches:
            w = parameters
            y = functional.conv2d(x / 255, w[0], w[1], stride=2, padding=1).relu()
            y = functional.conv2d(y, w[2], w[3], stride=2).relu()
            y = functional.conv_transpose2d(y, w[4], w[5], stride=2).relu()
            y = functional.conv_transpose2d(y, w[6], w[7], stride=2).sigmoid()
            sgd.zero_grad()
            ((y - target / 255).square().sum() / len(x)).backward()
            sgd.step()
    for (name, ours), theirs in zip(network.state_dict().items(), parameters, strict=True):
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-4, atol=1e-6, msg=name)


def test_a_run_tells_what_it_did_and_is_the_same_again(folder):
    made = config(pairs=30, batch=7, epochs=3, evaluations=4)
    first, again, other = (runs.run(made, seed, folder) for seed in (0, 0, 1))
    assert first["config"]["steps"] == 13
    assert [step for step, _ in first["curve"]] == [0, 3, 6, 10, 13]
    assert first["curve"][-1][1] == first["psnr"] == again["psnr"] != other["psnr"]
    assert first["loss"] == again["loss"]


def test_the_seed_decides_the_order_of_the_pairs_and_every_epoch_has_another():
    orders = []
    for seed in (0, 1):
        training = runs.ConfiguredTraining(runs.network(config(), 0), config(batch=1), seed)
        for steps in (0, 8):
            training.optimizer.steps = steps
            training.step = lambda x, target, of=None: int(x)
            orders.append(tuple(training.epoch(torch.arange(8), torch.arange(8))))
    assert all(sorted(order) == list(range(8)) for order in orders)
    assert len(set(orders)) == 4


def test_a_run_that_learns_is_no_divergence(folder):
    first = runs.run(config(pairs=30, batch=7, epochs=1), 0, folder)
    assert "diverged" not in first


def test_a_run_that_diverges_says_so_in_json(folder):
    record = runs.run(config(pairs=20, batch=10, epochs=20, lr=1e30), 0, folder)
    assert record["diverged"] is True
    assert record["psnr"] is None
    json.dumps(record, allow_nan=False)


def test_clean_targets_are_made_again_and_only_for_pairs_of_these_photographs(tmp_path, monkeypatch):
    photos = tmp_path / "photos"
    photos.mkdir()
    for path in sorted((HERE / "photos").glob("*.jpg"))[:3]:
        (photos / path.name).write_bytes(path.read_bytes())
    data = tmp_path / "data"
    build([photos], train_pairs=150, val_pairs=2, out=data, workers=1, say=lambda line: None)
    monkeypatch.setattr(pairs, "PHOTOS", photos)
    monkeypatch.setattr(pairs, "CACHE", tmp_path / "cache")
    targets, (first, second) = pairs.clean_targets(data), load_pair(data / "train_data.pkl")
    # The noise has no mean, and is large beside the error of the clean picture's mean.
    noise = first.float() - targets.float()
    assert noise.std() > 5
    assert abs(noise.mean()) < 0.5
    correlation = torch.corrcoef(torch.stack([noise.flatten(), (second.float() - targets.float()).flatten()]))[0, 1]
    assert abs(correlation) < 0.05
    save_pair(data / "train_data.pkl", second, first)
    pairs.digest.cache_clear(), pairs.training.cache_clear(), pairs.clean_targets.cache_clear()
    with pytest.raises(DataError, match="not made of the photographs"):
        pairs.clean_targets(data)


def test_fresh_noise_is_new_and_fixed_noise_is_not(monkeypatch):
    windows = torch.randint(256, (8, 3, 16, 16), dtype=torch.uint8)
    monkeypatch.setattr(pairs, "pool", lambda: windows)
    monkeypatch.setattr(pairs, "POOL", 8)
    monkeypatch.setattr("data.fresh.SIDE", 16)
    for noise in ("fixed", "fresh"):
        epochs = pairs.source(config(windows="pool", noise=noise, pairs=4), None)
        (x, target), (later, _) = epochs(0), epochs(1)
        assert not torch.equal(x, target)
        assert torch.equal(x, later) == (noise == "fixed")
        # Of every second window: each value is one of the 64 of its block.
        blocks = windows[::2].view(4, 3, 2, 8, 2, 8).permute(0, 2, 4, 3, 5, 1).reshape(4, 4, 64, 3)
        for picture in (*x, *target, *later):
            pixels = picture.permute(1, 2, 0).reshape(4, 1, 3)  # of 2×2 blocks
            assert any((window == pixels).all(2).any(1).all() for window in blocks)


# --- the catalogue ---------------------------------------------------------------------------------------------


def test_the_experiments_are_what_was_asked_for():
    assert set(EXPERIMENTS) == {
        *("paper", "postmortem", "channels", "learning_rate", "batch_size", "initialisation", "epochs"),
        *("noise2noise", "fresh_noise", "results"),
        *("gaussian", "text", "impulse", "course_unet"),
    }
    for name, experiment in EXPERIMENTS.items():
        assert name == experiment.name
        assert len(experiment.configs) == len({json.dumps(made) for made in experiment.configs})
        defaults = photographs.config() if experiment.run is photographs.run else config()
        for made in experiment.configs:
            assert made["steps"] >= 100
            assert experiment.shortened(made)["steps"] <= 60
            assert set(made) == set(defaults)
    assert len(SEEDS) >= 3
    assert len(EXPERIMENTS["channels"].configs) == 16


def test_a_configuration_with_an_unknown_entry_is_refused():
    for make in (config, photographs.config):
        with pytest.raises(ValueError, match="has no rate"):
            make(rate=1)


# --- the store and the command -----------------------------------------------------------------------------------


def head(data="these"):
    return {"experiment": "x", "data": {"train": data}}


def test_a_store_keeps_runs_and_refuses_other_data_and_damage(tmp_path):
    path = tmp_path / "x.json"
    store = Store(path, head())
    made = config(pairs=7)
    store.add_run({"config": made, "seed": 1, "psnr": 1.5, "seconds": 2.0})
    again = Store(path, head())
    assert again.find(made, 1)["psnr"] == 1.5
    assert again.find(made, 2) is None
    assert json.loads(path.read_text())["seconds"] == 2
    again.keep_only([config()], [1])
    assert again.content["runs"] == []
    assert Store(path, head(), again=True).content["runs"] == []
    with pytest.raises(StoreError, match="results of other data"):
        Store(path, head("those"))
    path.write_text(path.read_text()[:-9])
    with pytest.raises(StoreError, match=r"damaged.*delete it"):
        Store(path, head())


def test_a_store_that_cant_write_leaves_what_is_there(tmp_path):
    store = Store(tmp_path / "x.json", head())
    store.save()
    before = store.path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        store.add_run({"config": {}, "seed": 0, "psnr": float("nan"), "seconds": 0.0})
    assert store.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize("names", [["nonsense"], ["paper", "nonsense"]])
def test_a_name_that_is_none_is_answered_in_a_sentence(names, capsys):
    assert main(["run", *names]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: there is no experiment nonsense; expected names out of: ")
    assert "noise2noise" in error
    assert error.count("\n") == 1


def test_missing_data_is_answered_in_a_sentence(tmp_path, capsys):
    assert main(["run", "epochs", "--data", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert "python -m data build" in capsys.readouterr().err


@pytest.mark.parametrize("jobs", ["0", "two", "-1"])
def test_jobs_must_be_a_number(jobs, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["run", "--jobs", jobs])
    assert stop.value.code == 2
    assert "whole number from 1" in capsys.readouterr().err


def test_a_killed_run_is_gone_on_with(tmp_path, folder, monkeypatch):
    """Killed after the first runs are kept; the next call does the others and leaves those as they were."""
    out = tmp_path / "out"
    command = [*COMMAND, "initialisation", "--quick", "--jobs", "1", "--data", str(folder), "--out", str(out)]
    path = out / "quick" / "initialisation.json"
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not path.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = json.loads(path.read_text())["runs"]
    assert 1 <= len(kept) < 8
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr
    content = json.loads(path.read_text())
    assert len(content["runs"]) == 8
    assert content["quick"] is True
    assert content["command"] == "python -m report run initialisation --quick"
    for run in kept:
        assert run in content["runs"]
    assert "kaiming_normal" in result.stderr + result.stdout  # the table
    before = path.read_bytes()
    monkeypatch.setattr("report.experiments.schedule.ProcessPoolExecutor", None)
    assert main(command[3:]) == 0  # nothing is left to be done
    assert path.read_bytes() == before
