"""Write a file whole or not at all."""

import os
import tempfile
from pathlib import Path


def write(path: Path, content: str | bytes) -> None:
    """Replace the file at `path`: whoever reads it sees the old content or the new one, even if we are killed.

    Raises OSError if it can't be written.
    """
    path = Path(path)
    data = content.encode() if isinstance(content, str) else content
    handle, partial = tempfile.mkstemp(prefix=".", suffix=".partial", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def check_folder(path: Path) -> None:
    """Make the folder `path` if it is not there. Raises OSError, in one sentence, if no files can be put into it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise NotADirectoryError(f"{path} can't be made: a file is in its place; expected a folder") from None
    except OSError as error:
        raise type(error)(f"{path} can't be made: {error.strerror}") from None
    if not os.access(path, os.W_OK):
        raise PermissionError(f"{path} is read-only; expected a folder to write to")


def check_writable(path: Path) -> None:
    """Raise OSError, before the long work that fills it, if no file can be written at `path`."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; expected the name of a file to write")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path} can't be written: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path} can't be written: {path.parent} is read-only")
