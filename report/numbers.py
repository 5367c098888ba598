r"""The numbers of the text by name: what \result{name} stands for in report.tex."""

from Proj_2.others.networks import NETWORKS

from .measured import Measured, Spread
from .tables import LAYERS, cosine, course_scores, postmortem


def numbers(measured: Measured) -> dict[str, str]:
    """Every number, as LaTeX. Raises MissingResult if a result that one needs isn't there."""
    known = {f"published.{name}": entry["value"] for name, entry in measured.published.items()}
    for name, network in NETWORKS.items():
        known[f"{name}.parameters"] = f"{sum(p.numel() for p, _ in network().param()):,}".replace(",", "{,}")
    known |= _results(measured)
    for variant in ("mean", "sum", "tuned"):
        known[f"paper.{variant}"] = decibels(measured.psnr("paper", variant=variant))
    for letters in ("af", "cf", "bcdef"):
        known[f"defects.{letters}"] = decibels(postmortem(measured, letters))
    for letters in ("af", "abcdef"):
        variant = "+".join(letters) + ", 30 epochs"
        known[f"defects.{letters}.long"] = decibels(measured.psnr("postmortem", variant=variant))
    known["defects.af.batch10"] = decibels(measured.psnr("postmortem", variant="a+f, batch 10"))
    known["defects.a.adam"] = decibels(measured.psnr("postmortem", variant="a, Adam"))
    known["constant.best"] = f"{measured.measures('results')['default']['constant_best']:.2f}"
    of_a = [cosine(measured, "a", layer, 100) for layer in LAYERS]
    known["cosine.a.low"], known["cosine.a.high"] = f"{min(of_a):.2f}", f"{max(of_a):.2f}"
    known["cosine.a.stalled"] = f"{max(cosine(measured, 'a', layer, 100, 'stalled') for layer in LAYERS):.2f}"
    for letter in "be":
        known[f"defects.{letter}.cost"] = decibels(postmortem(measured, "f") - postmortem(measured, f"{letter}f"))
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
    course, published = scores["course"], {name: float(entry["value"]) for name, entry in measured.published.items()}
    known["gain.original"] = f"{course['paper'] - published['source.psnr']:.1f}"
    known["gain.scratch"] = f"{course['shipped'] - published['scratch.best']:.2f}"
    known["gap.unet"] = f"{published['unet.best'] - course['shipped']:.2f}"
    known["course.pictures"] = str(scores["course"]["pictures"])
    return known
