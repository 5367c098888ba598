"""What lies in the folder."""

from ..context import Grading
from ..registry import Failed, check


@check("structure")
def folder(g: Grading):
    """The submission is a folder Proj_2 or Miniproject_2"""
    if g.submission.folder is None:
        found = ", ".join(g.submission.found) or "nothing"
        raise Failed(
            f"expected a folder Proj_2 or Miniproject_2, got {found}", "Is it one folder further up or down?"
        )
    if g.unusable:
        raise Failed(g.unusable)
    if g.submission.package.lower() not in ("proj_2", "miniproject_2"):
        g.warn(f"the folder is called {g.submission.package}; the assignment calls it Proj_2")
    for sentence in g.left_out:
        g.warn(sentence)


@check("structure", needs=("structure.folder",))
def files(g: Grading):
    """It holds model.py"""
    if not (g.files / "model.py").is_file():
        raise Failed("missing: model.py", "Does it lie in a folder inside?")


@check("structure", needs=("structure.files",))
def init_file(g: Grading):
    """It holds __init__.py"""
    if not (g.files / "__init__.py").is_file():
        raise Failed("missing: __init__.py", "An empty file of that name makes the folder a package.")


@check("structure", needs=("structure.folder",))
def optional_files(g: Grading):
    """It holds bestmodel.pth and the report (a warning only)"""
    if not (g.files / "bestmodel.pth").is_file():
        g.warn("bestmodel.pth is missing: no pretrained model can be loaded")
    if not any(path.suffix.lower() == ".pdf" for path in g.files.iterdir()):
        g.warn("there is no PDF of the report")
