"""How well the pretrained model denoises, as the course measured it."""

import torch
from torch import Tensor

from ..grading import Grading
from ..registry import Failed, check
from ..session import Remote
from .api import predict, pretrained

CHUNK = 100  # pictures compared in one go, for the sake of memory


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


def in_batches(g: Grading, model: Remote) -> tuple[Tensor, Tensor]:
    """PSNR of the model for each validation picture, in batches as the course took them; and the first batch's
    predictions.
    """
    size = g.config["psnr"]["batch"]
    found, first = [], None
    for noisy, clean in zip(*(pictures.split(size) for pictures in g.validation), strict=True):
        predicted = predict(g, model, noisy.float())
        found.append(per_picture(predicted, clean))
        first = predicted if first is None else first
    return torch.cat(found), first


@check("psnr", needs=("api.loads_pretrained",))
def pretrained_model(g: Grading):
    """The pretrained model's PSNR on the validation data"""
    base = g.once(baselines)
    each, _ = in_batches(g, pretrained(g))
    db, needed = each.mean().item(), g.config["psnr"]["pass_db"]
    g.measurements["psnr"]["pretrained model"] = db
    if db < needed:
        hint = "Are the weights those of the best model?" if db < base["noisy input"] else ""
        raise Failed(f"{db:.2f} dB; expected at least {needed:.2f} dB (noisy input {base['noisy input']:.2f})", hint)
    return {"db": db, "worst_db": each.min().item(), "pictures": len(each)}
