"""The submission's own lines, to show the one that a message names."""

import re
from pathlib import Path

PLACE = re.compile(r"\(([^()\n]+\.py):(\d+)(?:, in [^()\n]+)?\)")  # as the submission's process names a line
LARGEST, MOST_FILES, LONGEST = 1 << 20, 300, 160  # bytes of a file; files; characters of a line


def sources(folder: Path) -> dict[str, list[str]]:
    """The lines of the Python files below `folder` by their relative name. Read before the submission runs, which
    could put anything in their place.
    """
    files = [path for path in sorted(folder.rglob("*.py")) if path.is_file() and not path.is_symlink()]
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8", errors="replace").splitlines()
        for path in files[:MOST_FILES]
        if path.stat().st_size <= LARGEST
    }


def line(message: str, sources: dict[str, list[str]]) -> str:
    """The line that a message names last, as in "(Proj_2/model.py:12, in forward)"; empty if it names none."""
    for file, number in reversed(PLACE.findall(message)):
        lines = sources.get(file, [])
        if 0 < int(number) <= len(lines):
            return lines[int(number) - 1].strip()[:LONGEST]
    return ""
