"""The supplement's figures."""

from collections.abc import Callable

import numpy
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from data.build import keyed_generator
from data.noise import noise
from data.psnr import psnr
from data.windows import read_photo
from Proj_2.others.networks import NETWORKS
from Proj_2.others.prediction import predict
from training.record import read_state

from ..figures import COLUMN, PHOTOS
from ..measured import MEASURE, Measured, MissingResult
from ..restored import RESTORATIONS
from .goals import step_result

PAGE = 7.16  # inches, both of IEEEtran's columns
SHOWN = {"animal-kingfisher": (25, 225), "monument-neuschwanstein-castle": (85, 115)}  # where the crop begins
CROP = 128  # pixels a side
BARS = {  # rows of the benchmark of a training step
    "ours": "this framework",
    "ours, bfloat16 products": "this framework",
    "torch eager": "eager",
    "torch eager, channels_last": "eager, channel-last",
    "torch.compile": "compiled",
    "torch.compile, channels_last": "compiled, channel-last",
    "torch autocast, channels_last": "autocast, channel-last",
    "torch.compile autocast, channels_last": "compiled, autocast, ch.-last",
}
TITLES = {"gaussian:25": "$\\sigma=25$", "poisson:30": "$\\lambda=30$"}


def targets(measured: Measured) -> Figure:
    """Noisy and clean targets over training time, and by how much clean ones are ahead."""
    figure = Figure((COLUMN, 2.3), layout="constrained")
    curves, difference = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    runs = {kind: measured.run("gaussian", targets=kind)["curve"] for kind in ("clean", "noisy")}
    for (kind, curve), line, marker, shade in zip(runs.items(), ("-", "--"), "os", ("0", "0.45"), strict=True):
        _, decibels, seconds = zip(*curve[1:], strict=True)
        minutes = [value / 60 for value in seconds]
        curves.plot(minutes, decibels, line, marker=marker, color=shade, label=f"{kind} targets")
    # The same number of steps at every point; what is ahead is drawn where the noisy run was.
    ahead = [clean[1] - noisy[1] for clean, noisy in zip(*(curve[1:] for curve in runs.values()), strict=True)]
    difference.plot(minutes, ahead, "-", marker=".", color="0")
    difference.axhline(0, color="0.7", linewidth=0.5)
    widest = max(0.1, *map(abs, ahead))
    difference.set(xlabel="training, minutes of one core", ylabel="clean ahead, dB", ylim=(-widest, widest))
    curves.set_ylabel("PSNR, dB")
    curves.legend(loc="lower right")
    return figure


def crops(measured: Measured) -> Figure:
    """Crops of bundled photographs: noisy and restored, for each noise whose weights are there, and clean."""
    kept = [one for one in RESTORATIONS if one.weights != "shipped" and one.noise in TITLES]
    kept = [one for one in kept if one.path(measured.weights).exists()]
    if not kept:
        raise MissingResult(
            f"{measured.weights} holds no weights of a network for {' or '.join(TITLES)}, which a figure shows: "
            f"train them with train.py, copy their best.pth there, and measure them with `{MEASURE}`"
        )
    columns = 2 * len(kept) + 1
    figure = Figure((PAGE, PAGE / columns * len(SHOWN) * 1.16), layout="constrained")
    for row, (name, corner) in zip(figure.subplots(len(SHOWN), columns), SHOWN.items(), strict=True):
        cells = _cells(name, corner, kept, measured.weights)
        for ax, (title, picture, score) in zip(row, cells, strict=True):
            ax.imshow(picture.clamp(0, 255).round().byte().permute(1, 2, 0).numpy(), interpolation="none")
            ax.set(xticks=[], yticks=[])
            ax.set_title(title if name == next(iter(SHOWN)) else "", fontsize=8, pad=3)
            ax.set_xlabel(score, labelpad=2)
            for spine in ax.spines.values():
                spine.set_visible(False)
    return figure


def _cells(name, corner, kept, weights):
    """(title, crop 3×H×W, its PSNR) of each picture in a row. The networks see the whole photograph."""
    photo = torch.from_numpy(numpy.array(read_photo(PHOTOS / f"{name}.jpg"))).permute(2, 0, 1)[None]
    place = tuple(slice(start, start + CROP) for start in corner)
    truth = photo[0][:, *place].float()
    for one in kept:
        noisy = noise(one.noise).corrupt(photo, keyed_generator(name))
        network = NETWORKS[one.network]()
        read_state(one.path(weights), network)
        with torch.no_grad():
            restored = predict(network, noisy).clamp_(0, 255)
        for title, picture in ((f"noisy, {TITLES[one.noise]}", noisy), ("restored", restored)):
            crop = picture[0][:, *place]
            yield title, crop, f"{psnr(crop[None], truth[None]).item():.2f} dB"
    yield "clean", truth, ""


def step_times(measured: Measured) -> Figure:
    """The time of a training step of the U-Net, as bars: ours, and PyTorch's."""
    rows = step_result(measured)["rows"]
    figure = Figure((COLUMN, 1.75), layout="constrained")
    ax = figure.subplots()
    names = [BARS[row["name"]] for row in rows]
    half = ["bfloat16" in row["name"] or "autocast" in row["name"] for row in rows]
    bars = ax.barh(
        range(len(rows)),
        [row["ms"] for row in rows],
        color=["0.75" if mixed else "0.35" for mixed in half],
        height=0.7,
    )
    ax.bar_label(bars, fmt="%.0f", padding=2, fontsize=7)
    ax.set_yticks(range(len(rows)), names)
    ax.invert_yaxis()
    ax.set_xlabel("ms a step")
    ax.margins(x=0.12)
    ax.legend(handles=[Patch(color="0.35", label="float32"), Patch(color="0.75", label="bfloat16")])
    return figure


FIGURES: dict[str, Callable[[Measured], Figure]] = {
    "targets": targets,
    "crops": crops,
    "step_times": step_times,
}
