"""Pictures for people: the ten that the pretrained model denoises worst, as noisy, denoised and clean."""

import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..checks.api import predict, pretrained
from ..checks.psnr import per_picture
from ..context import Grading
from ..intake import submission
from ..registry import Failed
from ..sandbox.child import Raised, SubmissionProblem

COUNT = 10
TILE, GAP, LABEL = 128, 8, 22  # pixels of a montage


@dataclass(frozen=True)
class Picture:
    """One picture of the validation set, uint8 3×H×W, with the PSNR in dB against the clean one."""

    index: int
    noisy: Tensor
    denoised: Tensor
    clean: Tensor
    noisy_db: float
    denoised_db: float


def worst(handed_in: submission.Submission, data: Path, config: dict, count: int = COUNT) -> list[Picture]:
    """The pictures of the validation set that the pretrained model does worst, worst first.

    Predicts once more, in a process of its own, after the grading. Empty if the submission can't do it.
    """
    grading = Grading(handed_in, data, config, quick=True, seed=0)
    with tempfile.TemporaryDirectory(prefix="grading-") as folder:
        os.chmod(folder, 0o755)
        try:
            grading.open(Path(folder))
            return ranked(grading, count) if grading.session else []
        except (SubmissionProblem, Failed):
            return []
        finally:
            if grading.session:
                grading.session.close()


def ranked(grading: Grading, count: int) -> list[Picture]:
    try:
        grading.session.load()
    except Raised:
        grading.session.load(inside=True)  # as the check that imports it does
    model = pretrained(grading)
    noisy, clean = grading.validation
    lots = noisy.split(grading.config["psnr"]["batch"])
    denoised = torch.cat([predict(grading, model, lot.float()).round().to(torch.uint8) for lot in lots])
    before, after = per_picture(noisy, clean), per_picture(denoised, clean)
    return [
        Picture(i, noisy[i].byte(), denoised[i], clean[i].byte(), before[i].item(), after[i].item())
        for i in after.argsort()[:count].tolist()
    ]


def image(tensor: Tensor) -> Image.Image:
    return Image.fromarray(tensor.permute(1, 2, 0).contiguous().numpy())


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def montage(pictures: list[Picture]) -> bytes:
    """One PNG with a row for each picture: noisy, denoised, clean, and under them the dB."""
    width, height = 3 * TILE + 4 * GAP, max(1, len(pictures)) * (TILE + LABEL) + LABEL + GAP
    sheet = Image.new("RGB", (width, height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    columns = [GAP + place * (TILE + GAP) for place in range(3)]
    for x, title in zip(columns, ("noisy", "denoised", "clean"), strict=True):
        draw.text((x, 4), title, "black", font)
    for row, picture in enumerate(pictures):
        y = LABEL + row * (TILE + LABEL)
        for x, tensor in zip(columns, (picture.noisy, picture.denoised, picture.clean), strict=True):
            sheet.paste(image(tensor).resize((TILE, TILE), Image.Resampling.NEAREST), (x, y))
        labels = f"{picture.noisy_db:.2f} dB", f"{picture.denoised_db:.2f} dB", f"no. {picture.index}"
        for x, label in zip(columns, labels, strict=True):
            draw.text((x, y + TILE + 2), label, "black", font)
    return png(sheet)
