"""What the grader costs: python -m benchmarks.grading [--copies N]

- The bundled submission, all groups but training, as `test.py` grades it and with the same requests carried out in
  the grader's own process: the difference is the price of the sandbox.
- A class of copies of a small submission, two at a time, against grading one of them on its own.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .timing import write

ROOT = Path(__file__).resolve().parent.parent
SMALL = ROOT / "tests" / "submissions" / "correct" / "textbook"
BUT_TRAINING = "structure rules modules optimiser api psnr"
ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-d", "--data", default=str(ROOT / "data"), help="folder of val_data.pkl and train_data.pkl")
    parser.add_argument("--copies", type=int, default=200, help="submissions of the class (%(default)s)")
    options = parser.parse_args()

    only = [word for group in BUT_TRAINING.split() for word in ("--only", group)]
    graders = {
        "sandbox": ["test.py", "-d", options.data, *only],
        "one process": ["-m", "benchmarks.grading_in_process", options.data, *BUT_TRAINING.split()],
    }
    bundled = {name: [] for name in graders}
    for _ in range(ROUNDS):
        for name, command in graders.items():
            bundled[name].append(seconds(command))
    bundled = {name: statistics.median(times) for name, times in bundled.items()}
    overhead = bundled["sandbox"] - bundled["one process"]
    print(f"the bundled submission without training: {bundled['sandbox']:.1f} s, of which {overhead:.1f} s sandbox")

    one = statistics.median(
        seconds(["test.py", "-p", str(SMALL), "-d", options.data, "--quick"]) for _ in range(ROUNDS)
    )
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.copies):
            shutil.copytree(SMALL, Path(folder, "class", f"student{number:03d}"))
        common = ["test.py", "--all", f"{folder}/class", "-d", options.data, "--quick"]
        whole = seconds([*common, "--out", f"{folder}/results", "--jobs", "2"], show=True)
    print(f"one small submission: {one:.1f} s; {options.copies} with --jobs 2: {whole:.0f} s")
    print(f"that is {options.copies} × {one:.1f} s / {options.copies * one / whole:.2f}")
    write("grading", {
        "bundled_without_training_s": bundled,
        "class": {"copies": options.copies, "jobs": 2, "one_s": one, "whole_s": whole},
    })  # fmt: skip


def seconds(command: list[str], show: bool = False) -> float:
    """Wall time of a Python program, which must pass the submission."""
    started = time.perf_counter()
    done = subprocess.run([sys.executable, *command], cwd=ROOT, stdout=None if show else subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit(f"error: {' '.join(command)} ended with exit code {done.returncode}")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
