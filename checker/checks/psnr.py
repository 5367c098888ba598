"""How well the pretrained model denoises, as the course measured it."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..context import Grading
from ..registry import Failed, check
from ..sandbox.child import SubmissionProblem
from ..sandbox.session import Remote
from .api import predict, pretrained

CHUNK = 100  # pictures compared in one go, for the sake of memory
OTHERS = 2  # batches of pictures that are shown in another way too
LOOK = "to be looked at by a person: where do its predictions of the validation pictures come from?"
CLEARLY = 2.0  # dB that tell one scale of the values from another


def per_picture(pictures: Tensor, clean: Tensor) -> Tensor:
    """PSNR of each picture in dB, values 0–255: −10 log10 of its mean squared error on the scale 0–1."""
    pairs = zip(pictures.expand_as(clean).split(CHUNK), clean.split(CHUNK), strict=True)
    error = torch.cat([((p.double() - c) / 255).square().mean((1, 2, 3)) for p, c in pairs])
    return -10 * error.clamp(min=1e-10).log10()


def baselines(g: Grading) -> dict[str, float]:
    """dB of the noisy input itself, and of one colour for all: the mean of the noisy pictures."""
    noisy, clean = g.validation
    constant = noisy.mean((0, 2, 3), keepdim=True, dtype=torch.float64)
    found = {
        "noisy input": per_picture(noisy, clean).mean().item(),
        "constant picture": per_picture(constant, clean).mean().item(),
    }
    g.measurements["psnr"] = found | g.measurements.get("psnr", {})
    return found


def mean_psnr(pictures: Tensor, clean: Tensor) -> float:
    return per_picture(pictures, clean).mean().item()


def whole_range(predicted: Tensor) -> Tensor:
    """Predictions in 0–255 also where they were made in 0–1 (which is reported by itself)."""
    return predicted * 255 if predicted.max() <= 1 else predicted


def in_batches(g: Grading, model: Remote, scaled: Callable = lambda predicted: predicted) -> tuple[Tensor, Tensor]:
    """PSNR of the model for each validation picture, in batches as the course took them; and the first batch's
    predictions. `scaled` is applied to the predictions before.
    """
    size = g.config["psnr"]["batch"]
    found, first = [], None
    for noisy, clean in zip(*(pictures.split(size) for pictures in g.validation), strict=True):
        predicted = scaled(predict(g, model, noisy.float()))
        found.append(per_picture(predicted, clean))
        first = predicted if first is None else first
    return torch.cat(found), first


def hint(g: Grading, db: float) -> str:
    """Why the PSNR may be low: the scale of what predict returns, or of what it makes of its input."""
    noisy, clean = (pictures[: g.config["psnr"]["batch"]] for pictures in g.validation)
    model, better = pretrained(g), db + CLEARLY
    scaled = mean_psnr(whole_range(predict(g, model, noisy.float())), clean)
    if scaled > better:
        return f"With its values times 255 it is {scaled:.2f} dB: does predict return 0–1 instead of 0–255?"
    try:
        divided = predict(g, model, noisy.float() / 255)
    except (Failed, SubmissionProblem):
        return ""
    if mean_psnr(divided, clean) > better:
        return (
            f"For pictures divided by 255 it is {mean_psnr(divided, clean):.2f} dB: did you forget to divide by 255?"
        )
    return "Are the weights those of the best model, and do they get to where forward reads them?"


def moved(pictures: Tensor, seed: int) -> Tensor:
    """The pictures mirrored or turned, each in its own way, and moved by a pixel: no table has them, and no denoiser
    minds. What leaves a picture on one side is repeated on the other.
    """
    generator = torch.Generator().manual_seed(seed)
    ways = torch.randint(1, 4, (len(pictures),), generator=generator)  # neither of them as it was
    square = pictures.shape[2] == pictures.shape[3]
    done = []
    for picture, way in zip(pictures, ways.tolist(), strict=True):
        turned = picture.transpose(1, 2) if square and way == 3 else picture.flip(way if way < 3 else (1, 2))
        done.append(torch.cat([turned[:, :, 1:], turned[:, :, -1:]], 2))
    return torch.stack(done)


def accuse_known(g: Grading, each: Tensor) -> None:
    """Failed if the PSNR is above what any network reaches, or is so for these very pictures only."""
    settings = g.config["psnr"]
    db, base = each.mean().item(), g.measurements["psnr"]["noisy input"]
    hint = "Does the model know these pictures, from a table or from training on them?"
    if db > base + settings["most_gain_db"]:
        g.warn(LOOK)
        raise Failed(f"{db:.2f} dB, {db - base:.2f} dB above the noisy input: no denoiser reaches that", hint)
    generator = torch.Generator().manual_seed(g.inputs_seed)
    order = torch.randperm(len(each), generator=generator)[: OTHERS * settings["batch"]]
    noisy, clean = (moved(pictures[order], g.inputs_seed) for pictures in g.validation)
    found, model = [], pretrained(g)
    for x, y in zip(noisy.split(settings["batch"]), clean.split(settings["batch"]), strict=True):
        found.append(per_picture(predict(g, model, x.float()), y))
    as_it_is, other = each[order].mean().item(), torch.cat(found).mean().item()
    if as_it_is - other > settings["known_db"]:
        g.warn(LOOK)
        raise Failed(
            f"{as_it_is:.2f} dB on {len(order)} of the validation pictures, but {other:.2f} dB on the same ones "
            "mirrored or turned and moved by a pixel, which a denoiser does not mind",
            hint,
        )


@check("psnr", needs=("api.loads_pretrained",))
def pretrained_model(g: Grading):
    """The pretrained model's PSNR on the validation data"""
    base = g.once(baselines)
    g.session.afresh()  # train() may have written over bestmodel.pth by now
    each, _ = in_batches(g, pretrained(g))
    db, needed = each.mean().item(), g.config["psnr"]["pass_db"]
    g.measurements["psnr"]["pretrained model"] = db
    if db > base["noisy input"]:  # whatever is needed, which may change later
        accuse_known(g, each)
    if db < needed:
        message = f"expected at least {needed:.2f} dB, got {db:.2f} dB (noisy input {base['noisy input']:.2f} dB)"
        raise Failed(message, hint(g, db))
    return {"db": db, "worst_db": each.min().item(), "pictures": len(each)}
