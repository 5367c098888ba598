"""How well the pretrained model denoises, as the course measured it."""

import torch
from torch import Tensor

from ..grading import Grading
from ..registry import Failed, check
from .api import predict, pretrained


def per_picture(pictures: Tensor, clean: Tensor) -> Tensor:
    """PSNR of each picture in dB, values 0–255: −10 log10 of its mean squared error on the scale 0–1."""
    error = ((pictures.double() - clean.double()) / 255).square().mean((1, 2, 3))
    return -10 * error.clamp(min=1e-10).log10()


def psnr(pictures: Tensor, clean: Tensor) -> float:
    """The mean over pictures, in dB."""
    return per_picture(pictures, clean).mean().item()


def baselines(g: Grading) -> dict[str, float]:
    """dB of the noisy input itself, and of one colour for all: the mean of the noisy pictures."""
    noisy, clean = g.validation
    constant = noisy.double().mean((0, 2, 3), keepdim=True)
    found = {"noisy input": psnr(noisy, clean), "constant picture": psnr(constant.expand(clean.shape), clean)}
    g.measurements["psnr"] = found | g.measurements.get("psnr", {})
    return found


def in_batches(g: Grading, model) -> Tensor:
    """predict for all validation pictures, in batches as the course took them."""
    noisy = g.validation[0].float()
    return torch.cat([predict(g, model, batch) for batch in noisy.split(g.config["psnr"]["batch"])])


@check("psnr", needs=("api.loads_pretrained",))
def pretrained_model(g: Grading):
    """The pretrained model's PSNR on the validation data"""
    base = g.once(baselines)
    each = per_picture(in_batches(g, pretrained(g)), g.validation[1])
    db, needed = each.mean().item(), g.config["psnr"]["pass_db"]
    g.measurements["psnr"]["pretrained model"] = db
    if db < needed:
        hint = "Are the weights those of the best model?" if db < base["noisy input"] else ""
        raise Failed(f"{db:.2f} dB; expected at least {needed:.2f} dB (noisy input {base['noisy input']:.2f})", hint)
    return {"db": db, "worst_db": each.min().item(), "pictures": len(each)}
