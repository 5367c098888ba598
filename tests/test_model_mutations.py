"""The checks of `Model` have teeth: each rejects our Model with one known defect put in."""

import model_oracle
import pytest
import torch

from Proj_2.model import Model


def predicts(change):
    class Mutant(Model):
        def predict(self, noisy):
            return change(self, super().predict, noisy)

    return Mutant


def trains(change):
    class Mutant(Model):
        def train(self, noisy_in, noisy_out, num_epochs):
            return change(self, super().train, noisy_in, noisy_out, num_epochs)

    return Mutant


def kept(model, predict, noisy):
    """The result is written into the memory of the last one of its shape."""
    result, last = predict(noisy), model.__dict__.get("last")
    model.last = last.copy_(result) if last is not None and last.shape == result.shape else result
    return model.last


def changes_input(model, train, noisy_in, noisy_out, num_epochs):
    train(noisy_in, noisy_out, num_epochs)
    noisy_out.clamp_(min=10)


def changes_switch(model, train, *args):
    train(*args)
    torch.set_grad_enabled(False)


def starts_afresh(model, train, *args):
    model.network = Model().network
    Model.train(model, *args)


def drops_the_remainder(model, train, noisy_in, *args):
    if len(noisy_in) >= 100:
        train(noisy_in, *args)


def unseeded(model, train, *args):
    train(*args)
    model.network.param()[0][0][0] *= 1 + 1e-4 * (id(model) % 1009)


def checks_too_late(model, train, *args):
    model.network.param()[0][0].mul_(1.01)
    train(*args)


def ignores_values(model, train, noisy_in, noisy_out, num_epochs):
    clean = [x.nan_to_num().clamp(0, 255) if isinstance(x, torch.Tensor) else x for x in (noisy_in, noisy_out)]
    train(*clean, num_epochs)


def any_dtype(check):
    return lambda mutant: check(mutant, torch.uint8)


def training(n):
    return lambda mutant: model_oracle.check_train(mutant, n, torch.uint8)


PREDICT, SCALE = any_dtype(model_oracle.check_predict), model_oracle.check_scale
DEFECTS = {
    "answers 0–1": (predicts(lambda self, predict, x: predict(x) / 255), SCALE),
    "input not divided by 255": (predicts(lambda self, predict, x: predict((x.float() * 255).clamp(0, 255))), SCALE),
    "answers outside 0–255": (predicts(lambda self, predict, x: predict(x) * 4), PREDICT),
    "answers in the input's type": (predicts(lambda self, predict, x: predict(x).to(x.dtype)), PREDICT),
    "batch of one squeezed": (predicts(lambda self, predict, x: predict(x).squeeze(0)), PREDICT),
    "odd sizes cut": (predicts(lambda self, predict, x: predict(x)[..., : x.shape[-1] // 4 * 4]), PREDICT),
    "uint8 and float differ": (
        predicts(lambda self, predict, x: predict(x // 2 if x.dtype == torch.uint8 else x)),
        PREDICT,
    ),
    "writes into its input": (predicts(lambda self, predict, x: predict(x.div_(2, rounding_mode="floor"))), PREDICT),
    "result in memory of its own": (predicts(kept), PREDICT),
    "divides by the batch's maximum": (
        predicts(lambda self, predict, x: predict(x * (255 / x.max().clamp(min=1)))),
        model_oracle.check_batch_independence,
    ),
    "first picture decides": (
        predicts(lambda self, predict, x: predict(x) - x[:1].float().mean() / 100),
        model_oracle.check_batch_independence,
    ),
    "train writes into its input": (trains(changes_input), training(101)),
    "train changes a global switch": (trains(changes_switch), training(2)),
    "train starts afresh": (trains(starts_afresh), training(2)),
    "train drops the remainder": (trains(drops_the_remainder), training(1)),
    "train does nothing": (trains(lambda *args: None), training(101)),
    "train does nothing worth it": (
        trains(lambda self, train, a, b, epochs: train(a[:1], b[:1], epochs)),
        model_oracle.check_learning,
    ),
    "train is not seeded": (trains(unseeded), training(2)),
    "train checks too late": (trains(checks_too_late), model_oracle.check_refusals),
    "train ignores values": (trains(ignores_values), model_oracle.check_refusals),
}


@pytest.mark.parametrize(("mutant", "check"), DEFECTS.values(), ids=list(DEFECTS))
def test_defect_is_rejected(mutant, check):
    with pytest.raises(AssertionError):
        check(mutant)
