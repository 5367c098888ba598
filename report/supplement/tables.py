"""The supplement's tables. What was not measured says so; what was is a result."""

from collections.abc import Callable

from ..experiments.photographs import SETS
from ..kept import record
from ..measured import Measured
from ..restored import BLIND, Restoration
from ..tables import tabular
from .goals import goals, step_result

MISSING = "--"  # a cell of what was not measured
NOT_MEASURED = "\\emph{not measured}"
NOISES = {
    "gaussian:25": "Gaussian, $\\sigma=25$",
    "poisson:30": "Poisson, $\\lambda=30$",
    "gaussian:5-50": "Gaussian, $\\sigma$ from $5$ to $50$",
}
# For each noise, our networks, and what others published: keys of published.json, which go on with .kodak or .bsd300.
OURS = {
    "gaussian:25": {
        "U-Net, noisy targets, $\\sigma$ unknown": BLIND,
        "the assignment's network": "shipped",
    },
    "poisson:30": {"U-Net, noisy targets": "poisson30", "the assignment's network": "shipped"},
    "gaussian:5-50": {"U-Net, noisy targets": BLIND},
}
PUBLISHED = {
    "gaussian:25": {
        "U-Net, clean targets~\\cite{neighbor}": "gaussian25.clean",
        "U-Net, noisy targets~\\cite{neighbor}": "gaussian25.n2n",
        "Noise2Noise, authors' code~\\cite{code}": "gaussian25.authors",
        "Neighbor2Neighbor~\\cite{neighbor}": "gaussian25.neighbor",
        "CBM3D~\\cite{neighbor}": "gaussian25.cbm3d",
        "Noise2Void~\\cite{neighbor}": "gaussian25.void",
    },
    "poisson:30": {"Noise2Noise, authors' code~\\cite{code}": "poisson30.authors"},
    "gaussian:5-50": {"Neighbor2Neighbor~\\cite{neighbor}": "blind.neighbor"},
}
SHORT = {"Kodak": "kodak", "BSD300_test": "bsd300"}  # how keys of published.json name the sets
STEPS = {  # rows of the benchmark of a training step
    "ours": "this framework",
    "ours, bfloat16 products": "\\quad bfloat16 products",
    "torch eager": "PyTorch, eager",
    "torch eager, channels_last": "\\quad channel-last",
    "torch.compile": "PyTorch, compiled",
    "torch.compile, channels_last": "\\quad channel-last",
    "torch autocast, channels_last": "PyTorch, bfloat16 autocast",
    "torch.compile autocast, channels_last": "\\quad compiled",
}
TARGETS = {
    ("noisy", "l2"): "noisy, $L_2$",
    ("noisy", "l1"): "noisy, $L_1$",
    ("noisy", "l0"): "noisy, $L_0$",
    ("clean", "l1"): "clean, $L_1$",
    ("clean", "l2"): "clean, $L_2$",
}


def restored(measured: Measured) -> str:
    """PSNR and SSIM on the field's pictures, and the PSNR that others published."""
    head = [
        ["", *(f"\\multicolumn{{2}}{{c}}{{{name}}}" for name in ("Kodak", "BSD300"))],
        ["", "dB", "SSIM", "dB", "SSIM"],
    ]
    blocks = []
    for noise, title in NOISES.items():
        ours = {name: Restoration(noise, weights) for name, weights in OURS[noise].items()}
        block = [[f"\\emph{{{title}}}", "", "", "", ""]]
        block.append(["noisy input", *_both(measured, ours.values(), "noisy_psnr", "noisy_ssim")])
        block += [[name, *_both(measured, [kept], "psnr", "ssim")] for name, kept in ours.items()]
        for name, key in PUBLISHED[noise].items():
            values = [measured.published.get(f"{key}.{short}", {}).get("value", "") for short in SHORT.values()]
            block.append([name, values[0], "", values[1], ""])
        blocks.append(block)
    return tabular("@{}lrrrr@{}", head, *blocks)


