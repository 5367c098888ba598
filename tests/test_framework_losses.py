"""The losses beside torch's autograd, and what training does besides: masks, clipping, averages, schedules."""

import copy
from functools import partial

import pytest
import torch

from benchmarks.contenders import in_torch
from Proj_2.others.loss import L0, L1, LOSSES, MSE
from Proj_2.others.networks import paper
from Proj_2.others.optim import Adam, Average, clip_grad_norm
from Proj_2.others.training import BatchTraining, Training, one_cycle, trapezoid

THEIRS = {
    "MSE": (MSE, torch.nn.functional.mse_loss),
    "L1": (L1, torch.nn.functional.l1_loss),
    "L0": (partial(L0, 0.7), lambda a, b: ((a - b).abs() + 1e-8).pow(0.7).mean()),
    "L0, γ 2": (L0, lambda a, b: ((a - b).abs() + 1e-8).pow(2).mean()),
    "L0, γ 0.1": (partial(L0, 0.1), lambda a, b: ((a - b).abs() + 1e-8).pow(0.1).mean()),
}


def double(network):
    for module in network:
        for name in module.named_param():
            setattr(module, name, getattr(module, name).double())
    return network


@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("scratch", [False, True])
@pytest.mark.parametrize("shape", [(), (5,), (1, 3, 7, 4), (3, 3, 8, 8)], ids=str)
def test_value_and_gradient_are_torch_s(name, scratch, shape):
    make, theirs = THEIRS[name]
    ours = make()
    for _ in range(2):  # the second call finds kept memory
        prediction, target = torch.randn(2, *shape, dtype=torch.float64)
        before = prediction.clone(), target.clone()
        reference = prediction.clone().requires_grad_()
        expected = theirs(reference, target)
        expected.backward()
        torch.testing.assert_close(ours.forward(prediction, target), expected.detach(), rtol=1e-12, atol=0)
        for _ in range(2):  # backward may be called any number of times
            torch.testing.assert_close(ours.backward(scratch=scratch), reference.grad, rtol=1e-10, atol=1e-12)
        assert torch.equal(prediction, before[0])
        assert torch.equal(target, before[1])


@pytest.mark.parametrize("kind", LOSSES.values())
def test_a_gradient_is_the_caller_s_own_unless_it_is_scratch(kind):
    loss = kind()
    loss.forward(torch.randn(9), torch.randn(9))
    held = loss.backward()
    kept = held.clone()
    loss.forward(torch.randn(9), torch.randn(9))
    loss.backward(scratch=True)
    assert torch.equal(held, kept)


@pytest.mark.parametrize("kind", LOSSES.values())
def test_equal_pictures_have_no_gradient(kind):
    loss, x = kind(), torch.randn(4, 4)
    loss.forward(x, x.clone())
    assert not loss.backward().any()


@pytest.mark.parametrize("kind", LOSSES.values())
def test_what_a_loss_refuses(kind):
    with pytest.raises(RuntimeError, match=f"{kind.__name__}.backward was called before forward"):
        kind().backward()
    with pytest.raises(ValueError, match=rf"{kind.__name__} got a prediction of shape \(2, 3\) and a target of"):
        kind().forward(torch.zeros(2, 3), torch.zeros(3, 2))


def test_the_minimum_over_noisy_targets_is_mean_median_and_mode():
    targets = torch.tensor([1.0, 1.0, 1.0, 2.0, 4.0, 6.0, 6.6]).double()
    grid = torch.arange(0, 7, 0.01).double()
    found = {}
    for name, loss in (("l2", MSE()), ("l1", L1()), ("l0", L0(0.1))):
        values = [loss.forward(torch.full_like(targets, value), targets) for value in grid.tolist()]
        found[name] = grid[torch.stack(values).argmin()].item()
    assert found["l2"] == pytest.approx(targets.mean().item(), abs=0.01)
    assert found["l1"] == pytest.approx(2, abs=0.01)
    assert found["l0"] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("most", [0.01, 1e3])
