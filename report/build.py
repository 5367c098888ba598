"""From the results to the PDF: numbers, tables and figures are written for LaTeX to read; latexmk sets the text."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from data.files import replacing

from .claims import FalseClaim, check_claims
from .documents import Document
from .figures import draw
from .measured import Measured, MissingResult

HERE = Path(__file__).parent
PREAMBLE = HERE / "preamble.tex"  # of every document
GENERATED = HERE / "generated"
TEX_NEEDED = (
    "the PDF needs latexmk and LaTeX: on Debian or Ubuntu `apt-get install latexmk texlive-publishers "
    "texlive-fonts-recommended`, on macOS `brew install --cask mactex-no-gui`, on Windows "
    "`winget install MiKTeX.MiKTeX` and `winget install StrawberryPerl.StrawberryPerl`"
)


class BuildError(Exception):
    """Why there is no PDF, in one sentence with the way out."""


def build(document: Document) -> Path:
    """Make the PDF of a document where it belongs. Raises BuildError."""
    pdf = make(document, GENERATED / document.name)
    for copy in document.copies:
        with replacing(copy) as partial:
            shutil.copyfile(pdf, partial)
    return document.copies[0]


def make(document: Document, folder: Path, measured: Measured | None = None) -> Path:
    """Make the PDF of `document` in `folder`, together with everything that it reads. Raises BuildError."""
    if not shutil.which("latexmk"):
        raise BuildError(TEX_NEEDED)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        generate(document, folder, measured or Measured())
    except (MissingResult, FalseClaim) as error:
        raise BuildError(str(error)) from error
    pdf = _latex(folder, document.text)
    pages = int(re.search(r"Output written on .*?\((\d+) page", _log(pdf), re.DOTALL)[1])
    if pages > document.most_pages:
        raise BuildError(f"{document.text} makes {pages} pages, and {document.most_pages} are allowed: shorten it")
    return pdf


def generate(document: Document, folder: Path, measured: Measured) -> None:
    """Write what the document's text reads: the preamble, numbers.tex, and a file for each table and figure."""
    known = document.numbers(measured)
    _check_numbers(document.text, known)
    check_claims(document.claims, measured, document.text.name)
    shutil.copyfile(PREAMBLE, folder / PREAMBLE.name)
    lines = [f"\\expandafter\\def\\csname result@{name}\\endcsname{{{value}}}" for name, value in known.items()]
    (folder / "numbers.tex").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, table in document.tables.items():
        (folder / f"{name}.tex").write_text(table(measured), encoding="utf-8")
    for name, figure in document.figures.items():
        draw(figure, measured, folder / f"{name}.pdf")


def numbers_used(text: Path) -> list[str]:
    """The names in the \\result{…} of a text, comments left out."""
    return re.findall(r"\\result\{([^}#]*)\}", re.sub(r"(?<!\\)%.*", "", text.read_text(encoding="utf-8")))


def _check_numbers(text: Path, known: dict[str, str]) -> None:
    missing = [name for name in numbers_used(text) if name not in known]
    if missing:
        raise BuildError(
            f"{text} uses \\result{{{missing[0]}}}, a number that nothing defines: add it to its numbers.py"
        )


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
