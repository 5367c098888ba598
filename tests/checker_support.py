"""What the grader's tests share: small data, and submissions broken on purpose."""

import shutil
from pathlib import Path

import torch

from checker import config
from checker.grading import grade
from checker.intake import submission

ROOT = Path(__file__).resolve().parent.parent
TEXTBOOK = ROOT / "tests" / "submissions" / "correct" / "textbook"


def make_data(folder: Path, train: int = 200, val: int = 100) -> Path:
    """Two pair files of smooth random pictures with noise: enough to run every check, too little to learn from."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(train + val, 3, 4, 4, generator=generator) * 255
    clean = torch.nn.functional.interpolate(coarse, (32, 32), mode="bilinear")

    def pixels(x):
        return x.clamp(0, 255).round().to(torch.uint8)

    def noisy(x):
        return pixels(x + 20 * torch.randn(x.shape, generator=generator))

    folder.mkdir(parents=True, exist_ok=True)
    torch.save((noisy(clean[:train]), noisy(clean[:train])), folder / "train_data.pkl")
    torch.save((noisy(clean[train:]), pixels(clean[train:])), folder / "val_data.pkl")
    return folder


def settings(**limits) -> dict:
    """The default configuration, for the small data, with tighter limits."""
    settings = config.load()
    settings["psnr"]["pass_db"] = 18.0
    settings["training"]["sensible_gain_db"] = 0.0
    settings["limits"] |= {"request_seconds": 10, "threads": 1} | limits
    return settings


def textbook(folder: Path, *edits: tuple[str, str, str]) -> Path:
    """A copy of the textbook submission with edits (file, text, text in its place); each text must be there."""
    shutil.copytree(TEXTBOOK, folder, dirs_exist_ok=True)
    for file, old, new in edits:
        path = folder / "Proj_2" / file
        source = path.read_text(encoding="utf-8")
        assert old in source, f"{old!r} is not in {file}"
        path.write_text(source.replace(old, new), encoding="utf-8")
    return folder


def package(folder: Path, source: str) -> Path:
    """A submission that is nothing but this model.py."""
    (folder / "Proj_2").mkdir(parents=True)
    (folder / "Proj_2" / "__init__.py").touch()
    (folder / "Proj_2" / "model.py").write_text(source, encoding="utf-8")
    return folder


def findings(folder: Path, data: Path, *only: str, **limits):
    """Grade; the findings by the name of their check."""
    report = grade(submission.find(folder), data, settings(**limits), only=only)
    return {finding.check: finding for finding in report.findings}
