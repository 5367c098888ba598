"""Work spread over processes that end with the one that started them, however it ends."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
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
    with _signals_put_off() as answer:

        def each(function, *iterables):
            return _between(answer, pool.map(function, *(_between(answer, items) for items in iterables)))

        try:
            yield each
        except BrokenProcessPool as error:
            raise DataError(
                "a worker process died; either memory ran out, or the calling script builds outside of "
                "`if __name__ == '__main__':`"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _signals_put_off() -> Iterator[Callable[[], None]]:
    """Yield a function at whose calls, and at the end, the signals that have come are answered, and not before: an
    exception in the midst of the pool's own work leaves a lock taken, and what waits for it waits for ever.
    """
    came, answers = [], {}
    if threading.current_thread() is threading.main_thread():  # no other gets signals
        found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        answers = {number: answer for number, answer in found.items() if callable(answer)}

    def answer_all():
        while came:
            number, frame = came.pop()
            answers[number](number, frame)

    for number in answers:
        signal.signal(number, lambda *given: came.append(given))
    try:
        yield answer_all
    finally:
        for number, answer in answers.items():
            signal.signal(number, answer)
    answer_all()


def _between(answer: Callable[[], None], items: Iterable) -> Iterator:
    """The items; before each, and after the last, `answer()`."""
    for item in items:
        answer()
        yield item
    answer()


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
