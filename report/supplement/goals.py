"""What was to be reached, decided before anything was trained: a bar, a goal, and what was measured."""

from dataclasses import dataclass

from ..measured import Measured, MissingResult
from ..restored import BLIND, Restoration

STEP = "train_step_unet"  # the file of the benchmark of a step


@dataclass
class Goal:
    title: str
    bar: float
    goal: float | None
    value: float | None  # None: not measured
    unit: str = "dB"
    least: bool = False  # whether less is better

    @property
    def reached(self) -> bool:
        return self.value is not None and self._passes(self.bar)

    @property
    def verdict(self) -> str:
        if self.goal is not None and self._passes(self.goal):
            return "goal reached"
        return "bar reached" if self._passes(self.bar) else f"short by {abs(self.value - self.bar):.2f}"

    def shown(self, value: float | None) -> str:
        """A value as the table has it."""
        if value is None:
            return ""
        return f"${value:.2f}\\times$" if self.unit == "times" else f"${value:.2f}$"

    def _passes(self, limit):
        return self.value <= limit if self.least else self.value >= limit


def goals(measured: Measured) -> list[Goal]:
    """All of them, with what was measured."""

    def decibels(pictures, noise, weights):
        mean = Restoration(noise, weights).mean(measured, pictures)
        return mean and mean["psnr"]

    return [
        Goal("the course's pictures, U-Net", 26.0, 26.3, _course(measured)),
        Goal("$\\sigma=25$, Kodak", 31.5, 31.9, decibels("Kodak", "gaussian:25", BLIND)),
        Goal("$\\sigma=25$, BSD300", 30.2, 30.5, decibels("BSD300_test", "gaussian:25", BLIND)),
        Goal("clean above noisy targets, Kodak", 0.05, None, target_cost(measured, "Kodak"), least=True),
        Goal("$\\lambda=30$, Kodak", 30.7, 31.66, decibels("Kodak", "poisson:30", "poisson30")),
        Goal("$\\lambda=30$, BSD300", 29.4, 30.26, decibels("BSD300_test", "poisson:30", "poisson30")),
        Goal("blind, at $\\sigma=25$, Kodak", 31.2, 32.10, decibels("Kodak", "gaussian:25", BLIND)),
        *_speeds(measured),
    ]


def _course(measured):
    try:
        course = measured.measures("course_unet")["course"]
    except MissingResult:
        return None
    return course and course["unet"]


def target_cost(measured: Measured, pictures: str) -> float | None:
    """How many dB more clean targets reach than noisy ones on a set of pictures; None if it was not measured."""
    clean, noisy = (measured.run("gaussian", targets=targets)["sets"] for targets in ("clean", "noisy"))
    return clean[pictures]["psnr"] - noisy[pictures]["psnr"] if clean and noisy else None


def _speeds(measured):
    try:
        mixed, autocast, single = speeds(measured)
    except MissingResult:
        mixed = autocast = single = None
    return [
        Goal("step, bfloat16, to PyTorch's float32", 1.5, None, mixed, "times"),
        Goal("step, bfloat16, to its autocast", 1.0, None, autocast, "times"),
        Goal("step, float32, to its float32", 0.8, 1.2, single, "times"),
    ]


def speeds(measured: Measured) -> tuple[float, float, float]:
    """How many times as long as ours PyTorch's fastest step takes: its float32 to our bfloat16, its autocast to our
    bfloat16, and its float32 to our float32. Raises MissingResult.
    """
    times = {row["name"]: row["ms"] for row in step_result(measured)["rows"]}
    autocast = min(ms for name, ms in times.items() if "autocast" in name)
    single, mixed = single_speed(measured, STEP), times["ours, bfloat16 products"]
    return single * times["ours"] / mixed, autocast / mixed, single


def single_speed(measured: Measured, name: str) -> float:
    """How many times as long as our step PyTorch's fastest takes, both in float32, in benchmarks/results/NAME.json.
    Raises MissingResult.
    """
    times = {row["name"]: row["ms"] for row in step_result(measured, name)["rows"]}
    return min(ms for name, ms in times.items() if "torch" in name and "autocast" not in name) / times["ours"]


def step_result(measured: Measured, name: str = STEP) -> dict:
    """The one result in benchmarks/results/NAME.json. Raises MissingResult."""
    command = f"python -m benchmarks.train_step --network unet --batch 32 --name {name}"
    (result,) = measured.benchmark(name, command)["results"]
    return result
