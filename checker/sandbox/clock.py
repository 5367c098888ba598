"""How long a submission took: the wall clock, less the time in which it could not run because others did.

On a busy machine a process may wait for a processor as long as it computes. Linux counts that wait for each process
(/proc/PID/schedstat, its second number), so that a verdict need not depend on what else runs. What is excused is
bounded, since a submission may keep itself waiting with processes of its own.
"""

import time
from collections.abc import Callable


def waited(pid: int) -> float:
    """Seconds that the main thread of a process was ready to run and did not; 0 where the kernel does not count."""
    try:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as counted:
            return int(counted.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def stopwatch(pid: int, patience: float) -> Callable[[], float]:
    """A function of the seconds that have passed for a process; at least 1/`patience` of those on the wall."""
    began, before = time.monotonic(), waited(pid)

    def passed() -> float:
        wall = time.monotonic() - began
        return wall - min(max(waited(pid) - before, 0.0), wall * (1 - 1 / patience))

    return passed
