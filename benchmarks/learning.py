"""What `denoise.py --learn` gains: on every picture of a folder, with a noise on it, the PSNR that the blind network
reaches, and that of the network that has learnt from this one noisy picture.

python -m benchmarks.learning FOLDER --noise impulse:0.1 [--every N] [--steps N] [--weights FILE] [--name NAME]

The noisy picture is rounded and clipped to 8 bits, as `denoise.py` gets it; so is the denoised one. A picture's place
in the folder's order seeds its noise. Every picture begins with the blind network again.
"""

import argparse
import sys
import time
from pathlib import Path
from statistics import fmean

import torch
from tqdm import tqdm

from data.load import DataError
from data.noise import noise
from data.pictures import read_picture
from data.windows import find_photos
from denoising.denoiser import WEIGHTS, denoise, photo_network
from denoising.judge import KNOWN
from denoising.learning import STEPS, cut_windows, learn
from denoising.work import corrupted, psnr
from training.options import UsageError

from .timing import write

MEASURES = ("noisy", "blind", "learnt")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="clean photographs, the name of the data set")
    parser.add_argument("--noise", required=True, metavar="NAME[:VALUES]", help="what is laid over them")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="to begin with (those of denoise.py)")
    parser.add_argument("--every", type=_count, default=1, metavar="N", help="only every Nth picture, from the first")
    parser.add_argument("--steps", type=_count, metavar="N", default=STEPS, help="of learning (%(default)s)")
    parser.add_argument("--name", help="of the file in benchmarks/results (learning_FOLDER_NOISE)")
    arguments = parser.parse_args(argv)
    try:
        with torch.no_grad():
            pictures = measure(arguments, find_photos([arguments.folder])[:: arguments.every])
    except (DataError, UsageError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130
    mean = {name: fmean(picture[name] for picture in pictures) for name in (*MEASURES, "gain", "seconds")}
    worst = min(picture["gain"] for picture in pictures)
    print(
        f"mean of {len(pictures)}: {mean['gain']:+.2f} dB, at worst {worst:+.2f}, {mean['seconds']:.0f} s a picture"
    )
    folder, weights = arguments.folder.resolve().name, arguments.weights or WEIGHTS
    write(
        arguments.name or f"learning_{folder}_{arguments.noise.replace(':', '')}",
        {
            "folder": folder,
            "noise": arguments.noise,
            "weights": f"{weights.parent.name}/{weights.name}",
            "steps": arguments.steps,
            "every": arguments.every,
            "mean": mean,
            "worst": worst,
            "pictures": pictures,
        },
    )
    return 0


def _count(text):
    """A whole number from 1."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, not {text}")
    return int(text)


def measure(arguments, paths):
    """The figures of every photograph, a dictionary each, printed as they come."""
    kept, figures = noise(arguments.noise), []
    for number, path in enumerate(paths):
        noisy, clean = corrupted(read_picture(path), kept, path, number)
        network = photo_network(arguments.weights)
        blind = denoise(network, noisy)
        start = time.perf_counter()
        with tqdm(total=arguments.steps, desc=path.name, unit="step", leave=False, disable=None) as bar:
            learnt = learn(network, cut_windows([noisy]), arguments.steps, lambda _, bar=bar: bar.update())
        seconds = time.perf_counter() - start
        after = denoise(network, noisy) if learnt.best else blind
        scores = {name: psnr(picture, clean) for name, picture in zip(MEASURES, (noisy, blind, after), strict=True)}
        figures.append(
            {
                "picture": path.name,
                **scores,
                "gain": scores["learnt"] - scores["blind"],
                "step": learnt.best,
                "known": learnt.reason == KNOWN,
                "seconds": seconds,
            }
        )
        shown = "  ".join(f"{name} {score:.2f}" for name, score in scores.items())
        how = learnt.reason or f"step {learnt.best}"
        print(f"{path.name}: {shown} dB  ({how}, {seconds:.0f} s)", flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
