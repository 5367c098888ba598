"""Print, as JSON, what a training step takes in the processes that torchrun started, or in this one alone:
NETWORK:BATCH … ROUNDS SECONDS.

Of several processes, ways to exchange the gradients take turns: each bucket sent during the backward pass, as
training does it; all of them after it; none. On one machine a message costs time of the very processors that compute,
and little else. So there are two ways more: as if messages had to pass, one after the other, a link of RATE.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist

from Proj_2.others.networks import NETWORKS
from Proj_2.others.precision import has_fast_bfloat16
from Proj_2.others.training import Training
from training.buckets import Buckets
from training.team import joined

from .contenders import DEVICE, batch

RATE = 125e6  # bytes a second: 1 Gbit/s


class During(Buckets):
    """As training does it; `waits` are the seconds that each step waited after its backward pass."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.waits = []

    def total(self, loss):
        start = time.perf_counter()
        total = super().total(loss)
        self.waits.append(time.perf_counter() - start)
        return total


class After(During):
    """Gradients are sent when the backward pass is over."""

    def completing(self):
        pass


class Never(During):
    """Gradients stay where they are: what the arithmetic alone takes."""

    def _send(self, count):
        pass


class Link:
    """Messages arrive no sooner than a link of RATE has them."""

    free = 0.0  # when the link is

    def _send(self, count):
        already = len(self.sent)
        super()._send(count)
        for i, bucket in enumerate(self.buckets[already : len(self.sent)], already):
            self.free = max(self.free, time.perf_counter()) + least_bytes(bucket.nbytes, dist.get_world_size()) / RATE
            self.sent[i] = Late(self.sent[i], self.free)


class Late:
    def __init__(self, message, due):
        self.message, self.due = message, due

    def wait(self):
        self.message.wait()
        time.sleep(max(0, self.due - time.perf_counter()))


class DuringOverLink(Link, During):
    pass


class AfterOverLink(Link, After):
    pass


WAYS = {
    "during": During,
    "after": After,
    "never": Never,
    "during, over a link": DuringOverLink,
    "after, over a link": AfterOverLink,
}


def least_bytes(size, processes):
    """The least that each process can send for all to have the sum of what each has, `size` bytes."""
    return 2 * (processes - 1) / processes * size


def main():
    *work, rounds, seconds = sys.argv[1:]
    results = []
    with joined() as team, torch.no_grad():
        for network, size in (text.split(":") for text in work):
            results.append(measure(team, network, int(size), int(rounds), float(seconds)))
        if team.rank == 0:
            print(json.dumps(results))


def measure(team, network, size, rounds, seconds):
    """Median seconds of a step in each of the WAYS and of its waiting after the backward pass, and the bytes that
    this process sends in a step of the first way.
    """
    ways = WAYS if team.size > 1 else {"alone": None}
    made = {way: make_step(team, network, size, kind) for way, kind in ways.items()}
    steps = {way: step for way, (step, _) in made.items()}
    start = time.perf_counter()
    for step in steps.values():
        step()
        step()
    # As many steps at a time in every process: what process 0 finds that `seconds` hold.
    block = team.first(lambda: max(1, round(seconds * 2 * len(steps) / (time.perf_counter() - start))))
    times, sent = {way: [] for way in steps}, 0
    for _ in range(rounds):
        for way, step in steps.items():
            team.gather(None)  # begin together
            before, start = bytes_written(), time.perf_counter()
            for _ in range(block):
                step()
            if way == next(iter(steps)):
                sent = (bytes_written() - before) / block
            team.gather(None)
            times[way].append((time.perf_counter() - start) / block)
    gradients = sum(gradient.nbytes for _, gradient in NETWORKS[network]().param())
    return {
        "network": network,
        "batch": size,
        "seconds": {way: statistics.median(values) for way, values in times.items()},
        "waiting": {way: statistics.median(sharing.waits) for way, (_, sharing) in made.items() if sharing},
        "sent": sent,
        "gradients": gradients,
    }


def make_step(team, network, size, kind):
    made = NETWORKS[network]().to(DEVICE)
    sharing = kind and kind(made, team)
    mixed = has_fast_bfloat16() and DEVICE == "cpu"
    training = Training(made, 10**6, size, mixed=mixed, team=sharing)
    x, target = (pictures[team.part(size)] for pictures in batch(network, size))
    return lambda: float(training.step(x, target, of=size)), sharing


def bytes_written():
    """What this process has written so far, to sockets too (Linux)."""
    return int(Path("/proc/self/io").read_text().split("wchar:")[1].split()[0])


if __name__ == "__main__":
    main()
