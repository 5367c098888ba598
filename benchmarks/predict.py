"""The time to denoise 10,000 pictures.

python -m benchmarks.predict [--network NAME ...] [--pictures N]
"""

import argparse

from Proj_2.others.networks import NETWORKS

from .contenders import our_prediction, torch_prediction
from .timing import take_turns, write


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", nargs="+", choices=NETWORKS, default=["paper", "large"])
    parser.add_argument("--pictures", type=int, default=10_000)
    arguments = parser.parse_args()
    results = []
    for network in arguments.network:
        times = take_turns(
            {
                "ours": our_prediction(network, arguments.pictures),
                "ours, bfloat16 products": our_prediction(network, arguments.pictures, mixed=True),
                "torch": torch_prediction(network, arguments.pictures),
                "torch, channels_last": torch_prediction(network, arguments.pictures, channels_last=True),
            },
            blocks=5,
        )
        print(f"\n{network} network, {arguments.pictures} pictures\n{'':40}{'ms':>9}{'ours faster by':>16}")
        for name, seconds in times.items():
            print(f"{name:40}{seconds * 1e3:9.1f}{seconds / times['ours']:16.2f}")
        results.append({"network": network, "pictures": arguments.pictures, "seconds": times})
    write("predict", {"results": results})


if __name__ == "__main__":
    main()
