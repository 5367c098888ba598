#!/usr/bin/env python3
"""Remove the noise of your pictures: of a file, of several, or of every picture in a folder and below it.

    python denoise.py holiday.jpg                     # writes holiday_denoised.png
    python denoise.py pictures -o cleaned             # writes cleaned/….png
    python denoise.py holiday.jpg --html look.html    # and a page with a slider over before and after
    python denoise.py holiday.jpg --learn             # learns this picture's own noise first: minutes
    python denoise.py noisy.png --clean clean.png --montage
    python denoise.py photo.jpg --corrupt gaussian:25 --html look.html

How strong the noise is, is estimated: a picture with hardly any is left as it is. Results are PNG files; what you
give is never overwritten. EXIF orientation is applied; size, transparency, grey, 16 bits a colour, colour profile
and EXIF are kept. Exit status: 0 all done, 1 some pictures failed, 2 wrong call.
"""

import argparse
import sys
from pathlib import Path

import torch
from tqdm import tqdm

from data.load import DataError
from data.noise import noise
from data.pictures import save_image, write_text
from denoising.denoiser import course_network, photo_network
from denoising.learning import STEPS, cut_windows, learn
from denoising.page import page
from denoising.sheet import montage
from denoising.tasks import montage_out, page_out, tasks_of
from denoising.work import FAILED, Work
from training.options import UsageError


def main(argv=None):
    arguments = _parser().parse_args(argv)
    try:
        with torch.no_grad():
            return run(arguments)
    except (UsageError, DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted; nothing was written", file=sys.stderr)
        return 130


def run(arguments):
    """Do what the call says; returns the exit status."""
    course = _is_course(arguments)
    tasks = tasks_of(arguments)
    sheet = montage_out(arguments, tasks) if arguments.montage else None
    look = page_out(arguments.html, tasks) if arguments.html else None
    network = course_network() if course else photo_network(arguments.weights)
    corruption = arguments.corrupt and noise(arguments.corrupt)
    work = Work(network, not course, arguments.strength, corruption, bool(sheet), bool(look))
    if arguments.learn:
        _learn(work, tasks)
    done = work.do(tasks)
    _table(tasks)
    if work.rows:
        save_image(sheet, montage(work.rows))
        print(f"montage: {sheet}")
    if work.figures:
        write_text(look, page(work.figures))
        print(f"page: {look}")
    if done < len(tasks):
        print("\ninterrupted; the pictures above are done", file=sys.stderr)
        return 130
    failed = sum(task.outcome == FAILED for task in tasks)
    if failed:
        print(f"{failed} of {len(tasks)} failed, for the reasons above", file=sys.stderr)
    return 1 if failed else 0


def _is_course(arguments):
    """Whether the pictures are the course's, said or made so. Raises UsageError if the options do not go together."""
    made_so = arguments.corrupt is not None and noise(arguments.corrupt).name == "course"
    course = arguments.noise == "course" or (arguments.noise is None and made_so)
    for given, name in ((arguments.weights, "--weights"), (arguments.learn, "--learn")):
        if course and given:
            raise UsageError(f"{name} is about photographs; leave it out, or say --noise photo")
    if arguments.learn and not arguments.strength:
        raise UsageError(
            "--strength 0 leaves the pictures as they are, so there is nothing to --learn for; leave one out"
        )
    return course


def _learn(work, tasks):
    """Have the network learn the noise of the pictures."""
    with tqdm(total=STEPS, desc="learning", unit="step", leave=False, disable=None) as bar:

        def progress(learnt):
            bar.set_postfix_str(_gain(learnt), refresh=False)
            bar.update()

        learnt = learn(work.network, cut_windows(work.readable(tasks)), STEPS, progress)
    print(
        f"nothing to learn: {learnt.reason}" if learnt.reason else f"learnt in {learnt.steps} steps: {_gain(learnt)}"
    )
    if learnt.best:
        work.learnt = True


def _gain(learnt):
    if not learnt.best:
        return "nothing gained, the network is as it was"
    return f"hidden pixels are met {learnt.gain:.1%} better (step {learnt.best})"


def _table(tasks):
    """Print what became of every picture, with the noise found in it, and the PSNR where it is known."""
    estimated = any(task.noise is not None for task in tasks)
    rated = [task for task in tasks if task.denoised_psnr is not None]
    width = max(len("picture"), *(len(str(task.source)) for task in tasks))

    def columns(level, noisy, denoised):
        scores = f"{noisy:>11}{denoised:>14}" if rated else ""
        return (f"{level:>9}" if estimated else "") + scores

    print(f"{'picture':<{width}}{'size':>12}{columns('noise σ', 'noisy, dB', 'denoised, dB')}  result")
    for task in tasks:
        numbers = columns(_number(task.noise, 1), _number(task.noisy_psnr, 2), _number(task.denoised_psnr, 2))
        print(f"{task.source!s:<{width}}{task.size:>12}{numbers}  {task.outcome or 'not done'}")
    if len(rated) > 1:
        means = (
            sum(scores) / len(rated) for scores in zip(*((t.noisy_psnr, t.denoised_psnr) for t in rated), strict=True)
        )
        print(f"{f'mean of {len(rated)}':<{width}}{'':>12}{columns('', *(_number(mean, 2) for mean in means))}")


def _number(value, digits):
    return "" if value is None else f"{value:.{digits}f}"


def _part(text):
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 (nothing) to 1 (all), not {text}")
    return value


def _path(text):
    if not text:  # pathlib takes it for the folder where one is: all in it would be denoised
        raise argparse.ArgumentTypeError("expected the name of a file or a folder, not an empty one")
    return Path(text)


def _parser():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("input", nargs="+", type=_path, metavar="INPUT", help="a picture file, or a folder of them")
    add("-o", "--out", type=_path, metavar="OUT", help="a .png file for one picture or a montage, else a folder")
    add("--noise", choices=("photo", "course"), help="of photographs (default), or of the course's small pictures")
    add("--strength", type=_part, default=1.0, metavar="0…1", help="how much of the noise to take away (%(default)g)")
    add("--learn", action="store_true", help="learn from INPUT first; Ctrl-C ends it and keeps the best so far")
    add(
        "--weights", type=_path, metavar="FILE", help="of a U-Net that train.py has trained, instead of those shipped"
    )
    add("--html", type=_path, metavar="FILE", help="also write a page with a slider over before and after")
    add("--montage", action="store_true", help="write one sheet instead: noisy and denoised, and clean if known")
    truth = parser.add_mutually_exclusive_group()
    truth.add_argument("--clean", type=_path, metavar="PATH", help="the clean picture, or a folder of the same names")
    truth.add_argument(
        "--corrupt",
        metavar="NAME[:VALUES]",
        help="INPUT is clean photographs: lay this noise on them first (course: makes them an eighth in size)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
