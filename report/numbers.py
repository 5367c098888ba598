r"""The numbers of the text by name: what \result{name} stands for in report.tex."""

from Proj_2.others.networks import NETWORKS

from .measured import Measured, Spread
from .tables import course_scores, postmortem


def numbers(measured: Measured) -> dict[str, str]:
    """Every number, as LaTeX. Raises MissingResult if a result that one needs isn't there."""
    known = {f"published.{name}": entry["value"] for name, entry in measured.published.items()}
    for name, network in NETWORKS.items():
        known[f"{name}.parameters"] = f"{sum(p.numel() for p, _ in network().param()):,}".replace(",", "{,}")
    known |= _results(measured)
    for variant in ("mean", "sum", "tuned"):
        known[f"paper.{variant}"] = decibels(measured.psnr("paper", variant=variant))
    for letters in ("f", "af", "bf", "cf", "ef", "bcdef", "abcdef"):
        known[f"defects.{letters}"] = decibels(postmortem(measured, letters))
    known["defects.b.cost"] = f"{(postmortem(measured, 'f') - postmortem(measured, 'bf')).mean:.1f}"
    return known


def decibels(spread: Spread) -> str:
    """Mean and standard deviation in the text, to a hundredth of a decibel."""
    return f"${spread.mean:.2f}\\pm{spread.deviation:.2f}$"


def _results(measured: Measured) -> dict[str, str]:
    scores = {"course": course_scores(measured), "ours": measured.measures("results")["default"]}
    known = {
        f"{key}.{data}": f"{values[key]:.2f}"
        for data, values in scores.items()
        for key in ("noisy", "constant", "paper", "shipped")
    }
    known["course.pictures"] = str(scores["course"]["pictures"])
    return known
