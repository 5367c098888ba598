"""The submission as a folder: copies under another name, its imports, and what it does when imported."""

import ast
import importlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import Proj_2

FOLDER = Path(Proj_2.__file__).parent
# COURSE.md: what a submission may take from torch. Methods of a tensor are free.
ALLOWED = {
    "torch": [
        *("empty", "cat", "arange", "Tensor", "device", "cuda"),
        *("load", "save", "manual_seed", "set_grad_enabled"),
    ],
    "torch.cuda": ["is_available"],
    "torch.nn.functional": ["fold", "unfold"],
}
_numbers = itertools.count()


def copy(parent, name="Miniproject_2"):
    """A copy of the submission's folder in `parent`."""
    return Path(shutil.copytree(FOLDER, parent / name, ignore=shutil.ignore_patterns("__pycache__", "*.pdf")))


def load(folder):
    """The module `model` of a submission's folder, imported here under a name of its own."""
    name = f"submission_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    return importlib.import_module(f"{name}.model")


def run(code, folder, cwd):
    """What `code` prints, as JSON, in a fresh Python that finds only `folder`'s parent besides the libraries."""
    environment = {**os.environ, "PYTHONPATH": str(folder.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def import_effects(folder, cwd):
    """The global switches that importing the submission changed."""
    return run(
        f"""
import json, random, torch
torch.manual_seed(5)
def switches():
    return dict(dtype=str(torch.get_default_dtype()), grad=torch.is_grad_enabled(), threads=torch.get_num_threads(),
                rng=torch.get_rng_state().sum().item(), random=hash(random.getstate()))
before = switches()
import {folder.name}.model
after = switches()
print(json.dumps([name for name in before if before[name] != after[name]]))
""",
        folder,
        cwd,
    )


def violations(source):
    """Lines of a module that import or use what COURSE.md does not allow."""
    found, tree = [], ast.parse(source)
    modules = {}  # local name -> module of torch that it stands for
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.split(".")[0]
                if root == "torch":
                    modules[alias.asname or root] = alias.name if alias.asname else root
                elif root not in sys.stdlib_module_names:
                    found.append(f"line {node.lineno}: import {alias.name}")
        elif isinstance(node, ast.ImportFrom) and not node.level:
            root = node.module.split(".")[0]
            allowed = ALLOWED.get(node.module, ()) if root == "torch" else None
            if allowed is None and root in sys.stdlib_module_names:
                continue
            for alias in node.names:
                if allowed is None or alias.name not in allowed:
                    found.append(f"line {node.lineno}: from {node.module} import {alias.name}")
                elif alias.name == "cuda":
                    modules[alias.asname or "cuda"] = "torch.cuda"
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in inner:
            dotted = re.fullmatch(r"(\w+)((?:\.\w+)*)", ast.unparse(node))  # a.b.c, not a(b).c
            if dotted and dotted[1] in modules and isinstance(node.ctx, ast.Load):
                path = modules[dotted[1]] + dotted[2]
                if not _allowed(path.split(".")):
                    found.append(f"line {node.lineno}: {path}")
    return found


def _allowed(path):
    """Whether the dotted `path` starts with an allowed name: torch.Tensor.exp is a method of a tensor."""
    return any(
        path[: len(module.split("."))] == module.split(".") and path[len(module.split(".")) :][:1] == [name]
        for module, names in ALLOWED.items()
        for name in names
        if name != "cuda"
    )
