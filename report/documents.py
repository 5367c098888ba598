"""The documents: the report that the course asks for, and its supplement."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from . import claims, figures, numbers, supplement, tables
from .measured import Measured

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Document:
    """A text, and what its \\result{name}, its tables and its figures stand for."""

    text: Path
    copies: tuple[Path, ...]  # where its PDF belongs
    most_pages: int
    numbers: Callable[[Measured], dict[str, str]]
    tables: dict[str, Callable[[Measured], str]]
    figures: dict[str, Callable[[Measured], Figure]]
    claims: dict[str, Callable[[Measured], bool]]

    @property
    def name(self) -> str:
        return self.text.stem


REPORT = Document(
    HERE / "report.tex",
    (HERE / "report.pdf", HERE.parent / "Proj_2" / "Report_2.pdf"),
    3,  # that the course allows
    numbers.numbers,
    tables.TABLES,
    figures.FIGURES,
    claims.CLAIMS,
)
SUPPLEMENT = Document(
    HERE / "supplement.tex",
    (HERE / "Supplement.pdf",),
    4,
    supplement.numbers,
    supplement.TABLES,
    supplement.FIGURES,
    supplement.CLAIMS,
)
DOCUMENTS = {document.name: document for document in (REPORT, SUPPLEMENT)}