def _both(measured, kept, decibels, ssim):
    """The cells of a row, of the first of the restorations that was measured."""
    cells = []
    for name in SETS:
        found = [mean for mean in (one.mean(measured, name) for one in kept) if mean]
        cells += [f"{found[0][decibels]:.2f}", f"{found[0][ssim]:.3f}"[1:]] if found else [MISSING, ""]
    return cells


def losses(measured: Measured) -> str:
    """What noisy and clean targets lead to, loss by loss, where words or random colours hide the picture."""
    blocks = []
    for experiment, title in (("text", "words over a quarter"), ("impulse", "random colours at half")):
        runs = measured.experiment(experiment)["runs"]
        rows = [[f"\\emph{{{title}}}", "", ""]]
        rows.append(["noisy input", f"{runs[0]['curve'][0][1]:.2f}", _on_bsd300(runs[0], "noisy_psnr")])
        for run in runs:
            name = TARGETS[run["config"]["targets"], run["config"]["loss"]]
            rows.append([name, decibels(run["psnr"]), _on_bsd300(run, "psnr")])
        blocks.append(rows)
    return tabular("@{}lrr@{}", [["targets, loss", "held out", "BSD300"]], *blocks)


def _on_bsd300(run, key):
    return f"{run['sets']['BSD300_test'][key]:.2f}" if run["sets"] else MISSING


def decibels(value: float | None) -> str:
    return "diverged" if value is None else f"{value:.2f}"


def aims(measured: Measured) -> str:
    """What was to be reached, and what was."""
    rows = [[goal.title, goal.shown(goal.bar), goal.shown(goal.goal), *_outcome(goal)] for goal in goals(measured)]
    return tabular("@{}lrrrl@{}", [["", "bar", "goal", "measured", ""]], rows)


def _outcome(goal):
    return [NOT_MEASURED, ""] if goal.value is None else [goal.shown(goal.value), goal.verdict]


def steps(measured: Measured) -> str:
    """The time of a training step of the U-Net, the part of the products' rate that it gets, and its memory."""
    result = step_result(measured)
    rows = [
        [
            STEPS[row["name"]],
            f"{row['ms']:.0f}",
            f"{row['ours is faster by']:.2f}",
            f"{100 * row['share']:.0f}\\,\\%",
            f"{result['peak bytes'][row['name']] / 1e6:.0f}" if row["name"] in result["peak bytes"] else "",
        ]
        for row in result["rows"]
    ]
    return tabular("@{}lrrrr@{}", [["", "ms", "ours: 1", "of the rate", "MB"]], rows[:2], rows[2:])


def trained(measured: Measured) -> str:
    """How the weights came about, from the configuration and the log of each run."""
    rows = []
    for name, title in {
        BLIND: NOISES["gaussian:5-50"],
        "poisson30": NOISES["poisson:30"],
        "unet_course": "the course's",
    }.items():
        found = record(name, measured.weights)
        if not found:
            rows.append([title, "\\multicolumn{5}{l}{\\emph{not recorded}}"])
            continue
        config, log = found["config"], found["log"]
        count = len(log) * -(-config["pairs"] // config["batch"])
        hours = sum(row["seconds"] for row in log) / 3600
        best = max(row["psnr"] for row in log)
        begun = f"\\texttt{{\\detokenize{{{config['init']}}}}}" if config["init"] else "random"
        cells = [f"{count:,}".replace(",", "{,}"), f"{hours:.1f}", str(config["seed"]), begun, f"{best:.2f}"]
        rows.append([title, *cells])
    return tabular("@{}lrrrlr@{}", [["noise", "steps", "hours", "seed", "first weights", "held out, dB"]], rows)


TABLES: dict[str, Callable[[Measured], str]] = {
    "restored": restored,
    "losses": losses,
    "aims": aims,
    "steps": steps,
    "trained": trained,
}
