r"""The numbers of the supplement's text by name: what \result{name} stands for in supplement.tex."""

from Proj_2.others.networks import unet, unet_small
from Proj_2.others.reach import reach

from ..experiments.photographs import config
from ..measured import Measured
from .goals import goals, single_speed, speeds, step_result, target_cost

NOT_MEASURED = "\\emph{(not measured)}"
NARROW = "train_step_unet_avx2"  # the same benchmark on a processor without AVX-512 and bfloat16
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def numbers(measured: Measured) -> dict[str, str]:
    """Every number, as LaTeX. Raises MissingResult if a result that one needs isn't there."""
    known = {
        f"{make.__name__}.parameters": f"{sum(p.numel() for p, _ in make().param()):,}".replace(",", "{,}")
        for make in (unet, unet_small)
    }
    known["unet.reach"] = str(reach(unet()))
    return known | _goals(measured) | _targets(measured) | _losses(measured) | _speed(measured)


def _goals(measured):
    every = goals(measured)
    missed = [goal for goal in every if goal.value is not None and not goal.reached]
    absent = sum(goal.value is None for goal in every)
    counted = f"{_count(len(every) - len(missed) - absent)} of {_count(len(every))} bars are reached"
    for number, what in ((len(missed), "missed"), (absent, "not measured")):
        counted += f", {_count(number)} {what}" if number else ""
    return {"bars": counted}


def _count(number):
    return COUNTS[number] if number < len(COUNTS) else str(number)


def _targets(measured):
    noisy, clean = (measured.run("gaussian", targets=targets) for targets in ("noisy", "clean"))
    apart = [abs(a[1] - b[1]) for a, b in zip(noisy["curve"], clean["curve"], strict=True)]
    return {
        "small.steps": f"{noisy['config']['steps']:,}".replace(",", "{,}"),
        "small.batch": str(noisy["config"]["batch"]),
        "small.crop": str(noisy["config"]["crop"]),
        "small.minutes": f"{noisy['curve'][-1][2] / 60:.1f}",
        "targets.noisy": f"{noisy['psnr']:.2f}",
        "targets.clean": f"{clean['psnr']:.2f}",
        "targets.cost": _signed(clean["psnr"] - noisy["psnr"]),
        "targets.apart": f"{max(apart):.2f}",
        **{
            f"targets.cost.{name}": NOT_MEASURED if cost is None else _signed(cost) + "\\dB{}"
            for name, cost in (
                ("kodak", target_cost(measured, "Kodak")),
                ("bsd300", target_cost(measured, "BSD300_test")),
            )
        },
    }


def _losses(measured):
    def gain(experiment, one, other):
        better, worse = (measured.run(experiment, targets=targets, loss=loss) for targets, loss in (one, other))
        return _signed(better["psnr"] - worse["psnr"])

    return {
        "text.steps": _steps(measured, "text"),
        "impulse.steps": _steps(measured, "impulse"),
        "text.gain": gain("text", ("noisy", "l1"), ("noisy", "l2")),
        "text.cost": gain("text", ("clean", "l1"), ("noisy", "l1")),
        "impulse.gain": gain("impulse", ("noisy", "l0"), ("noisy", "l2")),
        "impulse.cost": gain("impulse", ("clean", "l2"), ("noisy", "l0")),
        "impulse.short": gain("impulse", ("noisy", "l1"), ("noisy", "l0")),
    }


def _steps(measured, experiment):
    (steps,) = {run["config"]["steps"] for run in measured.experiment(experiment)["runs"]}
    return f"{steps:,}".replace(",", "{,}")


def _speed(measured):
    result = step_result(measured)
    mixed, autocast, single = speeds(measured)
    rate, half = (value / 1e9 for value in result["rates"])
    rows = {row["name"]: row for row in result["rows"]}
    peaks = result["peak bytes"]
    return {
        "step.batch": str(result["batch"]),
        "step.side": str(config()["crop"]),
        "step.gflop": f"{result['gflop']:.0f}",
        "step.rate": f"{rate:.0f}",
        "step.rate.half": f"{half:.0f}",
        "step.share": f"{100 * rows['ours']['share']:.0f}",
        "step.mixed": f"{mixed:.2f}",
        "step.autocast": f"{autocast:.2f}",
        "step.single": f"{single:.2f}",
        "step.single.narrow": f"{single_speed(measured, NARROW):.2f}",
        "step.memory": f"{peaks['ours'] / 1e6:.0f}",
        "step.memory.torch": f"{min(peaks['torch eager'], peaks['torch eager, channels_last']) / 1e6:.0f}",
        "step.threads": str(measured.benchmark("train_step_unet")["machine"]["threads"]),
    }


def _signed(value):
    return f"${value:.2f}$" if f"{value:.2f}" != "-0.00" else "$0.00$"
