"""Working through the pictures of a call: reading, denoising, writing, and what is to be said of each."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy
from PIL import Image
from torch import Generator
from tqdm import tqdm

from data.load import DataError
from data.noise import Noise
from data.pictures import Picture, read_picture, save_picture
from Proj_2.others.container import Sequential
from training.options import UsageError

from .denoiser import denoise, needed
from .estimate import noise_level
from .grey import denoise_grey, one_colour
from .halved import brightness, denoise_halved
from .page import figure
from .sheet import cell
from .tasks import Task

LARGEST = 200_000_000  # pixels in a montage, or in a page: 600 MB
ROWS = 256  # of two pictures that are compared at a time
FAILED = "failed"


@dataclass
class Work:
    """How to do the tasks of a call, and what they leave for a montage and a page."""

    network: Sequential
    photographs: bool  # are what the network is for: the noise is estimated
    strength: float = 1.0
    corruption: Noise | None = None  # what to make noisy pictures with, of clean ones
    montage: bool = False
    page: bool = False
    rows: list[list[tuple[str, Image.Image]]] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    pixels: int = 0  # in these two
    learnt: bool = False  # noise that was learnt is there, whether the estimate sees it or not

    def do(self, tasks: list[Task]) -> int:
        """Do the tasks in turn; returns how many were come to before Ctrl-C. Raises UsageError if the montage or the
        page gets too large.
        """
        done = 0
        try:
            for done, task in enumerate(tasks):
                place = f"{done + 1}/{len(tasks)} " if len(tasks) > 1 else ""
                with _bar(place + task.source.name) as bar:
                    try:
                        self._do(task, bar)
                    except DataError as error:
                        task.outcome = FAILED
                        tqdm.write(f"error: {error}", file=sys.stderr)
                if self.pixels > LARGEST:
                    raise UsageError(
                        f"a {'montage' if self.montage else 'page'} of the first {done + 1} pictures is too large "
                        "already; name fewer"
                    )
            done = len(tasks)
        except KeyboardInterrupt:
            pass  # what is done is done, and is said
        return done

    def source(self, task: Task) -> tuple[Picture, Picture | None]:
        """The noisy picture of a task, and the clean one if there is one."""
        picture = read_picture(task.source)
        if self.corruption:
            return corrupted(picture, self.corruption, task.source)
        return picture, task.clean and read_picture(task.clean)

    def readable(self, tasks: list[Task]) -> Iterator[Picture]:
        """The noisy pictures of the tasks, one at a time. What is wrong with one is said when its turn comes; raises
        DataError if none can be read.
        """
        errors = []
        for task in tasks:
            try:
                yield self.source(task)[0]
            except DataError as error:
                errors.append(error)
        if len(errors) == len(tasks):
            raise errors[0]

    def _do(self, task, bar):
        noisy, truth = self.source(task)
        for note in noisy.notes:
            tqdm.write(f"note: {task.source}: {note}", file=sys.stderr)
        task.size = noisy.size
        if truth is not None and truth.size != noisy.size:
            raise DataError(f"{task.clean}: the clean picture is {truth.size}, but the noisy one is {noisy.size}")
        amount = self.strength
        way = None
        if self.photographs:
            task.noise, way = _estimate(noisy)
            amount *= 1.0 if self.learnt else needed(task.noise)
        bar.reset(noisy.pixels.shape[0] * noisy.pixels.shape[1] / 1e6)
        denoised = denoise(self.network, noisy, amount, lambda pixels: bar.update(pixels / 1e6), way)
        if task.out:
            save_picture(task.out, denoised)
        task.outcome = str(task.out or "done") + _said(amount, self.strength)
        titles = "noisy", "denoised"
        if truth is not None:
            task.noisy_psnr, task.denoised_psnr = psnr(noisy, truth), psnr(denoised, truth)
            titles = f"noisy  {task.noisy_psnr:.2f} dB", f"denoised  {task.denoised_psnr:.2f} dB"
        if self.montage:
            shown = [*zip(titles, (noisy, denoised), strict=True), *([("clean", truth)] if truth else [])]
            self.rows.append([cell(title, picture) for title, picture in shown])
            self.pixels += sum(image.width * image.height for _, image in self.rows[-1])
        if self.page:
            self.figures.append(figure(task.source.name, (titles[0], noisy), (titles[1], denoised)))
            self.pixels += 2 * noisy.pixels[:, :, 0].size


def _estimate(picture):
    """How strong the noise of a picture is, and in which way to ask the network for it; None where that is not known,
    and where it is asked directly.
    """
    grey = one_colour(picture)
    level = noise_level(grey or picture)
    if grey:
        return level, level and partial(denoise_grey, level=level)
    in_brightness = noise_level(brightness(picture)) if picture.halved else None
    return level, in_brightness and partial(denoise_halved, level=in_brightness)


def _said(amount, strength):
    """What to say of how much of the noise was taken away, if it is less than was asked for."""
    if amount == strength:
        return ""
    return f" (by {amount:.0%}: little noise)" if amount else " (as it was: hardly any noise)"


def corrupted(photo: Picture, noise: Noise, path: Path, seed: int = 0) -> tuple[Picture, Picture]:
    """The noisy and the clean picture that a noise makes of a photograph, rounded and clipped as files are; the same
    ones every time.
    """
    height, width = (length // noise.block * noise.block for length in photo.pixels.shape[:2])
    if not height or not width:
        raise DataError(
            f"{path}: the noise {noise.name} averages blocks of {noise.block} pixels, and this holds none"
        )
    values = photo.values(slice(height), slice(width)).round()
    made = noise.corrupt(values, Generator().manual_seed(seed)), noise.clean(values)
    pictures = [Picture(numpy.empty((*x.shape[2:], photo.pixels.shape[2]), "uint8")) for x in made]
    for picture, x in zip(pictures, made, strict=True):
        picture.put(x)
    return pictures[0], pictures[1]


def psnr(picture: Picture, truth: Picture) -> float:
    """In dB, of values of 0–255; 100 for equal pictures."""
    error, height = 0.0, len(truth.pixels)
    for start in range(0, height, ROWS):
        rows = slice(start, start + ROWS)
        a, b = (x.pixels[rows] / x.unit for x in (picture, truth))
        error += float(numpy.square(a - b).mean((1, 2)).sum()) / height
    return float(-10 * numpy.log10(max(error / 255**2, 1e-10)))


def _bar(title):
    """A progress bar in megapixels, which is shown only where someone may see it."""
    form = "{desc}: {percentage:3.0f}%|{bar}| {n:.1f}/{total:.1f} MP [{elapsed}<{remaining}]"
    return tqdm(total=1.0, desc=title, leave=False, disable=None, bar_format=form)
