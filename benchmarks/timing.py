"""Timing side by side. The machine may be shared and its clock may drift, so that two programs timed one after the
other can't be compared: here the contenders take turns, and what counts is the ratio of their medians.
"""

import gc
import json
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from tqdm import tqdm

from data.files import replacing

RESULTS = Path(__file__).with_name("results")


def take_turns(contenders, blocks=10, seconds=0.25):
    """Median seconds of one call of each contender, a dictionary name -> function. In each of `blocks` rounds,
    every contender in turn runs for about `seconds`; the first round warms up.
    """
    times = {name: [] for name in contenders}
    gc.collect()
    gc.disable()  # a collection in the middle of a step would be charged to whoever was running
    try:
        for block in tqdm(range(blocks + 1), "timing", unit="round", leave=False):
            for name, call in contenders.items():
                start = end = time.perf_counter()
                while end - start < seconds:
                    before = end
                    call()
                    end = time.perf_counter()
                    if block:
                        times[name].append(end - before)
    finally:
        gc.enable()
    return {name: statistics.median(values) for name, values in times.items()}


def product_rate(like, size=1024):
    """Floating-point operations per second of a square matrix product in the type of `like`, at its best."""
    a, b = torch.randn(2, size, size).to(like)
    out = torch.empty_like(a)
    best = min(take_turns({"product": lambda: out.addmm_(a, b, beta=0)}, 5, 0.1).values())
    return 2 * size**3 / best


def machine():
    """What the numbers were measured on."""
    return {
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "commit": _commit(),
    }


def write(name, result):
    """Write a result and the machine's description to `benchmarks/results/NAME.json`."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    with replacing(path) as partial:
        partial.write_text(json.dumps({"machine": machine(), **result}, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


def peak_memory(module, *arguments):
    """Peak memory in bytes of `python -m MODULE ARGUMENTS`, which prints it as its last line."""
    return int(_output(sys.executable, "-m", module, *map(str, arguments)).split()[-1])


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
        wanted = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
        flags = next(line.split(":")[1].split() for line in lines if line.startswith("flags"))
        return f"{name} ({', '.join(flag for flag in wanted if flag in flags)})"
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _commit():
    """None outside of a git checkout."""
    try:
        return _output("git", "rev-parse", "--short", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        return None


def _output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
