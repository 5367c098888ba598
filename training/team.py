"""The processes that `torchrun` started for one run: what they agree on, and who speaks for them.

torchrun tells each process its number and where to meet the others, in environment variables. Sums and messages go
over NCCL between GPUs and over gloo between processors.
"""

import os
import re
import signal
import sys
import zlib
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from datetime import timedelta

import torch
import torch.distributed as dist

from .options import UsageError

PATIENCE = timedelta(minutes=30)  # how long the others wait for one: for process 0 while it measures, for example


class Lost(Exception):
    """Another process of the run is gone, or this one is told to go."""


class Team:
    """The processes of a run: this one alone."""

    rank, size = 0, 1

    def part(self, size):
        """Which pairs of a batch of `size` this process takes, a slice."""
        return slice(size * self.rank // self.size, size * (self.rank + 1) // self.size)

    def first(self, make):
        """What `make()` returns in process 0, in every process; the others wait for it."""
        return make()

    def gather(self, value):
        """The value of every process, in order."""
        return [value]

    def say(self, message):
        """Say why the run ends."""
        print(message, file=sys.stderr)


class Processes(Team):
    """The same of several processes."""

    def __init__(self, store, rank, size):
        self.store, self.rank, self.size, self.ended = store, rank, size, False

    def first(self, make):
        made = [make() if self.rank == 0 else None]
        with or_lost():
            dist.broadcast_object_list(made)
        return made[0]

    def gather(self, value):
        values = [None] * self.size
        with or_lost():
            dist.all_gather_object(values, value)
        return values

    def say(self, message):
        if self.is_first_to_say():
            print(message, file=sys.__stderr__, flush=True)

    def is_first_to_say(self):
        """Whether no other process has said why the run ends: all end, for the same reason or because one did."""
        _leave_signals()
        self.ended = True
        try:
            return self.store.add("said", 1) == 1
        except RuntimeError:  # whoever kept the count is gone
            return os.environ.get("LOCAL_RANK", "0") == "0"


@contextmanager
def joined():
    """Yield the team of the processes that were started together. Only process 0 shows anything of what it does.

    Raises UsageError if they can't meet.
    """
    size = int(os.environ.get("WORLD_SIZE", 1))
    if size == 1:
        yield Team()
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stopped)
    team = _meet()
    try:
        with _quiet() if team.rank else nullcontext():
            yield team
    except Exception:  # a mistake of this program: one traceback is enough
        if team.is_first_to_say():
            raise
        raise SystemExit(1) from None
    if not team.ended:  # or it would wait for those that are gone
        dist.destroy_process_group()


def _meet():
    try:
        store, rank, size = next(dist.rendezvous("env://", timeout=PATIENCE))
        team = Processes(store, rank, size)
        dist.init_process_group(_backend(team), store=store, rank=rank, world_size=size, timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        address = ":".join(os.environ.get(name, "?") for name in ("MASTER_ADDR", "MASTER_PORT"))
        raise UsageError(
            f"the processes can't meet at {address} ({_first_sentence(error)}); start them with torchrun "
            "--standalone, or choose another port"
        ) from error
    return team


def _backend(team):
    """What carries the messages. With GPUs, this process takes its own."""
    if not torch.cuda.is_available():
        return "gloo"
    here, gpus = int(os.environ.get("LOCAL_WORLD_SIZE", 1)), torch.cuda.device_count()
    if here > gpus:
        team.say(
            f"error: GPUs of this machine: {gpus}, processes on it: {here}; start one for each, or hide the GPUs "
            "with CUDA_VISIBLE_DEVICES="
        )
        raise SystemExit(2)
    torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    return "cpu:gloo,cuda:nccl"


@contextmanager
def or_lost():
    """Raise Lost for what torch.distributed raises when a message does not arrive."""
    try:
        yield
    except RuntimeError as error:
        raise Lost(f"another process ended or does not answer ({_first_sentence(error)})") from error


def same(team, what, value, way_out):
    """Raise UsageError, which says `way_out`, unless `value()` is the same in all processes."""
    values = team.gather(value()) if team.size > 1 else []
    for rank, other in enumerate(values):
        if other != values[0]:
            raise UsageError(f"process {rank} has other {what} than process 0; {way_out}")


def checksum(tensors):
    """A number that tells different tensors apart."""
    number = 0
    for tensor in tensors:
        number = zlib.crc32(str(tuple(tensor.shape)).encode(), number)
        number = zlib.crc32(tensor.cpu().contiguous().view(-1).view(torch.uint8).numpy(), number)
    return number


@contextmanager
def _quiet():
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def _stopped(number, frame):
    _leave_signals()
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise Lost("stopped from outside, or because another process ended")


def _leave_signals():
    """From now on this process ends by itself: torchrun's signals to those that are left come while it does."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _first_sentence(error):
    """What torch says, without the place in its source and the advice that follows."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return re.sub(r"^\[\S+:\d+\] ", "", line).split(". ")[0][:200]
