"""Ways to show a Report; each is a pure function of it.

They are given what their reader may see: `Report.for_students()` where that is a student. Only Gradescope gets all,
with the visibility of each check, and does the hiding itself.
"""

import re

from ..results import Finding

UNPRINTABLE = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str) -> str:
    """Text of a submission without control characters: no terminal obeys it, and XML can hold it."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def notes(finding: Finding) -> list[str]:
    """What is to be said about a finding, a paragraph each: the message, the hint, the warnings."""
    hint = [f"→ {finding.hint}"] if finding.hint else []
    message = [finding.message] if finding.message else []
    return [printable(note) for note in (*message, *hint, *(f"note: {warning}" for warning in finding.warnings))]
