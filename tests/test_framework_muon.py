"""Muon: its steps beside torch's, and against the singular value decomposition that it does without."""

import pytest
import torch

from Proj_2.others.muon import COEFFICIENTS, REPETITIONS, Muon, orthogonal
from Proj_2.others.optim import Adam

HIDDEN = [(32, 16, 3, 3), (64, 32, 2, 2), (128, 16, 1, 1), (16, 48, 3, 3)]
NARROW = [(16, 3, 3, 3), (3, 32, 2, 2), (32,)]


def parameter(shape, generator):
    """A weight as modules keep it, channel-last, and its gradient."""
    weight, gradient = (torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    order = torch.channels_last if len(shape) == 4 else torch.contiguous_format
    return weight.contiguous(memory_format=order), gradient.contiguous(memory_format=order)


def as_matrix(weight):
    return weight.permute(0, 2, 3, 1).reshape(len(weight), -1)


@pytest.mark.parametrize("shape", [(12, 40), (40, 12), (8, 8), (1, 5)])
def test_singular_vectors_stay_and_singular_values_follow_the_polynomial(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    u, s, vt = torch.linalg.svd(matrix, full_matrices=False)
    a, b, c = COEFFICIENTS
    values = s / (s.norm() + 1e-7)
    for _ in range(REPETITIONS):
        values = a * values + b * values**3 + c * values**5
    torch.testing.assert_close(orthogonal(matrix), u * values @ vt)
    assert ((values > 0.6) & (values < 1.3)).all()


@pytest.mark.parametrize("shape", HIDDEN, ids=str)
def test_steps_are_torchs_which_rounds_to_bfloat16(shape):
    generator = torch.Generator().manual_seed(2)
    weight, gradient = parameter(shape, generator)
    start = as_matrix(weight).clone()
    theirs = torch.nn.Parameter(start.clone())
    ours = Muon([(weight, gradient)], lr=0.01, momentum=0.9)
    torchs = torch.optim.Muon([theirs], lr=0.01, momentum=0.9, weight_decay=0, adjust_lr_fn="match_rms_adamw")
    for _ in range(5):
        gradient.copy_(torch.randn(shape, generator=generator))
        theirs.grad = as_matrix(gradient).clone()
        ours.step(), torchs.step()
    apart = (as_matrix(weight) - theirs.detach()).norm() / (theirs.detach() - start).norm()
    assert apart < 0.02


@pytest.mark.parametrize("shape", NARROW, ids=str)
def test_what_has_few_channels_takes_adams_steps(shape):
    parameters = [parameter(shape, torch.Generator().manual_seed(3)) for _ in range(2)]
    for made, one in zip((Muon, Adam), parameters, strict=True):
        optimizer = made([one], lr=0.01, betas=(0.8, 0.98))
        for _ in range(3):
            optimizer.step()
    torch.testing.assert_close(parameters[0][0], parameters[1][0], rtol=0, atol=0)


def test_it_goes_on_from_its_state():
    whole, first, second = (
        [parameter(shape, torch.Generator().manual_seed(4)) for shape in (*HIDDEN, *NARROW)] for _ in range(3)
    )
    without_a_stop, before = Muon(whole, lr=0.01), Muon(first, lr=0.01)
    without_a_stop.step(), before.step()
    for (weight, _), (reached, _) in zip(second, first, strict=True):
        weight.copy_(reached)
    after = Muon(second, lr=0.01)
    after.load_state_dict(before.state_dict())
    without_a_stop.step(), after.step()
    for (ours, _), (theirs, _) in zip(whole, second, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_in_bfloat16_a_step_has_the_same_direction():
    exact, rounded = (parameter((32, 16, 3, 3), torch.Generator().manual_seed(5)) for _ in range(2))
    start = exact[0].clone()
    Muon([exact], lr=0.01).step(), Muon([rounded], lr=0.01, mixed=True).step()
    assert 0 < (exact[0] - rounded[0]).norm() < 0.02 * (exact[0] - start).norm()


@pytest.mark.parametrize("momentum", [-0.1, 1])
def test_a_momentum_that_is_none_is_refused(momentum):
    with pytest.raises(ValueError, match="momentum must be a number from 0 to below 1"):
        Muon([parameter((16, 16, 3, 3), torch.Generator())], momentum=momentum)
