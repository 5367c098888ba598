"""What a second process is worth: a training step in one process with two threads, in one with a single thread, and
in two with one each, which exchange their gradients.

python -m benchmarks.distributed [--network NAME:BATCH ...] [--processes N] [--rounds N]

Whole batches of equal size everywhere. The contenders are started in turn, `--rounds` times.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

from tqdm import tqdm

from Proj_2.others.precision import has_fast_bfloat16

from .sharing import RATE, least_bytes
from .timing import write

TURNS, SECONDS = 3, 1  # of a way to exchange gradients at each start, and how long each turn is


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--network", nargs="+", default=["paper:100", "large:100", "unet:32"], metavar="NAME:BATCH")
    parser.add_argument("--processes", type=int, default=2, help="of the last contender, and threads of the first")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    count, load = arguments.processes, os.getloadavg()[0]  # what else this machine is doing
    contenders = {
        f"1 process, {count} threads": (1, count),
        "1 process, 1 thread": (1, 1),
        f"{count} processes, 1 thread each": (count, 1),
    }
    measured = {name: [] for name in contenders}
    for _ in tqdm(range(arguments.rounds), "measuring", unit="round", leave=False, disable=None):
        for name, (processes, threads) in contenders.items():
            measured[name].append(run(processes, threads, arguments.network))
    results = [summary(measured, i, count) for i in range(len(arguments.network))]
    for result in results:
        show(result)
    precision = "bfloat16 products" if has_fast_bfloat16() else "float32"
    write("distributed", {"load before": load, "precision": precision, "processes": count, "results": results})


def run(processes, threads, work):
    """What `benchmarks.sharing` prints in so many processes."""
    start = [sys.executable]
    if processes > 1:
        start += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = [*start, "-m", "benchmarks.sharing", *work, str(TURNS), str(SECONDS)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def summary(measured, i, count):
    """Of network number `i` the times of all contenders, and what the exchange of gradients costs the last."""
    runs = {name: [results[i] for results in rounds] for name, rounds in measured.items()}
    one, last = next(iter(runs.values()))[0], list(runs.values())[-1]
    rows = []
    for name, results in runs.items():
        seconds = statistics.median(next(iter(result["seconds"].values())) for result in results)
        rows.append({"name": name, "ms": seconds * 1e3, "pairs a second": one["batch"] / seconds})
    exchange = {
        way: {what: statistics.median(result[what][way] for result in last) * 1e3 for what in ("seconds", "waiting")}
        for way in last[0]["seconds"]
    }
    during, after = (exchange[f"{way}, over a link"]["waiting"] for way in ("during", "after"))
    return {
        "network": one["network"],
        "batch": one["batch"],
        "rows": rows,
        "bytes sent": last[0]["sent"],
        "least bytes": least_bytes(one["gradients"], count),
        "exchange ms": {way: {"step": ms["seconds"], "waiting": ms["waiting"]} for way, ms in exchange.items()},
        "hidden": 1 - during / after,
    }


def show(result):
    print(f"\n{result['network']} network, batch {result['batch']}\n{'':32}{'ms a step':>10}{'pairs a second':>16}")
    for row in result["rows"]:
        print(f"{row['name']:32}{row['ms']:10.1f}{row['pairs a second']:16.0f}")
    print("the last, by when its gradients are sent, of the backward pass; of a step, waiting after that pass:")
    for way, ms in result["exchange ms"].items():
        print(f"    {way:28}{ms['step']:10.1f}{ms['waiting']:16.1f}")
    print(f"hidden of the waiting for a link of {RATE * 8 / 1e9:g} Gbit/s: {result['hidden']:.0%}")
    print(f"bytes that a process sends a step: {result['bytes sent']:,.0f}, at least {result['least bytes']:,.0f}")


if __name__ == "__main__":
    main()
