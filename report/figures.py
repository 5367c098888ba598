"""The figures: each function draws one, a column wide, as vector PDF that can be read in black and white."""

from collections.abc import Callable
from pathlib import Path

import matplotlib
import matplotlib.ticker
from matplotlib.figure import Figure

from data.build import keyed_generator
from data.noise import clean, corrupt
from data.psnr import psnr
from data.windows import course_window, read_photo
from Proj_2.others.prediction import predict

from .delivered import delivered
from .measured import Measured

HERE = Path(__file__).parent
PHOTOS = HERE.parent / "data" / "photos"
SHOWN = ("farm-cat", "monument-charminar")  # in the public domain, and never trained on
COLUMN = 3.49  # inches, IEEEtran's
STYLE = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 8,
    "axes.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1,
    "lines.markersize": 3.5,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "pdf.fonttype": 42,
}
CURVES = {  # variant of the experiment: name, line, marker
    "f": ("none, or (d)", "-", ""),  # equal to the last digit: claims.py
    "e+f": ("(e)", "--", "^"),
    "b+f": ("(b)", "-.", "o"),
    "c+f": ("(c)", "-", "x"),
    "a+f": ("(a)", "--", ""),
    "a+b+c+d+e+f": ("all", ":", ""),
}
# Nothing that differs between two runs or two machines' versions of matplotlib.
WITHOUT_DATES = {"CreationDate": None, "Creator": None, "Producer": None}


def draw(figure: Callable[[Measured], Figure], measured: Measured, path: Path) -> None:
    """Draw a figure and write it to `path`."""
    with matplotlib.rc_context(STYLE):
        figure(measured).savefig(path, metadata=WITHOUT_DATES)


def curves(measured: Measured) -> Figure:
    """PSNR over the epochs, one line a defect, each the mean over the seeds."""
    figure = Figure((COLUMN, 1.9), layout="constrained")
    ax = figure.subplots()
    for i, (variant, (name, line, marker)) in enumerate(CURVES.items()):
        runs = measured.runs("postmortem", variant=variant)
        steps = [step for step, _ in runs[0]["curve"]]
        values = [_mean(run["curve"][point][1] for run in runs) for point in range(len(steps))]
        epochs = [step / 500 for step in steps]
        ax.plot(epochs, values, line, marker=marker, label=name, color=_grey(i, len(CURVES)), markevery=2)
    ax.set(xlabel="epochs", ylabel="PSNR, dB", xticks=range(5))
    ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1), handlelength=2.6)
    return figure


def noise2noise(measured: Measured) -> Figure:
    """Left: noisy and clean targets; right: fixed and fresh noise; over the number of pairs."""
    figure = Figure((COLUMN, 1.6), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True, width_ratios=(2, 1))
    _over_pairs(axes[0], measured, "noise2noise", "targets", {"clean": "clean targets", "noisy": "noisy targets"})
    _over_pairs(axes[1], measured, "fresh_noise", "noise", {"fresh": "fresh noise", "fixed": "fixed pairs"})
    axes[0].set_ylabel("PSNR, dB")
    low, high = axes[0].get_ylim()
    axes[0].set_ylim(low - 0.6 * (high - low), high)  # room for the legends
    return figure


def _over_pairs(ax, measured, experiment, key, names):
    for (value, name), line, marker, shade in zip(names.items(), ["-", "--"], "os", ("0", "0.4"), strict=True):
        configs = sorted(measured.configs(experiment, **{key: value}), key=lambda config: config["pairs"])
        spreads = [measured.psnr(experiment, **config) for config in configs]
        ax.errorbar(
            [config["pairs"] for config in configs],
            [spread.mean for spread in spreads],
            [spread.deviation for spread in spreads],
            linestyle=line,
            marker=marker,
            label=name,
            color=shade,
            capsize=2,
        )
    pairs = [config["pairs"] for config in configs]
    ax.set(xscale="log", xlabel="pairs", xlim=(pairs[0] / 1.5, pairs[-1] * 1.5), xticks=pairs)
    ax.xaxis.set_major_formatter(lambda pairs, _: f"{pairs:,.0f}".replace(",", "\u2009"))
    ax.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    ax.legend(loc="lower left")


def pictures(measured: Measured) -> Figure:
    """Pictures made as the course's: noisy, denoised by both networks, clean, with dB under each."""
    figure = Figure((COLUMN, 2.05), layout="constrained")
    axes = figure.subplots(len(SHOWN), 4)
    for row, name in zip(axes, SHOWN, strict=True):
        cells, truth = _cells(name)
        for ax, (title, picture) in zip(row, cells.items(), strict=True):
            ax.imshow(picture[0].clamp(0, 255).round().byte().permute(1, 2, 0).numpy(), interpolation="none")
            ax.set(xticks=[], yticks=[])
            ax.set_title(title if name == SHOWN[0] else "", fontsize=8, pad=3)
            score = "" if picture is truth else f"{psnr(picture, truth).item():.2f} dB"
            ax.set_xlabel(score, labelpad=2)
            for spine in ax.spines.values():
                spine.set_visible(False)
    return figure


def _cells(name):
    """The four pictures, 1×3×32×32 with values 0–255, by their titles; and the clean one of them."""
    window = course_window(read_photo(PHOTOS / f"{name}.jpg"))[None]
    noisy, truth = corrupt(window, keyed_generator(name)), clean(window)
    small, large = delivered()
    cells = {
        "noisy": noisy,
        "original's net": predict(small, noisy),
        "larger": predict(large, noisy),
        "clean": truth,
    }
    return cells, truth


def _grey(i, count):
    return str(0.6 * i / count)


def _mean(values):
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else float("nan")


FIGURES: dict[str, Callable[[Measured], Figure]] = {
    "curves": curves,
    "noise2noise": noise2noise,
    "pictures": pictures,
}
