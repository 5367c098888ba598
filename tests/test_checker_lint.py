"""The allow-list, read from source: what condemns, what does not, and what a person has to look at."""

import pytest

from checker.intake import lint

HELPER, FORBIDDEN, REVIEW = lint.HELPER, lint.FORBIDDEN, lint.REVIEW


def verdicts(folder, source: str, **others: str) -> set[tuple[str, str]]:
    (folder / "__init__.py").touch()
    (folder / "model.py").write_text(source, encoding="utf-8")
    for name, text in others.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    uses, unreadable = lint.read(folder)
    assert not unreadable
    return {(u.verdict, u.name) for u in uses if u.reached and u.verdict != lint.ALLOWED}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import torch\ntorch.nn.Conv2d(1, 1, 1)", {(FORBIDDEN, "torch.nn.Conv2d")}),
        ("import torch as t\nx = t.nn.functional.conv2d", {(FORBIDDEN, "torch.nn.functional.conv2d")}),
        ("from torch import nn as q\nq.Linear(1, 1)", {(FORBIDDEN, "torch.nn.Linear")}),
        ("from torch.nn import functional as F\nF.fold\nF.relu", {(FORBIDDEN, "torch.nn.functional.relu")}),
        ("import torch.optim", {(FORBIDDEN, "torch.optim")}),
        ("import torch.nn.functional as F\nc = F\nd = c\nd.conv2d", {(FORBIDDEN, "torch.nn.functional.conv2d")}),
        ("import torch\ngetattr(torch, 'conv2d')", {(FORBIDDEN, "torch.conv2d")}),
        ("import torch\ngetattr(torch.nn, 'Re' + 'LU')", {(REVIEW, "getattr")}),
        ("import torch\ntorch.set_grad_enabled(True)", {(FORBIDDEN, "torch.set_grad_enabled")}),
        ("import torch\nwith torch.enable_grad(): pass", {(FORBIDDEN, "torch.enable_grad")}),
        ("from torch.autograd import Function\nclass A(Function): pass", {(FORBIDDEN, "torch.autograd.Function")}),
        ("import numpy as np", {(FORBIDDEN, "numpy")}),
        ("from tqdm.auto import tqdm", {(FORBIDDEN, "tqdm.auto")}),
        ("try:\n    import numpy\nexcept ImportError: pass", {(FORBIDDEN, "numpy")}),
        ("import torch\ntorch.zeros(3)", {(HELPER, "torch.zeros")}),
        ("from torch import randperm, empty", {(HELPER, "torch.randperm")}),
        ("from torch.utils.data import DataLoader", {(HELPER, "torch.utils.data.DataLoader")}),
        ("eval('1')", {(REVIEW, "eval")}),
        ("import importlib", {(REVIEW, "importlib")}),
        ("def f(x): x.requires_grad_()\nf(1)", {(REVIEW, "requires_grad_")}),
        ("from torch import *", {(REVIEW, "torch.*")}),
    ],
)  # fmt: skip
def test_what_is_found(source, expected, tmp_path):
    assert verdicts(tmp_path, source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "import torch\nfrom torch import empty, cat, arange\nfrom torch.nn.functional import fold, unfold\n"
        "torch.set_grad_enabled(False)\ntorch.device('cpu')\ntorch.cuda.is_available()\ntorch.load\ntorch.save\n",
        "import torch\n# torch.nn.Conv2d\nx = 'torch.nn.Conv2d'\n",
        '"""Like torch.nn.Conv2d, import numpy."""\n',
        "import torch\ndef forward(x: torch.nn.Module) -> torch.autograd.Variable: return x\n",
        "import torch\ny: torch.nn.Module = None\n",
        "import torch\nif __name__ == '__main__':\n    torch.nn.Conv2d(1, 1, 1)\n",
        "import torch\ndef compare_with_torch():\n    return torch.nn.Conv2d(1, 1, 1)\n",
        "import torch\nclass Conv2d:\n    def check(self):\n        return torch.nn.functional.conv2d\n",
        "import torch\ndef forward(torch): return torch.nn.Conv2d\n",
        "import torch\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy\n",
        "import math, os, pickle, random, pathlib, time\n",
        "from .others.x import y\n",
        "import torch\nx.to(torch.float32)\n",
        "class Model:\n    def train(self, x): self.net.backward(x)\n",
    ],
)
def test_what_does_not_condemn(source, tmp_path):
    assert verdicts(tmp_path, source) == set()


def test_functions_count_once_something_reaches_them(tmp_path):
    helper = "import torch\ndef fast(x):\n    return torch.conv2d(x)\n"
    assert verdicts(tmp_path, "from .helper import fast\ndef forward(x): return fast(x)", helper=helper) == {
        (FORBIDDEN, "torch.conv2d")
    }


def test_files_that_nothing_imports_do_not_count(tmp_path):
    (tmp_path / "__init__.py").touch()
    (tmp_path / "model.py").write_text("x = 1")
    (tmp_path / "try_it.py").write_text("import numpy")
    uses, _ = lint.read(tmp_path)
    assert [(u.file, u.name, u.reached) for u in uses] == [("try_it.py", "numpy", False)]


@pytest.mark.parametrize("name", ["fast.so", "fast.abi3.so", "hidden.pyc"])
def test_what_python_imports_and_nobody_can_read_is_for_a_person(name, tmp_path):
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / name).touch()
    assert verdicts(tmp_path, "x = 1") == {(REVIEW, "compiled code")}


@pytest.mark.parametrize("terms", [500, 2500])
def test_a_long_expression_is_read_to_its_end(terms, tmp_path):
    source = f"import torch\nx = {' + '.join(['torch.conv2d'] * terms)}"
    assert verdicts(tmp_path, source) == {(FORBIDDEN, "torch.conv2d")}


@pytest.mark.parametrize("source", [b"def f(:", b"x = '\xff'", b"\0", b"(" * 100_000, b"-" * 500_000 + b"1"])
def test_a_file_that_can_not_be_read_is_reported(source, tmp_path):
    (tmp_path / "model.py").write_bytes(source)
    uses, unreadable = lint.read(tmp_path)
    assert uses == []
    assert [u.file for u in unreadable] == ["model.py"]