def test_clipping_is_torch_s(most):
    network = double(paper())
    theirs = [parameter.clone().requires_grad_() for parameter, _ in network.param()]
    for (_, gradient), parameter in zip(network.param(), theirs, strict=True):
        parameter.grad = gradient.normal_().clone()
    expected = torch.nn.utils.clip_grad_norm_(theirs, most)
    assert clip_grad_norm(network.param(), most) == pytest.approx(expected.item(), rel=1e-12)
    for (_, gradient), parameter in zip(network.param(), theirs, strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=1e-12, atol=0)


def test_the_average():
    parameter = {"x": torch.randn(3, 4, dtype=torch.float64)}
    average = Average(parameter, 0.9)
    expected = parameter["x"].clone()
    for step in range(1, 200):
        parameter["x"].add_(torch.randn(3, 4))
        average.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * parameter["x"]
    torch.testing.assert_close(average.state_dict()["x"], expected, rtol=1e-10, atol=1e-12)
    with pytest.raises(ValueError, match="decay must be a number from 0 to below 1, not 1"):
        Average(parameter, 1)


def test_lost_pixels_have_no_part_in_the_loss():
    """Against torch: the squared error over the known pixels, the mean taken over all; through parts of a batch."""
    torch.manual_seed(8)
    network = double(paper())
    reference = in_torch(network).double()
    x, target = torch.randint(0, 256, (2, 150, 3, 8, 8)).double()
    known = torch.rand(150, 1, 8, 8).gt(0.4).double()
    target *= known
    expected = (known * (reference(x / 255) - target / 255)).square().mean()
    expected.backward()
    loss = Training(network, 1, 150, batch_size=150).step(x, target, known)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    for (_, gradient), parameter in zip(network.param(), reference.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=0, atol=1e-12 * float(parameter.grad.abs().max()))


def test_a_step_with_clipping_and_average():
    torch.manual_seed(8)
    network = double(paper())
    twin = copy.deepcopy(network)
    training = Training(network, 2, 4, batch_size=2, clip=1e-3, average=0.5)
    adam = Adam(twin.param())
    x, target = torch.randint(0, 256, (2, 2, 3, 8, 8)).double()
    mean = {name: parameter.clone() for name, parameter in twin.state_dict().items()}
    for step in range(4):
        training.step(x, target)
        loss = MSE()
        loss.forward(twin.forward(x / 255), target / 255)
        twin.zero_grad()
        twin.backward(loss.backward())
        assert clip_grad_norm(adam.params, 1e-3) > 1e-3
        adam.lr = one_cycle(step / 4, 3e-3)
        adam.step()
        for name, parameter in twin.state_dict().items():
            decay = min(0.5, (2 + step) / (11 + step))
            mean[name] = decay * mean[name] + (1 - decay) * parameter
    for name, parameter in network.state_dict().items():
        torch.testing.assert_close(parameter, twin.state_dict()[name], rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(training.average.state_dict()[name], mean[name], rtol=1e-9, atol=1e-12)


def test_the_exponent_of_l0_falls_from_2_to_0():
    seen, loss = [], L0()
    training = BatchTraining(paper(), 1, 8, batch_size=2, loss=loss)
    for _ in training.epoch([(torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8))] * 4):
        seen.append(loss.gamma)
    assert seen == [2, 1.5, 1, 0.5]


def test_the_trapezoid():
    rate = partial(trapezoid, peak=2.0, warmup=0.1, decay=0.4)
    assert rate(0) == pytest.approx(0.2)
    assert rate(0.05) == pytest.approx(1.1)
    assert [rate(progress) for progress in (0.1, 0.3, 0.6)] == [2, 2, 2]
    assert rate(0.8) == pytest.approx(1)
    assert rate(1) == pytest.approx(0)
    assert trapezoid(1, 2.0, 0.1, 0) == 2  # never falls


def test_a_schedule_is_followed():
    seen = []
    training = BatchTraining(
        paper(), 1, 4, peak_lr=0.5, batch_size=1, schedule=lambda *args: seen.append(args) or 0.1
    )
    for _ in training.epoch([(torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8))] * 4):
        assert training.optimizer.lr == 0.1
    assert seen == [(0, 0.5), (0.25, 0.5), (0.5, 0.5), (0.75, 0.5)]
