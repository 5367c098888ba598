#!/usr/bin/env python3
"""Remove the noise of your pictures: of a file, of several, or of every picture in a folder and below it.

    python denoise.py holiday.jpg                     # writes holiday_denoised.png
    python denoise.py pictures -o cleaned             # writes cleaned/….png
    python denoise.py noisy.png --clean clean.png --montage
    python denoise.py data/photos/animal-*.jpg --corrupt --montage -o animals.png

Results are PNG files; what you give is never overwritten. EXIF orientation is applied; transparency, grey, 16 bits
of grey and colour profiles are kept. Exit status: 0 all done, 1 some pictures failed, 2 wrong call.
"""

import argparse
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from torch import Generator
from tqdm import tqdm

from data.load import DataError
from data.noise import BLOCK, clean, corrupt
from data.pictures import SUFFIXES, Picture, read_picture, save_picture
from data.psnr import psnr
from Proj_2.model import Model

SHOWN = 320  # pixels: a montage magnifies smaller pictures by a whole number, so that their pixels can be seen
MARGIN = 10  # pixels between the pictures of a montage
LARGEST = 200_000_000  # pixels in a montage: 600 MB
FAILED = "failed"


class UsageError(Exception):
    """Something that whoever called this program can put right."""


@dataclass
class Task:
    """A picture to denoise, and what became of it."""

    source: Path
    name: Path  # where it belongs below an output folder, without suffix
    out: Path | None = None  # None in a montage
    clean: Path | None = None
    size: str = ""
    noisy_psnr: float | None = None
    denoised_psnr: float | None = None
    outcome: str = ""


