"""What of a submission's source is reached: from model.py, and from the names that a grader calls."""

import ast
from pathlib import Path

CALLED_BY_GRADERS = {  # what is reached without being mentioned in the source
    "Model", "Conv2d", "TransposeConv2d", "Upsampling", "NearestUpsampling", "ReLU", "Sigmoid", "Sequential", "MSE",
    "SGD", "forward", "backward", "param", "predict", "train", "load_pretrained_model", "step", "zero_grad",
}  # fmt: skip


def is_main_guard(test: ast.AST) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def is_false(test: ast.AST) -> bool:
    if isinstance(test, ast.Constant):
        return not test.value
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def names_reached(trees: dict[str, ast.Module]) -> set[str]:
    """The names that reached code mentions; a definition is reached if its name is, beginning with the
    graded ones.
    """
    reached, waiting = set(CALLED_BY_GRADERS), list(trees.values())
    definitions: dict[str, list] = {}
    while waiting:
        for node in outside_definitions(waiting.pop()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                definitions.setdefault(node.name, []).append(node)
            elif isinstance(node, ast.Name):
                reached.add(node.id)
            elif isinstance(node, ast.Attribute):
                reached.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                reached.add(node.value)  # it may be the argument of a getattr
        for name in [n for n in definitions if n in reached or is_dunder(n)]:
            waiting += definitions.pop(name)
    return reached


def outside_definitions(tree: ast.AST):
    """The nodes of a module or of a definition that run when it does, with inner definitions not entered."""
    stack = list(ast.iter_child_nodes(tree))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and (is_main_guard(node.test) or is_false(node.test)):
            stack += node.orelse
            continue
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            stack += node.decorator_list  # run when the definition is
        else:
            stack += ast.iter_child_nodes(node)


def files_reached(trees: dict[str, ast.Module]) -> set[str]:
    """The files that model.py imports, directly or not; told by the last parts of their names."""
    by_name = {Path(file).stem: file for file in trees} | {
        Path(file).parent.name: file for file in trees if Path(file).name == "__init__.py"
    }
    reached, waiting = set(), [f for f in ("model.py", "__init__.py") if f in trees]
    while waiting:
        file = waiting.pop()
        reached.add(file)
        for node in ast.walk(trees[file]):
            parts: list[str] = []
            if isinstance(node, ast.ImportFrom):
                parts = [*(node.module or "").split("."), *(a.name for a in node.names)]
            elif isinstance(node, ast.Import):
                parts = [part for a in node.names for part in a.name.split(".")]
            waiting += [by_name[p] for p in parts if p in by_name and by_name[p] not in reached]
    return reached
