"""Which names of torch and which packages a submission's source uses, read from its syntax tree alone.

Every use is ALLOWED (COURSE: the handout's list), a HELPER (a harmless torch function outside the list), FORBIDDEN
(autograd, torch.nn, optimisers, other packages) or for REVIEW (can't be decided without running it). Aliases of
imports and of plain assignments are followed. What the grader can't reach from model.py is reported, and does not
condemn: files that are not imported, functions that nothing mentions, `if __name__ == "__main__"`.
This finds honest mistakes and plain cheating; it is no security boundary.
"""

import ast
import contextlib
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES
from pathlib import Path

from .allowlist import BANNED, CONSTANTS, DYNAMIC, DYNAMIC_MODULES, DYNAMIC_NAMES, HANDOUT
from .reach import files_reached, is_dunder, is_false, is_main_guard, names_reached

ALLOWED, HELPER, FORBIDDEN, REVIEW = "allowed", "helper", "forbidden", "review"
COMPILED = (*EXTENSION_SUFFIXES, *BYTECODE_SUFFIXES)
DEPTH = 20_000  # Python parses up to 3,000 levels
SOURCE_CAP = 2 << 20  # bytes of one file


@dataclass(frozen=True)
class Use:
    """One use of one name: where, what, and which rule it falls under."""

    file: str
    line: int
    name: str
    verdict: str
    rule: str
    reached: bool = True

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.name} ({self.rule})"


@dataclass(frozen=True)
class Unreadable:
    """A file that can't be parsed, and why."""

    file: str
    reason: str


def read(folder: Path) -> tuple[list[Use], list[Unreadable]]:
    """All uses in all .py files below `folder`, a submission's package."""
    trees, unreadable = {}, []
    for path in sorted(folder.rglob("*.py")):
        file = str(path.relative_to(folder))
        try:
            trees[file] = parse(path)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OSError) as error:
            unreadable.append(Unreadable(file, f"{type(error).__name__}: {error}"[:300]))
    local = {Path(file).stem for file in trees} | {p.name for p in folder.iterdir() if p.is_dir()} | {folder.name}
    mentioned = names_reached(trees)
    imported = files_reached(trees)
    uses = []
    with deep():
        for file, tree in trees.items():
            reader = Reader(file, local, mentioned, file in imported)
            reader.visit(tree)
            uses += reader.uses
    return uses + compiled(folder), unreadable


def compiled(folder: Path) -> list[Use]:
    """The files that Python can import and nobody can read."""
    files = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.name.endswith(COMPILED)]
    return [Use(file, 0, "compiled code", REVIEW, "can't be read: what is its source?") for file in files]


