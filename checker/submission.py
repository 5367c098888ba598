"""Find what was handed in, describe it, and take the copy that is graded."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

NAMES = ("proj_2", "miniproject_2")


class TooLarge(Exception):
    """The submission is larger than what is accepted."""


@dataclass(frozen=True)
class Submission:
    """A folder that was handed in: `folder` is the package to grade, None if there is none."""

    given: Path
    folder: Path | None
    found: tuple[str, ...] = ()  # what is there instead

    @property
    def package(self) -> str:
        return self.folder.name


def find(given: Path) -> Submission:
    """The package in `given`: the folder Proj_2 or Miniproject_2 (any case) in it, or `given` itself.

    Raises FileNotFoundError or NotADirectoryError if `given` is no folder.
    """
    if not given.exists():
        raise FileNotFoundError(f"{given}: there is no such folder")
    if not given.is_dir():
        raise NotADirectoryError(f"{given} is a file; expected the folder that holds Proj_2, or Proj_2 itself")
    inside = sorted(p for p in given.iterdir() if p.is_dir() and not p.is_symlink())
    named = {p.name.lower(): p for p in reversed(inside)}
    itself = given.resolve()
    for name in NAMES:
        if name in named:
            return Submission(given, named[name])
    if itself.name.lower() in NAMES or (itself / "model.py").is_file():
        return Submission(given, itself)
    return Submission(given, None, tuple(sorted(p.name for p in given.iterdir()))[:10])


def snapshot(submission: Submission, target: Path, cap_mb: int) -> list[str]:
    """Copy the package into `target`, regular files only; returns what was left out, as sentences.

    Links are not followed: what they point at was not handed in. Raises TooLarge if it is larger than `cap_mb`.
    """
    left_out, size = [], 0
    for path, folders, files in os.walk(submission.folder):
        place = target / submission.package / Path(path).relative_to(submission.folder)
        place.mkdir(parents=True, exist_ok=True)
        folders[:] = [name for name in folders if name not in ("__pycache__", ".git")]
        for name in [*folders, *files]:
            source = Path(path, name)
            if source.is_symlink() or not (source.is_file() or source.is_dir()):
                left_out.append(f"{source.relative_to(submission.folder)} is a link or no regular file: not used")
            elif source.is_file():
                size += source.stat().st_size
                if size > cap_mb << 20:
                    raise TooLarge(f"{submission.package} is larger than {cap_mb} MB")
                shutil.copyfile(source, place / name)
    return left_out
