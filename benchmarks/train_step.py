"""The time of a training step: scaling the pictures, forward, loss, backward and Adam.

python -m benchmarks.train_step [--network NAME ...] [--batch N ...] [--rounds N] [--name NAME]

Steps in bfloat16, ours and torch's, are left out on a processor that does not multiply such numbers in hardware.
"""

import argparse

import torch

from Proj_2.others.networks import NETWORKS
from Proj_2.others.precision import has_fast_bfloat16

from .contenders import DEVICE, our_step, side, textbook_step, torch_step
from .timing import peak_memory, product_rate, take_turns, write
from .twin import operations

ASSIGNED = ["paper", "large"]
OURS = {"ours": {}, "ours, bfloat16 products": {"mixed": True}}
TORCH = {
    "torch eager": {},
    "torch eager, channels_last": {"channels_last": True},
    "torch.compile": {"compiled": True},
    "torch.compile, channels_last": {"compiled": True, "channels_last": True},
}
AUTOCAST = {
    "torch autocast, channels_last": {"mixed": True, "channels_last": True},
    "torch.compile autocast, channels_last": {"mixed": True, "compiled": True, "channels_last": True},
}


def contenders(network, batch):
    """All of the steps by name. The textbook's, which knows the assignment's modules only, is left out on a GPU."""
    steps = {name: our_step(network, batch, **options) for name, options in OURS.items()}
    steps |= {name: torch_step(network, batch, **options) for name, options in (TORCH | AUTOCAST).items()}
    if DEVICE == "cpu" and not has_fast_bfloat16():
        steps = {name: step for name, step in steps.items() if not _is_bfloat16(name)}
    if DEVICE == "cpu" and network in ASSIGNED:
        steps["textbook im2col"] = textbook_step(network, batch)
    return steps


def _is_bfloat16(name):
    return "bfloat16" in name or "autocast" in name


def measure(network, batch, rounds):
    """The table's rows for one network and batch size."""
    torch.compiler.reset()  # or it gives up compiling after eight variants, without a failure
    times = take_turns(contenders(network, batch), rounds)
    work = operations(NETWORKS[network](), batch, side(network))[0]
    rates = {False: product_rate(torch.empty(0)), True: product_rate(torch.empty(0, dtype=torch.bfloat16))}
    rows = []
    for name, seconds in times.items():
        floor = work / rates[_is_bfloat16(name)]
        rows.append(
            {
                "name": name,
                "ms": seconds * 1e3,
                "ours is faster by": seconds / times["ours"],
                "share": floor / seconds,
            }
        )
    return {"network": network, "batch": batch, "gflop": work / 1e9, "rates": list(rates.values()), "rows": rows}


def show(result, memory):
    """Print the table of one network and batch size."""
    rate, half = (value / 1e9 for value in result["rates"])
    print(
        f"\n{result['network']} network, batch {result['batch']}: {result['gflop']:.1f} GFLOP of direct products "
        f"a step; this machine does {rate:.0f} GFLOP/s in float32 and {half:.0f} in bfloat16"
    )
    print(f"{'':40}{'ms':>9}{'ours faster by':>16}{'share of rate':>15}{'peak MB':>9}")
    for row in result["rows"]:
        peak = f"{memory[row['name']] / 1e6:9.0f}" if row["name"] in memory else ""
        print(f"{row['name']:40}{row['ms']:9.2f}{row['ours is faster by']:16.2f}{row['share']:15.0%}{peak}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", nargs="+", choices=NETWORKS, default=ASSIGNED)
    parser.add_argument("--batch", nargs="+", type=int, default=[8, 100, 1000])
    parser.add_argument("--rounds", type=int, default=10, help="turns that each contender gets (%(default)s)")
    parser.add_argument("--name", default="train_step", help="of the file in benchmarks/results (%(default)s)")
    arguments = parser.parse_args()
    results = []
    for network in arguments.network:
        for batch in arguments.batch:
            result = measure(network, batch, arguments.rounds)
            memory = {}
            if DEVICE == "cpu":
                for name in ("ours", "torch eager", "torch eager, channels_last"):
                    memory[name] = peak_memory("benchmarks.memory", network, batch, name)
            show(result, memory)
            results.append(result | {"peak bytes": memory})
    write(arguments.name, {"results": results})


if __name__ == "__main__":
    main()
