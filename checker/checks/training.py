"""One epoch of training from a fresh model: does it run, how long does it take, does it help?"""

import time

import torch

from ..context import Grading
from ..registry import Failed, Follows, NotApplicable, check
from ..results import FAILED, PASSED
from ..sandbox.child import Raised
from . import learning
from .api import in_its_type, pictures, predict, pretrained
from .psnr import baselines, in_batches, whole_range

COURSE_PAIRS = 50_000
LITTLE = 100  # pairs that show whether training changes anything
UNCHANGED = 1e-3  # largest change, of 255, below which predictions are the same
LOADED = "Does train() load weights? A new model is to learn from noisy_in and noisy_out alone."
CHANGED = "their targets changed (red and blue exchanged, dark and bright turned round)"
MOST_OF_EPOCH = 0.2  # of its time: who takes longer for no epoch does not heed how many there are
SPREAD = 0.01  # largest standard deviation over pictures, of 255, below which all predictions are the same


def one_epoch_run(g: Grading) -> dict:
    """Train a fresh model for an epoch; PSNR before and after, seconds, and whether its predictions changed."""
    if not (g.data / "train_data.pkl").is_file():
        raise NotApplicable("not judged: there is no train_data.pkl in the data folder")
    g.once(baselines)
    g.session.afresh()
    ready = first_of_pretrained(g)  # now, since some keep their best weights in that file
    g.session.seed(g.seed)
    model = g.session.new("Model")
    db_before, before = in_batches(g, model, whole_range)
    limit = g.config["training"]["seconds_per_50000"]
    pair = g.training()
    pairs = len(pair[0])
    pair = [g.session.put(pictures) for pictures in pair]  # so that sending them is not timed
    started = time.monotonic()
    g.session.call(model, "train", *pair, 1, seconds=limit)
    seconds = time.monotonic() - started
    db_after, after = in_batches(g, model, whole_range)
    untaught = learning.from_no_epoch(g, pair, seconds * MOST_OF_EPOCH)
    found = {
        "pairs": pairs,
        "seconds": seconds,
        "before": db_before.mean().item(),
        "after": db_after.mean().item(),
        "change": (after - before).abs().max().item(),
        "spread": after.std(0).max().item(),
        "untaught": untaught,
        "pretrained_before": ready is not None and same(before, ready),
        "pretrained_after": ready is not None and same(after, ready),
    }
    g.measurements["training"] = found
    return found


def first_of_pretrained(g: Grading) -> torch.Tensor | None:
    """The pretrained model's predictions of the first batch of validation pictures, if it can be loaded."""
    if (found := g.findings.get("api.loads_pretrained")) is None or found.status != PASSED:
        return None
    return whole_range(predict(g, pretrained(g), g.validation[0][: g.config["psnr"]["batch"]].float()))


def same(predicted: torch.Tensor, others: torch.Tensor) -> bool:
    return (predicted - others).abs().max().item() < UNCHANGED


@check("training", needs=("api.shape_and_range",))
def changes_weights(g: Grading):
    """train() changes the model"""
    if g.once(one_epoch_run)["change"] < UNCHANGED:
        raise Failed(
            "the predictions are the same before and after training",
            "Does step() reach the weights that forward uses?",
        )


@check("training", needs=("training.changes_weights",))
def learns_what_it_is_given(g: Grading):
    """train() of a fresh model learns from the pairs that it is given, and from nothing else"""
    epoch = g.once(one_epoch_run)
    pair = tuple(pictures[: g.config["training"]["quick_pairs"]] for pictures in g.training())
    try:
        accuse_loaded(g, epoch, pair)
        return accuse_deaf(learning.partings(g, pair), epoch)
    except Failed:
        g.warn("to be looked at by a person: where does what the model knows after train() come from?")
        raise


def accuse_loaded(g: Grading, epoch: dict, pair: tuple) -> None:
    """Failed if a fresh model knows what it has not been taught."""
    constant = g.measurements["psnr"]["constant picture"]
    if epoch["pretrained_before"] and epoch["before"] > constant + 1:
        raise Failed(
            "a new Model(), before any training, predicts exactly what the pretrained one does",
            "Only load_pretrained_model() is to read bestmodel.pth.",
        )
    if epoch["pretrained_after"] and epoch["spread"] >= SPREAD:
        raise Failed("after an epoch of training it predicts exactly what the pretrained model does", LOADED)
    if epoch["untaught"] and learning.denoises(*epoch["untaught"]):  # which an own checkpoint explains too
        before, after = epoch["untaught"]
        g.warn(
            "to be looked at by a person: does train() load weights, or a checkpoint of its own? After train(…, "
            f"num_epochs=0) a new model's predictions are {after:.2f} like the clean validation pictures "
            f"({before:.2f} before, 1 is equal)"
        )
    if found := learning.from_fewest(g, pair):
        n, before, after = found
        if learning.denoises(before, after):
            pairs = "1 pair" if n == 1 else f"{n} pairs"
            raise Failed(
                f"after one epoch on {pairs} a new model's predictions are {after:.2f} like the clean validation "
                f"pictures ({before:.2f} before, 1 is equal): nobody learns that from so few",
                LOADED,
            )


