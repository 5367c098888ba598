r"""The numbers of the text by name: what \result{name} stands for in report.tex."""

import operator

from Proj_2.others.networks import large, paper

from .measured import Measured, Spread
from .tables import LAYERS, cosine, course_scores, lengths, postmortem


def numbers(measured: Measured) -> dict[str, str]:
    """Every number, as LaTeX. Raises MissingResult if a result that one needs isn't there."""
    known = {
        f"{network.__name__}.parameters": f"{sum(p.numel() for p, _ in network().param()):,}".replace(",", "{,}")
        for network in (paper, large)
    }
    known["published.source.psnr"] = measured.published["source.psnr"]["value"]
    for variant in ("mean", "sum", "tuned"):
        known[f"paper.{variant}"] = decibels(measured.psnr("paper", variant=variant))
    names = ("paper", "postmortem", "learning_rate", "batch_size", "initialisation", "epochs", "channels")
    names += ("noise2noise", "fresh_noise", "results")
    known["hours"] = f"{sum(measured.experiment(name)['seconds'] for name in names) / 3600:.1f}"
    return known | _choices(measured) | _noise(measured) | _results(measured) | _postmortem(measured)


def decibels(spread: Spread) -> str:
    """Mean and standard deviation in the text, to a hundredth of a decibel."""
    return f"${spread.mean:.2f}\\pm{spread.deviation:.2f}$"


def _choices(measured):
    def initial(name, optimizer):
        return measured.psnr("initialisation", initialisation=name, optimizer=optimizer)

    def wide(key):
        return [measured.spread(key, "channels", outer=outer, inner=2 * outer) for outer in (64, 32)]

    def rate(lr):
        return measured.psnr("learning_rate", optimizer="SGD", momentum=0, lr=lr)

    def longer(optimizer):
        return [measured.psnr("epochs", optimizer=optimizer, epochs=epochs) for epochs in (100, 30)]

    small, usual = (measured.psnr("batch_size", variant="equal epochs", batch=batch) for batch in (10, 100))
    return {
        "lengths": lengths(measured),
        "init.printed": decibels(initial("printed", "SGD")),
        "init.kaiming.sgd": decibels(initial("kaiming_uniform", "SGD") - initial("torch", "SGD")),
        "init.kaiming.adam": decibels(initial("kaiming_uniform", "Adam") - initial("torch", "Adam")),
        "channels.gain": decibels(operator.sub(*wide("psnr"))),
        "channels.time": f"{operator.truediv(*(spread.mean for spread in wide('epoch_seconds'))):.1f}",
        "epochs.sgd": decibels(operator.sub(*longer("SGD"))),
        "epochs.adam": decibels(operator.sub(*longer("Adam"))),
        "batch.gain": decibels(small - usual),
        "rate.gain": decibels(rate(3e-3) - rate(1e-3)),
    }


def _noise(measured):
    (steps,) = {str(config["steps"]) for config in measured.configs("noise2noise")}
    known = {"n2n.steps": steps}
    for name, pairs in (("n2n.cost", 50_000), ("n2n.cost.few", 500)):
        clean, noisy = (measured.psnr("noise2noise", targets=kind, pairs=pairs) for kind in ("clean", "noisy"))
        known[name] = decibels(clean - noisy)
    fewest = min(config["pairs"] for config in measured.configs("fresh_noise"))
    fresh, fixed = (measured.psnr("fresh_noise", noise=noise, pairs=fewest) for noise in ("fresh", "fixed"))
    return known | {"fresh.gain": decibels(fresh - fixed)}


def _results(measured):
    course, ours = course_scores(measured), measured.measures("results")["default"]
    published = {name: float(entry["value"]) for name, entry in measured.published.items()}
    return {
        "noisy.course": f"{course['noisy']:.2f}",
        "noisy.ours": f"{ours['noisy']:.2f}",
        "constant.best": f"{ours['constant_best']:.2f}",
        "course.pictures": str(course["pictures"]),
        "course.paper": f"{course['paper']:.2f}",
        "course.shipped": f"{course['shipped']:.2f}",
        "gain.original": f"{course['paper'] - published['source.psnr']:.1f}",
        "gain.scratch": f"{course['shipped'] - published['scratch.best']:.2f}",
        "gap.unet": f"{published['unet.best'] - course['shipped']:.2f}",
    }


def _postmortem(measured):
    known = {f"defects.{letters}": decibels(postmortem(measured, letters)) for letters in ("af", "cf", "bcdef")}
    for name, variant in {
        "defects.af.long": "a+f, 30 epochs",
        "defects.abcdef.long": "a+b+c+d+e+f, 30 epochs",
        "defects.af.batch10": "a+f, batch 10",
        "defects.a.adam": "a, Adam",
    }.items():
        known[name] = decibels(measured.psnr("postmortem", variant=variant))
    for letter in "be":
        known[f"defects.{letter}.cost"] = decibels(postmortem(measured, "f") - postmortem(measured, f"{letter}f"))
    start, stalled = (
        [cosine(measured, "a", layer, 100, state) for layer in LAYERS] for state in ("initial", "stalled")
    )
    return known | {
        "cosine.a.low": f"{min(start):.2f}",
        "cosine.a.high": f"{max(start):.2f}",
        "cosine.a.stalled": f"{max(stalled):.2f}",
    }
