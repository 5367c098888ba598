"""Read a zip that somebody handed in: what it may hold is known before anything of it is written.

Only regular files with plain relative names come out, below the folder that they are meant for. Everything else is
left out and said so: links, devices, absolute names, names with "..", names that two entries share. The index is
measured before it is read, and files are counted as they are unpacked, so that neither a long index nor a zip bomb
costs more than what is accepted.
"""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

END, END_64, END_SIZE = b"PK\x05\x06", b"PK\x06\x07", 22
INDEX_CAP = 4 << 20  # bytes
CHUNK = 1 << 16
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    MemoryError,
)


class BadArchive(Exception):
    """What is wrong with a zip file, in one sentence."""


def members(path: Path) -> tuple[dict[PurePosixPath, zipfile.ZipInfo], list[str]]:
    """The regular files of a zip by name, and what is left out, as sentences. Raises BadArchive."""
    try:
        _measure(path)
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except DAMAGED as error:
        raise BadArchive(f"a zip file that can't be read ({error})") from error
    found, left_out = {}, []
    for entry in entries:
        name = PurePosixPath(entry.filename)
        problem = _problem(entry, name)
        if problem or name in found:
            left_out.append(f"{entry.filename[:80]!a} {problem or 'is there twice: the first one counts'}")
        elif not entry.is_dir():
            found[name] = entry
    return found, left_out


def _measure(path: Path) -> None:
    """Refuse an index that is too long before it is read: a few MB of it can become a GB of objects."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - END_SIZE - (1 << 16)))
        tail = file.read()
    place = (
        len(tail) - END_SIZE if tail[-END_SIZE : -END_SIZE + 4] == END and tail[-2:] == b"\0\0" else tail.rfind(END)
    )
    if place < 0 or len(tail) < place + END_SIZE:
        raise zipfile.BadZipFile("it is damaged, or no zip file")
    (index,) = struct.unpack_from("<I", tail, place + 12)
    if index > INDEX_CAP or END_64 in tail[max(0, place - 20) : place]:
        raise zipfile.BadZipFile("far too many files")


def _problem(entry: zipfile.ZipInfo, name: PurePosixPath) -> str | None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if name.is_absolute() or ".." in name.parts or "\\" in entry.filename or ":" in entry.filename or not name.parts:
        return "leads out of the folder: not used"
    if kind and not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        return "is a link or no regular file: not used"
    if entry.flag_bits & 1:
        return "is encrypted: not used"
    return None


def contents(path: Path, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of one file of a zip, in pieces. Raises BadArchive."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(entry) as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except DAMAGED as error:
        raise BadArchive(f"{entry.filename[:80]!a} can't be unpacked ({error})") from error
