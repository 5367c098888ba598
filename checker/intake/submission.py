"""Find what was handed in, a folder or a zip, describe it, and take the copy that is graded."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from . import archive

NAMES = ("proj_2", "miniproject_2")
NOT_COPIED = ("__pycache__", ".git", "__MACOSX")
MOST_FILES = 5000
SOURCE_CAP = 1 << 20  # bytes of Python in all: the grader reads it, and needs a hundred times as much memory for that
CHUNK = 1 << 20


class TooLarge(Exception):
    """The submission is larger than what is accepted."""


@dataclass(frozen=True)
class Submission:
    """What was handed in: `folder` is the package to grade, None if there is none.

    In a zip, `folder` is its name below that of the zip, and `inside` its name within.
    """

    given: Path
    folder: Path | None
    found: tuple[str, ...] = ()  # what is there instead
    inside: PurePosixPath | None = None

    @property
    def package(self) -> str:
        return self.folder.name


def find(given: Path) -> Submission:
    """The package in `given`: the folder Proj_2 or Miniproject_2 (any case) in it, or `given` itself.

    `given` may be a zip, in which the package may also lie one folder deeper. Raises FileNotFoundError or
    NotADirectoryError if it is neither folder nor zip.
    """
    if not given.exists():
        raise FileNotFoundError(f"{given}: there is no such folder")
    if given.is_file() and given.suffix.lower() == ".zip":
        return find_in_zip(given)
    if not given.is_dir():
        raise NotADirectoryError(f"{given} is a file; expected the folder that holds Proj_2, Proj_2 itself, or a zip")
    inside = sorted(p for p in given.iterdir() if p.is_dir() and not p.is_symlink())
    named = {p.name.lower(): p for p in reversed(inside)}
    itself = given.resolve()
    for name in NAMES:
        if name in named:
            return Submission(given, named[name])
    if itself.name.lower() in NAMES or (itself / "model.py").is_file():
        return Submission(given, itself)
    return Submission(given, None, tuple(sorted(p.name for p in given.iterdir()))[:10])


def find_one(path: Path) -> Submission:
    """As `find`, for one of a class; also in the one zip of a folder, as some platforms hand them out."""
    found = find(path)
    zips = [p for p in path.iterdir() if p.suffix.lower() == ".zip"] if path.is_dir() else []
    return find(zips[0]) if found.folder is None and len(zips) == 1 else found


def find_in_zip(given: Path) -> Submission:
    try:
        files, _ = archive.members(given)
    except archive.BadArchive as problem:
        return Submission(given, None, (str(problem),))
    files = [file for file in files if file.parts[0] not in NOT_COPIED]
    folders = {PurePosixPath(*file.parts[:depth]) for file in files for depth in (1, 2) if len(file.parts) > depth}
    for name in NAMES:
        named = sorted((f for f in folders if f.name.lower() == name), key=lambda f: (len(f.parts), f))
        if named:
            return Submission(given, given / named[0], inside=named[0])
    return Submission(given, None, tuple(sorted({file.parts[0] for file in files}))[:10])


def snapshot(submission: Submission, target: Path, cap_mb: int) -> list[str]:
    """Copy the package into `target`, regular files only; returns what was left out, as sentences.

    Links are not followed: what they point at was not handed in. Raises TooLarge if it is larger than `cap_mb`.
    """
    left_out: list[str] = []
    files = files_of_zip(submission, left_out) if submission.inside else files_of_folder(submission, left_out)
    package, size, source = target / submission.package, 0, 0
    package.mkdir(parents=True)
    for count, (name, pieces) in enumerate(files):
        if count == MOST_FILES:
            raise TooLarge(f"{submission.package} holds more than {MOST_FILES} files")
        place = package / name
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with open(place, "xb") as copy:
                for piece in pieces:
                    size += len(piece)
                    source += len(piece) * (place.suffix == ".py")
                    if size > cap_mb << 20:
                        raise TooLarge(f"{submission.package} is larger than {cap_mb} MB")
                    if source > SOURCE_CAP:
                        raise TooLarge(f"{submission.package} holds more than {SOURCE_CAP >> 20} MB of Python source")
                    copy.write(piece)
        except archive.BadArchive as problem:
            place.unlink()
            left_out.append(f"{problem}: not used")
        except OSError as error:  # a name that is too long, or that of a folder; a file that can't be read
            left_out.append(f"{str(name)[:80]!a} can't be copied ({error.strerror}): not used")
    return left_out


Pieces = Iterator[bytes]


def source(submission: Submission) -> str:
    """The text of its Python files, one after another, each under its name; no more of it than is accepted.

    Every line ends with "\\n", however its file has it.
    """
    if submission.folder is None:
        return ""
    parts, size = [], 0
    for name, pieces in files_of_zip(submission, []) if submission.inside else files_of_folder(submission, []):
        if name.suffix != ".py" or size > SOURCE_CAP:
            continue
        parts.append(f"# {str(name)!a}\n".encode())
        with contextlib.suppress(archive.BadArchive, OSError):
            for piece in pieces:
                size += len(piece)
                parts.append(piece)
                if size > SOURCE_CAP:
                    break
        parts.append(b"\n")
    return "\n".join(b"".join(parts).decode(errors="replace").splitlines())


def files_of_folder(submission: Submission, left_out: list[str]) -> Iterator[tuple[PurePosixPath, Pieces]]:
    """(name within the package, its bytes) for every regular file of a folder."""
    for path, folders, files in os.walk(submission.folder):
        folders[:] = sorted(name for name in folders if name not in NOT_COPIED)
        for name in [*folders, *sorted(files)]:
            file = Path(path, name)
            if file.is_symlink() or not (file.is_file() or file.is_dir()):
                left_out.append(f"{file.relative_to(submission.folder)} is a link or no regular file: not used")
            elif file.is_file():
                yield PurePosixPath(file.relative_to(submission.folder)), pieces_of(file)


def pieces_of(file: Path) -> Pieces:
    with open(file, "rb") as content:
        while chunk := content.read(CHUNK):
            yield chunk


def files_of_zip(submission: Submission, left_out: list[str]) -> Iterator[tuple[PurePosixPath, Pieces]]:
    """(name within the package, its bytes) for every usable file of a zip."""
    files, problems = archive.members(submission.given)
    left_out += problems
    for name, entry in files.items():
        if name.is_relative_to(submission.inside) and not set(name.parts) & set(NOT_COPIED):
            yield name.relative_to(submission.inside), archive.contents(submission.given, entry)
