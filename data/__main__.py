"""`python -m data build`: make the training and validation pairs of photographs."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from .build import HERE, TRAIN_FILE, VAL_FILE, build
from .load import DataError


def main() -> int:
    arguments = vars(_parser().parse_args())
    del arguments["command"]
    try:
        record = build(**arguments, say=lambda line: tqdm.write(line, file=sys.stderr))
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; no file was left incomplete", file=sys.stderr)
        return 130
    print(f"\n{'file':<16}{'pairs':>8}{'photographs':>14}{'noise, dB':>12}")
    for name in (TRAIN_FILE, VAL_FILE):
        made = record[name]
        print(f"{name:<16}{made['pairs']:>8}{len(made['photos']):>14}{made['noise_psnr']:>12.2f}")
    print(f"written to {arguments['out']}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m data", description=__doc__)
    command = parser.add_subparsers(dest="command", required=True).add_parser(
        "build",
        help="photographs → train_data.pkl, val_data.pkl",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = command.add_argument
    add(
        "--photos",
        nargs="+",
        default=[HERE / "photos"],
        type=Path,
        metavar="DIR",
        help="folders of photographs",
    )
    add("--train-pairs", default=50_000, type=int, metavar="N", help="pairs of two noisy versions")
    add("--val-pairs", default=1_000, type=int, metavar="N", help="pairs of a noisy and a clean version")
    add(
        "--val-list",
        type=Path,
        metavar="FILE",
        help="file names, one a line, of the photographs that validate",
    )
    add("--seed", default=0, type=int, metavar="N", help="the same seed gives the same bytes")
    add("--out", default=HERE, type=Path, metavar="DIR", help="folder of the two files")
    return parser


if __name__ == "__main__":
    sys.exit(main())
