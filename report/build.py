"""From the results to the PDF: numbers, tables and figures are written for LaTeX to read; latexmk sets the text."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from data.files import replacing

from .claims import FalseClaim, check_claims
from .figures import FIGURES, draw
from .measured import Measured, MissingResult
from .numbers import numbers
from .tables import TABLES

HERE = Path(__file__).parent
TEXT = HERE / "report.tex"
GENERATED = HERE / "generated"
COPIES = HERE / "report.pdf", HERE.parent / "Proj_2" / "Report_2.pdf"
MOST_PAGES = 3  # that the course allows
TEX_NEEDED = (
    "the PDF needs latexmk and LaTeX: on Debian or Ubuntu `apt-get install latexmk texlive-publishers "
    "texlive-fonts-recommended`, on macOS `brew install --cask mactex-no-gui`, on Windows "
    "`winget install MiKTeX.MiKTeX` and `winget install StrawberryPerl.StrawberryPerl`"
)


class BuildError(Exception):
    """Why there is no PDF, in one sentence with the way out."""


def build() -> Path:
    """Make `report.pdf`, and the copy of it that is handed in. Raises BuildError."""
    pdf = make(GENERATED)
    for copy in COPIES:
        with replacing(copy) as partial:
            shutil.copyfile(pdf, partial)
    return COPIES[0]


def make(folder: Path, text: Path = TEXT, measured: Measured | None = None) -> Path:
    """Make the PDF of `text` in `folder`, together with everything that it reads. Raises BuildError."""
    if not shutil.which("latexmk"):
        raise BuildError(TEX_NEEDED)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        generate(folder, text, measured or Measured())
    except (MissingResult, FalseClaim) as error:
        raise BuildError(str(error)) from error
    pdf = _latex(folder, text)
    pages = int(re.search(r"Output written on .*?\((\d+) page", _log(pdf), re.DOTALL)[1])
    if pages > MOST_PAGES:
        raise BuildError(f"{text} makes {pages} pages, and the course allows {MOST_PAGES}: shorten it")
    return pdf


def generate(folder: Path, text: Path, measured: Measured) -> None:
    """Write what `text` reads: numbers.tex, and a file for each table and figure."""
    known = numbers(measured)
    _check_numbers(text, known)
    check_claims(measured)
    lines = [f"\\expandafter\\def\\csname result@{name}\\endcsname{{{value}}}" for name, value in known.items()]
    (folder / "numbers.tex").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, table in TABLES.items():
        (folder / f"{name}.tex").write_text(table(measured), encoding="utf-8")
    for name in FIGURES:
        draw(name, measured, folder / f"{name}.pdf")


def numbers_used(text: Path) -> list[str]:
    """The names in the \\result{…} of a text, comments left out."""
    return re.findall(r"\\result\{([^}#]*)\}", re.sub(r"(?<!\\)%.*", "", text.read_text(encoding="utf-8")))


def _check_numbers(text: Path, known: dict[str, str]) -> None:
    missing = [name for name in numbers_used(text) if name not in known]
    if missing:
        raise BuildError(f"{text} uses \\result{{{missing[0]}}}, a number that nothing defines: add it to numbers.py")


def _latex(folder: Path, text: Path) -> Path:
    pdf = folder / f"{text.stem}.pdf"
    pdf.unlink(missing_ok=True)
    command = ["latexmk", "-gg", "-pdf", "-interaction=nonstopmode", "-halt-on-error", str(text.resolve())]
    # No date gets into the PDF, so that the same results make the same bytes.
    environment = os.environ | {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1", "max_print_line": "1000"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace")
    if done.returncode or not pdf.exists():
        log = _log(pdf) if pdf.with_suffix(".log").exists() else done.stdout + done.stderr
        problem = re.search(r"^! (.*?)(?=^\?|\n\n|\Z)", log, re.MULTILINE | re.DOTALL)
        reason = " ".join(problem[1].split()) if problem else f"latexmk ended with code {done.returncode}"
        raise BuildError(f"LaTeX can't set {text.name}: {reason[:300]} (see {pdf.with_suffix('.log')})")
    return pdf


def _log(pdf: Path) -> str:
    return pdf.with_suffix(".log").read_text(encoding="utf-8", errors="replace")
