"""Work spread over processes that end with the one that started them, however it ends."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

import torch

from .load import DataError


@contextmanager
def parallel_map(count: int) -> Iterator[Callable]:
    """Yield a `map` that runs on `count` processes, in the caller's own if it is 1."""
    if count == 1:
        yield map
        return
    # A spawned process is safe where a fork is not: after torch has started threads.
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), start_worker)
    try:
        yield pool.map
    except BrokenProcessPool as error:
        raise DataError(
            "a worker process died; either memory ran out, or the calling script builds outside of "
            "`if __name__ == '__main__':`"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def start_worker() -> None:
    """What a process of a pool begins with: one thread, Ctrl-C left to the parent, and an end with it."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """End with the parent, even if it was killed and could not say so."""
    multiprocessing.parent_process().join()
    os._exit(1)


def cores() -> int:
    """The processes worth starting: one a core that this process may use, 8 at most; a share of them if torchrun
    started several processes on this machine, which will all do so.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(8, count // int(os.environ.get("LOCAL_WORLD_SIZE", 1))))