@contextlib.contextmanager
def deep() -> Iterator[None]:
    """Room for a tree of whatever depth Python parses, at a few calls for each level."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(DEPTH)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def parse(path: Path) -> ast.Module:
    if path.stat().st_size > SOURCE_CAP:
        raise ValueError(f"larger than {SOURCE_CAP >> 20} MB")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(path.read_bytes())


class Reader(ast.NodeVisitor):
    """Collects the uses in one file."""

    def __init__(self, file: str, local: set[str], mentioned: set[str], reached: bool):
        self.file, self.local, self.mentioned, self.reached = file, local, mentioned, reached
        self.aliases: dict[str, str] = {}  # name here → dotted name of a torch thing or of a package
        self.uses: list[Use] = []

    def add(self, node: ast.AST, name: str, verdict: str, rule: str) -> None:
        use = Use(self.file, getattr(node, "lineno", 0), name, verdict, rule, self.reached)
        if use not in self.uses:
            self.uses.append(use)

    def unreached(self, nodes: list) -> None:
        before, self.reached = self.reached, False
        for node in nodes:
            self.visit(node)
        self.reached = before

    # Imports and aliases

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name.split(".")[0]
            self.aliases[alias.asname or top] = alias.name if alias.asname else top
            self.package(node, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or not node.module:
            return
        for alias in node.names:
            name = f"{node.module}.{alias.name}"
            if node.module.split(".")[0] == "torch":
                self.aliases[alias.asname or alias.name] = name
                self.torch(node, name)
            elif name in DYNAMIC_NAMES:
                self.add(node, name, REVIEW, "can reach anything at run time")
        if node.module.split(".")[0] != "torch":
            self.package(node, node.module)

    def package(self, node: ast.AST, name: str) -> None:
        top = name.split(".")[0]
        if top == "torch":
            self.torch(node, name)
        elif top in DYNAMIC_MODULES:
            self.add(node, name, REVIEW, "can reach anything at run time")
        elif top not in sys.stdlib_module_names and top not in self.local:
            self.add(node, name, FORBIDDEN, "a package other than torch and the standard library")

    def torch(self, node: ast.AST, name: str) -> None:
        if name in HANDOUT or name in CONSTANTS or name.startswith("torch.Tensor."):
            return self.add(node, name, ALLOWED, "the handout's list")
        for banned, rule in BANNED.items():
            if name == banned or name.startswith(banned + "."):
                return self.add(node, name, FORBIDDEN, rule)
        if name == "torch.*":
            return self.add(node, name, REVIEW, "all of torch under its own names")
        return self.add(node, name, HELPER, "a torch function outside the handout's list")

    def visit_Assign(self, node: ast.Assign) -> None:
        name = self.dotted(node.value)
        if name and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            self.aliases[node.targets[0].id] = name
        self.generic_visit(node)

    # Uses

    def dotted(self, node: ast.AST) -> str | None:
        """torch.nn.Conv2d for any expression that is this name under the aliases seen so far."""
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return f"{base}.{node.attr}" if base else None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            literal = len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
            base = self.dotted(node.args[0]) if literal else None
            return f"{base}.{node.args[1].value}" if base else None
        return None

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = self.dotted(node)
        if name and name.split(".")[0] == "torch":
            self.torch(node, name)
        elif node.attr in ("__subclasses__", "__globals__", "__builtins__") or name in DYNAMIC_NAMES:
            self.add(node, name or node.attr, REVIEW, "can reach anything at run time")
        elif node.attr == "requires_grad_" or (node.attr == "requires_grad" and isinstance(node.ctx, ast.Store)):
            self.add(node, node.attr, REVIEW, "asks for autograd")
        if not name:
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = self.dotted(node.func)
        constant = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        if name == "torch.set_grad_enabled" and constant is not False:
            self.add(
                node,
                "torch.set_grad_enabled",
                FORBIDDEN if constant is True else REVIEW,
                "autograd switched on",
            )
        if isinstance(node.func, ast.Name):
            literal = len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
            if node.func.id in DYNAMIC and node.func.id not in self.aliases:
                self.add(node, node.func.id, REVIEW, "can't be decided without running it")
            elif node.func.id == "getattr" and not literal:
                self.add(node, "getattr", REVIEW, "of a name that is computed")
            elif node.func.id == "getattr" and (whole := self.dotted(node)) and whole.startswith("torch."):
                self.torch(node, whole)
        if any(k.arg == "requires_grad" and not is_false(k.value) for k in node.keywords):
            self.add(node, "requires_grad", REVIEW, "asks for autograd")
        self.generic_visit(node)

    # What is not reached, and what is no use

    def visit_If(self, node: ast.If) -> None:
        if is_main_guard(node.test) or is_false(node.test):
            self.unreached(node.body)
            for other in node.orelse:
                self.visit(other)
        else:
            self.generic_visit(node)

    def definition(self, node) -> None:
        """A function or class: its decorators and defaults are uses, its annotations are not."""
        for part in node.decorator_list:
            self.visit(part)
        outer, self.aliases = self.aliases, dict(self.aliases)
        if isinstance(node, ast.ClassDef):
            heads = [*node.bases, *(k.value for k in node.keywords)]
        else:
            heads = [d for d in (*node.args.defaults, *node.args.kw_defaults) if d]
            for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
                self.aliases.pop(argument.arg, None)  # a parameter hides the import of that name
        if node.name in self.mentioned or is_dunder(node.name):
            for part in (*heads, *node.body):
                self.visit(part)
        else:
            self.unreached([*heads, *node.body])
        self.aliases = outer

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = definition

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)
