"""Print the peak memory in bytes of a few training steps, in a process of their own: NETWORK BATCH CONTENDER."""

import resource
import sys

from .contenders import our_step, torch_step
from .train_step import OURS, TORCH


def main():
    network, batch, name = sys.argv[1:]
    make, options = (our_step, OURS[name]) if name in OURS else (torch_step, TORCH[name])
    step = make(network, int(batch), **options)
    for _ in range(5):
        step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main()
