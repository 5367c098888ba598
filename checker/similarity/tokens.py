"""A submission's source as tokens that a disguise leaves as they are.

A token is a node of the syntax tree, so that comments, formatting, quotes and brackets make none; docstrings,
annotations and imports are left out. A name that the submission itself gives to something (a variable, an argument,
an attribute, a function, a class) says nothing: whoever copies can change it. Names that come from elsewhere (a
tensor's methods, torch's functions, builtins) are kept, and so are small integers; other constants are told apart by
their type only.
"""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

SILENT = ast.expr_context | ast.Import | ast.ImportFrom | ast.alias | ast.Pass | ast.Load
SMALL = range(-2, 5)  # integers that say what is computed; larger ones are sizes that anyone may choose
DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
END = "end"  # between definitions, so that nothing runs on from one to what happens to follow it


@dataclass(frozen=True)
class Token:
    """What a node is, and where: the index of its file in the submission, and its line there, from 1."""

    kind: str
    file: int
    line: int


def parse(source: bytes) -> ast.Module:
    """Raises SyntaxError, ValueError, RecursionError or MemoryError for what Python can't read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def tokens(trees: list[ast.Module]) -> list[Token]:
    """The tokens of all files of one submission. Raises RecursionError where one is nested too deep."""
    own, real = own_names(trees), imported(trees)
    found: list[Token] = []
    for file, tree in enumerate(trees):
        found += (Token(kind, file, line) for kind, line in walk(tree, own, real, 0))
    return found


def own_names(trees: list[ast.Module]) -> set[str]:
    """Names that the source itself gives to something, anywhere."""
    own = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                own.add(node.name)
            case ast.arg():
                own.add(node.arg)
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                own.add(name)
    return own


def imported(trees: list[ast.Module]) -> dict[str, str]:
    """`F` → `functional` for every import under another name."""
    aliases = (
        a for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names
    )
    return {alias.asname: alias.name.split(".")[-1] for alias in aliases if alias.asname}


def walk(node: ast.AST, own: set[str], real: dict[str, str], line: int) -> Iterator[tuple[str, int]]:
    """(kind, line) of a node and those below it, in the order of the source."""
    if isinstance(node, SILENT) or is_text(node):
        return
    line = getattr(node, "lineno", line)
    if not isinstance(node, ast.Module | ast.Expr):
        yield kind(node, own, real), line
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "type_comment"):
            continue
        for below in value if isinstance(value, list) else [value]:
            if isinstance(below, ast.AST):
                yield from walk(below, own, real, line)
    if isinstance(node, DEFINITIONS):
        yield END, node.end_lineno or line


def is_text(node: ast.AST) -> bool:
    """A docstring, or any other constant that stands alone."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def kind(node: ast.AST, own: set[str], real: dict[str, str]) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) if name not in own:
            return real.get(name, name)
        case ast.keyword(arg=str(name)) if name not in own:
            return f"{name}="
        case ast.Constant(value=int(value)) if value in SMALL:
            return str(value)
        case ast.Constant(value=value):
            return type(value).__name__
    return type(node).__name__
