"""What the tests of both documents share: whether there is TeX, and the search for results that were typed."""

import os
import re
import shutil

import pytest

from report.build import TEX_NEEDED

UNITS = r"\\dB|~?\s*dB|\\,dB|(?:\\,)?\s*\\%|\s*times\b|\s*ms\b|~?\s*seconds?\b|~s\b|\\,s\b|\s*GFLOP|\s*minutes?\b"


def needs_tex():
    """Skip the test if there is no TeX, unless it is one that must run."""
    if not shutil.which("latexmk") and not os.environ.get("REPORT_NEEDS_TEX"):
        pytest.skip(TEX_NEEDED)


def typed_results(text, constants, with_units):
    """The numbers of a LaTeX text that are none of `constants`, or have a unit behind them: a number with it that may
    be there all the same is one of `with_units`.
    """
    text = re.sub(r"(?<!\\)%.*", "", text).split(r"\begin{document}")[1].split(r"\begin{thebibliography}")[0]
    text = re.sub(r"\\(result|input|includegraphics|cite|ref|eqref|label|begin|end)(\[[^]]*\])?\{[^}]*\}", " ", text)
    text = re.sub(r"\[[-\d.]+pt\]|\{[\d.]+(pt|\\columnwidth)\}", " ", text)
    found = []
    for match in re.finditer(r"\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?", text):
        with_unit = re.match(rf"\$?(?:{UNITS})", text[match.end() :])
        phrase = " ".join((match[0] + with_unit[0]).split()) if with_unit else match[0]
        if match[0] not in constants or (with_unit and phrase not in with_units):
            found.append(phrase)
    return found
