"""Print the peak memory in bytes of a few training steps, in a process of their own: NETWORK BATCH CONTENDER."""

import sys
from pathlib import Path

from .contenders import our_step, torch_step
from .train_step import OURS, TORCH


def main():
    network, batch, name = sys.argv[1:]
    make, options = (our_step, OURS[name]) if name in OURS else (torch_step, TORCH[name])
    step = make(network, int(batch), **options)
    for _ in range(5):
        step()
    # Not getrusage, whose maximum a process inherits from the one that started it.
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(int(line.split()[1]) * 1024)


if __name__ == "__main__":
    main()
