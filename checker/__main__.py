"""python -m checker: take the grader to where a course grades. (Grading itself is test.py.)"""

import argparse
import sys
from pathlib import Path

from .reporters.packaging import write_github, write_gradescope


def main(arguments: list[str] | None = None) -> int:
    """Write the file that was asked for; returns 0, or 2 if that is not possible."""
    options = parser().parse_args(arguments)
    try:
        if options.platform == "gradescope":
            write_gradescope(options.out, options.data, options.config)
        else:
            write_github(options.out)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"wrote {options.out} ({options.out.stat().st_size / 1e6:.2g} MB); what to do with it: checker/README.md")
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m checker", description=__doc__)
    platforms = parser.add_subparsers(dest="platform", required=True)
    one = platforms.add_parser("gradescope", help="the autograder's zip")
    one.add_argument("out", type=Path, metavar="OUT.zip")
    one.add_argument("-d", "--data", type=Path, metavar="FOLDER",
                     help="val_data.pkl and train_data.pkl to put in; else setup.sh builds them")  # fmt: skip
    one.add_argument("--config", type=Path, metavar="TOML", help="points, visibility, limits of one's own")
    one = platforms.add_parser("github", help="the workflow file for GitHub Classroom")
    one.add_argument("out", type=Path, metavar="OUT.yml")
    return parser


if __name__ == "__main__":
    sys.exit(main())
