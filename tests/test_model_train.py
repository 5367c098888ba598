"""Model.train: any N, seeded, from the current weights, and refusing what it can't use."""

import model_oracle
import pytest
import torch

from benchmarks.twin import in_torch
from Proj_2 import model
from Proj_2.model import Model
from Proj_2.others import training
from Proj_2.others.networks import paper
from Proj_2.others.training import AT_ONCE, Training


@pytest.mark.parametrize("n", [1, 2, 101])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64], ids=str)
def test_train(n, dtype):
    model_oracle.check_train(Model, n, dtype)


def test_train_with_autograd_off():
    torch.set_grad_enabled(False)
    model_oracle.check_train(Model, 5, torch.uint8, num_epochs=2)


def test_train_learns():
    model_oracle.check_learning(Model)


def test_uint8_and_float_train_alike():
    trained = []
    for dtype in (torch.uint8, torch.float32):
        torch.manual_seed(6)
        model = Model()
        model.train(*model_oracle.noisy_pairs(7, dtype), 1)
        trained.append(model_oracle.weights(model))
    assert model_oracle.same(*trained)


def test_non_contiguous_pairs():
    trained = []
    for lay_out in (lambda x: x, lambda x: x.permute(2, 3, 0, 1).contiguous().permute(2, 3, 0, 1)):
        torch.manual_seed(6)
        model = Model()
        model.train(*map(lay_out, model_oracle.noisy_pairs(7)), 1)
        trained.append(model_oracle.weights(model))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(*trained, strict=True))


def test_a_batch_that_goes_through_the_network_in_parts():
    """The gradient and the loss are those of the batch as a whole, also where its parts are of unequal size."""
    assert 2 * AT_ONCE < 257 < 3 * AT_ONCE
    torch.manual_seed(8)
    network = paper()
    for module in network:
        for name in module.named_param():
            setattr(module, name, getattr(module, name).double())
    reference = in_torch(network).double()
    x, target = torch.randint(0, 256, (2, 257, 3, 8, 8)).double()
    expected = torch.nn.functional.mse_loss(reference(x / 255), target / 255)
    expected.backward()
    loss = Training(network, 1, 257, batch_size=257).step(x, target)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    for (_, gradient), parameter in zip(network.param(), reference.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=0, atol=1e-12 * float(parameter.grad.abs().max()))


@pytest.mark.parametrize(("seconds", "steps"), [(1, 10), (2, 5), (4, 3)])
def test_an_epoch_ends_in_time_on_a_processor_of_any_speed(monkeypatch, seconds, steps):
    """Of ten steps that take `seconds` each as many are taken as begin within ten seconds, an epoch; the learning
    rate falls to its end in both epochs together all the same.
    """
    clock, rates = [0.0], []
    monkeypatch.setattr(training, "perf_counter", lambda: clock[0])
    run = Training(paper(), 2, 20, peak_lr=1.0, batch_size=2, seconds=10, schedule=lambda progress, peak: progress)
    for _ in range(2):
        for _ in run.epoch(*torch.zeros(2, 20, 3, 8, 8)):
            clock[0] += seconds
            rates.append(run.optimizer.lr)
    assert len(rates) == 2 * steps
    assert run.skipped == 20 - 2 * steps
    assert rates == pytest.approx([e / 2 + min(s * seconds / 10, 1) / 2 for e in range(2) for s in range(steps)])


def test_an_epoch_that_leaves_pairs_out_says_so(monkeypatch, capsys):
    monkeypatch.setattr(model, "SECONDS_PER_50000", 1e-9)
    Model().train(*model_oracle.noisy_pairs(201), 1)
    assert "of 33% of the pairs: no time for more" in capsys.readouterr().out


def test_every_epoch_is_reported(capsys):
    Model().train(*model_oracle.noisy_pairs(3), 4)
    printed = capsys.readouterr()
    assert len((printed.out + printed.err).splitlines()) == 4


def test_refusals():
    model_oracle.check_refusals(Model)
