"""Which names of torch and which packages a submission's source uses, read from its syntax tree alone.

Every use is ALLOWED (COURSE: the handout's list), a HELPER (a harmless torch function outside the list), FORBIDDEN
(autograd, torch.nn, optimisers, other packages) or for REVIEW (can't be decided without running it). Aliases of
imports and of plain assignments are followed. What the grader can't reach from model.py is reported, and does not
condemn: files that are not imported, functions that nothing mentions, `if __name__ == "__main__"`.
This finds honest mistakes and plain cheating; it is no security boundary.
"""

import ast
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

ALLOWED, HELPER, FORBIDDEN, REVIEW = "allowed", "helper", "forbidden", "review"
SOURCE_CAP = 2 << 20  # bytes of one file

HANDOUT = {
    "torch.empty", "torch.cat", "torch.arange", "torch.nn.functional.fold", "torch.nn.functional.unfold",
    "torch.set_grad_enabled", "torch.no_grad", "torch.device", "torch.cuda.is_available", "torch.load", "torch.save",
    "torch.Tensor", "torch.manual_seed",
    "torch", "torch.nn", "torch.nn.functional", "torch.cuda",  # on the way to the names above
}  # fmt: skip
CONSTANT_NAMES = (
    "float16", "float32", "float64", "float", "half", "double", "uint8", "int8", "int16", "int32", "int64",
    "int", "long", "short", "bool", "bfloat16", "dtype", "pi", "inf", "nan", "strided", "contiguous_format",
    "channels_last", "Size", "FloatTensor",
)  # fmt: skip
OPERATIONS = (
    "conv1d", "conv2d", "conv3d", "convolution", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "conv_tbc", "_convolution", "max_pool2d", "batch_norm", "layer_norm", "group_norm", "native_batch_norm",
    "mkldnn_convolution", "cudnn_convolution",
)  # fmt: skip
CONSTANTS = {f"torch.{name}" for name in CONSTANT_NAMES}
BANNED = {  # these and all below them
    "torch.nn": "torch.nn other than functional.fold and unfold",
    "torch.autograd": "autograd",
    "torch.enable_grad": "autograd",
    "torch.func": "autograd (torch.func)",
    "torch._functorch": "autograd (torch.func)",
    "torch.optim": "torch's optimisers",
    "torch._C": "torch's internals",
    "torch.ops": "torch's operators",
    "torch._VF": "torch's internals",
    "torch.jit": "torch's compiler",
    "torch.compile": "torch's compiler",
    "torch.hub": "downloaded code",
} | {f"torch.{name}": "a network's operation from torch" for name in OPERATIONS}
DYNAMIC = {"eval", "exec", "compile", "__import__", "globals", "vars"}
DYNAMIC_MODULES = {
    "importlib",
    "ctypes",
    "subprocess",
    "socket",
    "multiprocessing",
    "inspect",
    "gc",
    "marshal",
    "runpy",
}
CALLED_BY_GRADERS = {  # what is reached without being mentioned in the source
    "Model", "Conv2d", "TransposeConv2d", "Upsampling", "NearestUpsampling", "ReLU", "Sigmoid", "Sequential", "MSE",
    "SGD", "forward", "backward", "param", "predict", "train", "load_pretrained_model", "step", "zero_grad",
}  # fmt: skip


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
        return f"{self.file}:{self.line}: {self.name} ({self.rule})"


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
    for file, tree in trees.items():
        reader = Reader(file, local, mentioned, file in imported)
        reader.visit(tree)
        uses += reader.uses
    return uses, unreadable


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
        elif node.attr in ("__subclasses__", "__globals__", "__builtins__") or name == "sys.modules":
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
