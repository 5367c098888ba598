"""`python -m report`: run the experiments, build the document of their results, or both."""

import argparse
import sys
from pathlib import Path

from data.build import HERE
from data.load import DataError
from data.parallel import cores

from .experiments.catalogue import EXPERIMENTS
from .experiments.schedule import execute
from .experiments.store import RESULTS, StoreError

# As documents.py and restored.py have them, which need more than the experiments do.
DOCUMENTS = ("report", "supplement")
WEIGHTS = ("gaussian5-50", "poisson30", "unet_course")


def main(argv=None):
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command in ("measure", "keep"):
            return _on_weights(arguments)
        if arguments.command in ("run", "all"):
            status = _run(arguments)
            if status or arguments.command == "run":
                return status
        return _build(getattr(arguments, "document", None))
    except KeyboardInterrupt:
        print("\ninterrupted; what was done is kept: go on with the same command", file=sys.stderr)
        return 130


def _run(arguments):
    names = getattr(arguments, "names", None) or list(EXPERIMENTS)
    unknown = [name for name in names if name not in EXPERIMENTS]
    if unknown:
        print(
            f"error: there is no experiment {', '.join(unknown)}; expected names out of: {', '.join(EXPERIMENTS)}",
            file=sys.stderr,
        )
        return 2
    quick = getattr(arguments, "quick", False)
    out = arguments.out / "quick" if quick else arguments.out
    try:
        execute(names, arguments.data, out, quick, arguments.again, arguments.jobs)
    except (DataError, StoreError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"\nresults: {out}")
    return 0


def _on_weights(arguments):
    from .kept import keep
    from .restored import measure

    try:
        if arguments.command == "measure":
            return measure(arguments.again)
        keep(arguments.run, arguments.name)
        return 0
    except (DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _build(name):
    """Make one document, or all of them."""
    from .build import BuildError, build  # its own needs, matplotlib for one, are none of the experiments'
    from .documents import DOCUMENTS

    try:
        for document in [DOCUMENTS[name]] if name else DOCUMENTS.values():
            print(f"written to {build(document)}")
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _parser():
    parser = argparse.ArgumentParser(prog="python -m report", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run experiments; those that are done already are skipped")
    run.add_argument("names", nargs="*", metavar="NAME", help=f"which; all without it: {', '.join(EXPERIMENTS)}")
    run.add_argument("--quick", action="store_true", help="a few steps of each, in OUT/quick: shows that it works")
    keeping = commands.add_parser("keep", help="take over the best weights of a run of train.py into weights/")
    keeping.add_argument("run", type=Path, metavar="RUN", help="folder of the run")
    keeping.add_argument("name", choices=WEIGHTS, help="of the weights: what they are for")
    measuring = commands.add_parser(
        "measure", help="measure the U-Nets' weights on the pictures in the folder that N2N_BENCHMARKS names"
    )
    measuring.add_argument("--again", action="store_true", help="measure again what is measured already")
    building = commands.add_parser("build", help="make the PDFs of the results that are there")
    building.add_argument("document", nargs="?", choices=DOCUMENTS, help="only this one")
    both = commands.add_parser("all", help="run every experiment, then make the PDFs")
    for command in (run, both):
        add = command.add_argument
        add("--again", action="store_true", help="do what is done already again")
        add("--jobs", type=_jobs, default=cores(), metavar="N", help="processes of one thread (%(default)s)")
        add("--data", type=Path, default=HERE, metavar="DIR", help="folder of the pairs (data)")
        add("--out", type=Path, default=RESULTS, metavar="DIR", help="folder of the results (report/results)")
    return parser


def _jobs(text):
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to 1024, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
