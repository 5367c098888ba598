"""The grader's rooms: no circle of imports, files that are not long, a README that names what is there."""

import ast
import graphlib
import re
from pathlib import Path

import pytest
from checker_support import ROOT

from checker.intake import fingerprint

CHECKER = ROOT / "checker"
MOST_LINES = 300
IN_THE_CHILD = "sandbox", "driving"  # rooms of which files are loaded by worker.py, under names without a package
NOT_OURS = {"model.py"}  # a submission's


def names_of(package: Path) -> dict[str, Path]:
    """Every module below a package, the package itself among them, by its dotted name."""
    found = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def graph(package: Path) -> dict[str, set[str]]:
    """Which modules each one imports, inside functions too, with the packages that Python runs on the way to them."""
    modules = names_of(package)
    return {name: set(imported(name, path, modules)) for name, path in modules.items()}


def imported(name: str, path: Path, modules: dict[str, Path]):
    top, *rest = name.split(".")
    places = (f"{top}.sandbox", top) if rest and rest[0] in IN_THE_CHILD else ()
    within = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = within[: len(within) - node.level + 1] if node.level else []
            whole = ".".join([*base, *([node.module] if node.module else [])])
            wanted = [longer if (longer := f"{whole}.{a.name}") in modules else whole for a in node.names]
        else:
            continue
        for one in wanted:
            target = next((full for full in (one, *(f"{place}.{one}" for place in places)) if full in modules), None)
            if target:
                yield target
                yield from (p for p in parents(target) if p not in (name, *parents(name)))


def parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


def test_no_import_leads_back():
    graphlib.TopologicalSorter(graph(CHECKER)).prepare()  # CycleError names the circle


def test_the_graph_knows_the_ways_in_which_modules_are_imported():
    found = graph(CHECKER)
    assert set(names_of(CHECKER)) == set(found)
    assert "checker.checks" in found["checker.grading"]  # inside a function
    assert {"checker.context", "checker.checks.cases"} <= found["checker.checks.behaviour"]
    assert {"checker.sandbox.jail", "checker.sandbox.wire"} <= found["checker.sandbox.worker"]  # found beside it
    assert "checker.checks" in found["checker.reporters.pictures"]  # run on the way to checks.api
    assert "checker.reporters.json" not in found["checker.reporters.html"]


@pytest.mark.parametrize(
    "back",
    [
        "from . import one",
        "from .one import x",
        "import rooms.one",
        "def f():\n    from .one import x",
        "from . import room\ndef f():\n    from .room import three",
        "if False:\n    from .room.three import x",
    ],
)
def test_a_circle_is_found(back, tmp_path):
    package = tmp_path / "rooms"
    (package / "room").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "one.py").write_text("from . import two")
    (package / "two.py").write_text("import json")
    (package / "room" / "__init__.py").touch()
    (package / "room" / "three.py").write_text("from .. import one")
    graphlib.TopologicalSorter(graph(package)).prepare()
    (package / "two.py").write_text(back)
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(graph(package)).prepare()


def test_no_file_is_too_long_to_be_read():
    lengths = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in CHECKER.rglob("*.py")}
    assert len(lengths) > 40
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_every_room_says_what_it_is_for():
    rooms = {path.parent for path in CHECKER.rglob("*.py")}
    shown = (CHECKER / "README.md").read_text(encoding="utf-8")
    for room in rooms - {CHECKER}:
        assert f"`{room.relative_to(CHECKER)}/`" in shown
    for room in rooms:
        assert ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8")))


def test_the_readme_names_files_that_are_there():
    shown = (CHECKER / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+\.(?:py|toml))`", shown)) - NOT_OURS
    rooms = [ROOT, CHECKER, *(path for path in CHECKER.iterdir() if path.is_dir())]
    assert len(named) > 40
    assert {name for name in named if not any((room / name).is_file() for room in rooms)} == set()


def test_the_graders_digest_covers_every_room(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprint, "CHECKER", tmp_path)
    (tmp_path / "room").mkdir()
    (tmp_path / "above.py").write_text("x = 1\n")
    (tmp_path / "room" / "inside.py").write_text("x = 1\n")
    before = fingerprint.of_grader()
    (tmp_path / "room" / "inside.py").write_text("x = 2\n")
    assert fingerprint.of_grader() != before


def test_the_digest_is_of_this_grader():
    assert fingerprint.CHECKER == CHECKER