def main(argv=None):
    arguments = _parser().parse_args(argv)
    try:
        tasks = _tasks(arguments)
        sheet_out = _montage_out(arguments, tasks) if arguments.montage else None
        model = _model()
        done, rows = run(tasks, model, arguments.corrupt, arguments.montage)
        if rows:
            save_picture(sheet_out, montage(rows))
    except (UsageError, DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    _table(tasks)
    if rows:
        print(f"montage: {sheet_out}")
    if done < len(tasks):
        print("\ninterrupted; the pictures above are done", file=sys.stderr)
        return 130
    failed = sum(task.outcome == FAILED for task in tasks)
    if failed:
        print(f"{failed} of {len(tasks)} failed, for the reasons above", file=sys.stderr)
    return 1 if failed else 0


def run(tasks, model, corrupted, keep):
    """Work through the tasks; returns how many were come to before Ctrl-C, and the rows of a montage if `keep`."""
    rows, pixels, done = [], 0, 0
    bar = tqdm(tasks, unit="picture", disable=None if len(tasks) > 1 else True, leave=False)
    try:
        for task in bar:
            try:
                cells = _denoise(task, model, corrupted)
            except DataError as error:
                task.outcome = FAILED
                tqdm.write(f"error: {error}", file=sys.stderr)
                cells = []
            if keep and cells:
                rows.append([_cell(title, picture) for title, picture in cells])
                pixels += sum(image.width * image.height for _, image in rows[-1])
                if pixels > LARGEST:
                    raise UsageError(f"a montage of the first {done + 1} pictures is too large already; name fewer")
            done += 1
    except KeyboardInterrupt:
        pass  # what is done is done, and is said
    finally:
        bar.close()
    return done, rows


def _denoise(task, model, corrupted):
    """Denoise one picture, write the result if the task says where; returns (title, Picture) of each to be seen."""
    noisy = read_picture(task.source)
    if noisy.frames > 1:
        tqdm.write(f"note: {task.source}: the first of its {noisy.frames} frames is used", file=sys.stderr)
    truth = None
    if corrupted:
        noisy, truth = _corrupt(noisy, task.source)
    elif task.clean:
        truth = read_picture(task.clean)
    height, width = noisy.values.shape[2:]
    task.size = f"{width}×{height}"
    if truth is not None and truth.values.shape != noisy.values.shape:
        found = "×".join(map(str, reversed(truth.values.shape[2:])))
        raise DataError(f"{task.clean}: the clean picture is {found}, but the noisy one is {task.size}")
    denoised = noisy.like(model.predict(noisy.values))
    if task.out:
        save_picture(task.out, denoised.image(), denoised.profile)
    task.outcome = str(task.out or "done")
    if truth is None:
        return [("noisy", noisy), ("denoised", denoised)]
    task.noisy_psnr = psnr(noisy.values, truth.values).item()
    task.denoised_psnr = psnr(denoised.values, truth.values).item()
    titles = f"noisy  {task.noisy_psnr:.2f} dB", f"denoised  {task.denoised_psnr:.2f} dB", "clean"
    return list(zip(titles, (noisy, denoised, truth), strict=True))


def _corrupt(photo, path):
    """The noisy and the clean picture, an eighth in size, that the course would make of a photograph."""
    height, width = (length // BLOCK * BLOCK for length in photo.values.shape[2:])
    if not height or not width:
        raise DataError(f"{path}: --corrupt averages blocks of {BLOCK}×{BLOCK}, and this holds none")
    values = photo.values[:, :, :height, :width].round()
    # The same photograph gets the same noise every time.
    return Picture(corrupt(values, Generator().manual_seed(0)), photo.mode), Picture(clean(values), photo.mode)


def _cell(title, picture):
    """A picture as a montage shows it: on white, and magnified if it is small."""
    image = Picture(picture.values, alpha=picture.alpha).image()
    if picture.alpha is not None:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    factor = max(1, SHOWN // max(image.size))
    return title, image.convert("RGB").resize([factor * length for length in image.size], Image.Resampling.NEAREST)


def montage(rows):
    """One sheet: a row for each list of (title, image), the title under its image."""
    widest = max(image.width for row in rows for _, image in row)
    font = ImageFont.load_default(max(15, widest // 20))
    line = sum(font.getmetrics()) + MARGIN // 2
    columns = list(zip_longest(*rows))  # a row may lack the clean picture
    widths = [
        max(max(image.width, round(font.getlength(title))) for title, image in filter(None, column))
        for column in columns
    ]
    heights = [max(image.height for _, image in row) + line for row in rows]
    size = sum(widths) + MARGIN * (len(widths) + 1), sum(heights) + MARGIN * (len(rows) + 1)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    y = MARGIN
    for row, height in zip(rows, heights, strict=True):
        x = MARGIN
        for (title, image), width in zip(row, widths, strict=False):
            middle, bottom = x + width // 2, y + height - line
            sheet.paste(image, (middle - image.width // 2, bottom - image.height))
            draw.text((middle, bottom + MARGIN // 2), title, "black", font, anchor="ma")
            x += width + MARGIN
        y += height + MARGIN
    return sheet


def _tasks(arguments):
    """What to denoise, and where each result goes."""
    tasks = []
    for given in arguments.input:
        if given.is_dir():
            tasks += _folder_tasks(given, arguments.out)
        elif given.exists():
            tasks.append(Task(given, Path(given.stem), given.with_name(f"{given.stem}_denoised.png")))
        else:
            raise UsageError(f"{given}: no such file or folder")
    if arguments.clean:
        for task in tasks:
            task.clean = _clean_of(task, arguments.clean, len(tasks))
    if arguments.montage:
        for task in tasks:
            task.out = None
        return tasks
    if arguments.out:
        _place(tasks, arguments.out, any(given.is_dir() for given in arguments.input))
    _tell_apart(tasks)
    for task in tasks:
        _spare_inputs(task.out, tasks)
    return tasks


def _folder_tasks(folder, out):
    """A task for each picture in a folder and below it; hidden ones and earlier results are left out."""
    tasks = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        result = out is not None and out.resolve() != folder.resolve() and out.resolve() in path.resolve().parents
        if path.suffix.lower() in SUFFIXES and path.is_file() and not hidden and not result:
            default = folder.resolve() if folder.name in ("", "..") else folder
            default = default.with_name(f"{default.name}_denoised") / name.with_suffix(".png")
            tasks.append(Task(path, name.with_suffix(""), default))
    if not tasks:
        raise UsageError(f"{folder}: no picture in it; expected files ending in {', '.join(sorted(SUFFIXES))}")
    return tasks


def _place(tasks, out, several):
    """Have the results go where `--out` says: to that file if it is one picture, and to that folder else."""
    suffix = out.suffix.lower()
    if out.is_dir() or suffix not in SUFFIXES:
        for task in tasks:
            task.out = out / task.name.with_name(f"{task.name.name}.png")
    elif suffix != ".png":
        raise UsageError(f"{out}: results are PNG files; call it {out.with_suffix('.png')}")
    elif several or len(tasks) > 1:
        raise UsageError(f"{out}: several results need a folder, not one file")
    else:
        tasks[0].out = out


def _tell_apart(tasks):
    """Name a result that would share its file with another after its whole source: a.jpg.png, a.webp.png."""
    shared = Counter(task.out for task in tasks)
    for task in tasks:
        if shared[task.out] > 1:
            task.out = task.out.with_name(f"{task.source.name}.png")
    out, count = Counter(task.out for task in tasks).most_common(1)[0]
    if count > 1:
        raise UsageError(f"{out}: {count} of the results would be written there; denoise those pictures one by one")


def _spare_inputs(out, tasks):
    """Raise UsageError if `out` is one of the files to be read, by whatever name."""
    if out.exists() and any(out.samefile(path) for task in tasks for path in (task.source, task.clean) if path):
        raise UsageError(f"{out} is one of the pictures given, and would be overwritten; choose another --out")


def _clean_of(task, given, count):
    """The clean picture of a task: the file `given`, or the file of the same name in the folder `given`."""
    if given.is_dir():
        same = [given / task.name.parent / task.source.name]
        same += sorted(path for path in same[0].parent.glob("*") if path.stem == task.source.stem)
        return next((path for path in same if path.is_file()), same[0])
    if not given.exists():
        raise UsageError(f"{given}: no such file or folder")
    if count > 1:
        raise UsageError(
            f"{given} is one clean picture for {count} noisy ones; --clean expects a folder of the same names"
        )
    return given


def _montage_out(arguments, tasks):
    """The file of the montage."""
    out, first = arguments.out, arguments.input[0]
    if out is None and len(arguments.input) == 1 and first.name not in ("", ".."):
        out = first.with_name(f"{first.name if first.is_dir() else first.stem}_montage.png")
    elif out is None:
        out = Path("montage.png")
    if out.is_dir() or out.suffix.lower() != ".png":
        raise UsageError(f"{out}: a montage is one PNG file; call it {out}.png or the like")
    _spare_inputs(out, tasks)
    return out


def _model():
    model = Model()
    try:
        model.load_pretrained_model()
    except (OSError, ValueError) as error:
        raise UsageError(error) from error
    return model


def _table(tasks):
    """Print what became of every picture, with the PSNR where it is known."""
    rated = [task for task in tasks if task.denoised_psnr is not None]
    width = max(len("picture"), *(len(str(task.source)) for task in tasks))
    scores = f"{'noisy, dB':>11}{'denoised, dB':>14}" if rated else ""
    print(f"{'picture':<{width}}{'size':>12}{scores}  result")
    for task in tasks:
        scores = f"{_decibels(task.noisy_psnr):>11}{_decibels(task.denoised_psnr):>14}" if rated else ""
        print(f"{task.source!s:<{width}}{task.size:>12}{scores}  {task.outcome or 'not done'}")
    if len(rated) > 1:
        noisy, denoised = (
            sum(getattr(task, name) for task in rated) / len(rated) for name in ("noisy_psnr", "denoised_psnr")
        )
        print(f"{f'mean of {len(rated)}':<{width}}{'':>12}{noisy:>11.2f}{denoised:>14.2f}")


def _decibels(value):
    return "" if value is None else f"{value:.2f}"


def _parser():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("input", nargs="+", type=Path, metavar="INPUT", help="a picture file, or a folder of them")
    add("-o", "--out", type=Path, metavar="OUT", help="a .png file for one picture or a montage, else a folder")
    add("--montage", action="store_true", help="write one sheet instead: noisy and denoised, and clean if known")
    truth = parser.add_mutually_exclusive_group()
    truth.add_argument("--clean", type=Path, metavar="PATH", help="the clean picture, or a folder of the same names")
    truth.add_argument(
        "--corrupt",
        action="store_true",
        help="INPUT is clean photographs: make the noisy and the clean picture, an eighth in size, of each first",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
