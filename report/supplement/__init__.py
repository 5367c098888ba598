"""What supplement.tex reads: its numbers, tables, figures and claims, each file as its namesake of the report."""

from .claims import CLAIMS
from .figures import FIGURES
from .numbers import numbers
from .tables import TABLES

__all__ = ["CLAIMS", "FIGURES", "TABLES", "numbers"]