def accuse_deaf(partings: list[learning.Parting], epoch: dict) -> dict:
    """Failed if what a fresh model learns does not depend on the targets as it must."""
    first = partings[0]
    details = {"pairs": first.pairs, "moved": first.moved, "towards": min(p.towards for p in partings)}
    if learning.denoises(first.before, first.after):
        raise Failed(
            f"trained on {first.pairs} pairs with {CHANGED}, a new model's predictions are {first.after:.2f} like "
            f"the ordinary pictures ({first.before:.2f} before, 1 is equal)",
            LOADED,
        )
    if details["towards"] >= learning.AT_ALL:
        return details
    if epoch["spread"] < SPREAD or all(p.towards < learning.AWAY for p in partings):
        raise NotApplicable("not judged: training leads to one colour for all, or away from what it is given")
    raise Failed(
        f"two new models, one trained on {first.pairs} pairs and one on the same with {CHANGED}, end "
        f"{first.apart:.3g} of 255 apart, while training moves them by {first.moved:.3g}; of that "
        f"{details['towards']:.1%} leads towards the changed targets, expected at least {learning.AT_ALL:.0%}",
        "Does train() use its second argument, noisy_out?",
    )


@check("training", needs=("training.changes_weights",))
def one_epoch(g: Grading):
    """One epoch of train() from a fresh model ends in time and leaves a sensible PSNR"""
    if g.findings["training.learns_what_it_is_given"].status == FAILED:
        raise Follows("training.learns_what_it_is_given")
    found = g.once(one_epoch_run)
    limit = g.config["training"]["seconds_per_50000"]
    extrapolated = found["seconds"] * max(1.0, COURSE_PAIRS / found["pairs"])
    if extrapolated > limit:
        g.warn(f"at this pace 50,000 pairs take {extrapolated:.0f} s; the assignment allows {limit:g} s")
    gain = found["after"] - found["before"]
    if found["spread"] < SPREAD:
        raise Failed(
            f"after training the model predicts the same for every picture ({found['after']:.2f} dB)",
            "Is the learning rate too high, so that a layer saturates?",
        )
    needed = 0.0 if g.quick else g.config["training"]["sensible_gain_db"]
    if gain < needed:
        raise Failed(
            f"expected a gain of at least {needed:g} dB, got {gain:.2f} dB"
            f" (PSNR {found['before']:.2f} dB before, {found['after']:.2f} dB after)",
            "Does the optimiser see the model's own parameters? Is the gradient's sign right?",
        )
    return found


@check("training", needs=("training.changes_weights", "api.loads_pretrained"))
def changes_loaded_weights(g: Grading):
    """train() changes the model after load_pretrained_model(), too"""
    g.session.afresh()
    model, x = pretrained(g), pictures(g, 2, 32, 32).float()
    noisy = pictures(g, LITTLE, 32, 32)
    before = whole_range(predict(g, model, x))
    g.session.call(model, "train", noisy, noisy.flip(3), 1, seconds=g.config["training"]["seconds_per_50000"])
    if (whole_range(predict(g, model, x)) - before).abs().max() < UNCHANGED:
        raise Failed(
            "after load_pretrained_model() the predictions are the same before and after training",
            "Does the optimiser still hold the parameters from before, which loading has replaced?",
        )


@check("training", needs=("api.shape_and_range",))
def remainder_batch(g: Grading):
    """train() takes any number of pairs, and leaves them as they are"""
    generator = torch.Generator().manual_seed(g.seed)
    noisy = (torch.rand(LITTLE + 7, 3, 32, 32, generator=generator) * 255).to(torch.uint8)
    for n, kind in ((LITTLE + 7, torch.uint8), (7, torch.uint8), (1, torch.float32)):
        pair = [g.session.put(in_its_type(g, half[:n].to(kind))) for half in (noisy, noisy.flip(3))]
        model = g.session.new("Model")
        try:
            g.session.call(model, "train", *pair, 1, seconds=g.config["training"]["seconds_per_50000"])
        except Raised as raised:
            raise Failed(f"train on {n} pairs {raised}", "Is the last batch taken to be a whole one?") from None
        for given, there in zip((noisy[:n], noisy[:n].flip(3)), pair, strict=True):
            if not torch.equal(g.session.value(there).to(torch.float64), given.double()):
                raise Failed(f"train changed the pictures that it was given ({n} pairs, {kind})")
        predict(g, model, noisy[:1].float())
