"""The package: its name is free, importing it changes nothing, and it uses what COURSE.md allows."""

import package
import pytest


@pytest.fixture(scope="module")
def renamed(tmp_path_factory):
    return package.copy(tmp_path_factory.mktemp("elsewhere"))


def test_works_under_another_name_and_directory(renamed, tmp_path):
    code = """
import json, sys, torch
from Miniproject_2 import model
for part in (model.Conv2d(3, 4, 3), model.Upsampling(4, 3, 2, 2), model.Sigmoid()):
    x = part.forward(torch.randn(2, 3 + isinstance(part, model.Upsampling), 8, 8))
assert model.Model().predict(torch.zeros(1, 3, 9, 7)).shape == (1, 3, 9, 7)
print(json.dumps(sorted({"Proj_2", "checker", "data"} & {name.split(".")[0] for name in sys.modules})))
"""
    assert package.run(code, renamed, tmp_path) == []


def test_importing_changes_no_global_switch(renamed, tmp_path):
    assert package.import_effects(renamed, tmp_path) == []


def test_changed_global_switches_are_seen(tmp_path):
    folder = package.copy(tmp_path)
    with open(folder / "model.py", "a") as file:
        file.write(
            "\nimport random, torch\ntorch.set_default_dtype(torch.float64); torch.set_grad_enabled(False)\n"
            "torch.empty(3).normal_(); torch.set_num_threads(7); random.random()\n"
        )
    assert package.import_effects(folder, tmp_path) == ["dtype", "grad", "threads", "rng", "random"]


@pytest.mark.parametrize(
    "path", sorted(package.FOLDER.rglob("*.py")), ids=lambda path: path.relative_to(package.FOLDER).as_posix()
)
def test_uses_only_what_the_course_allows(path):
    assert package.violations(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import numpy",
        "import torch.nn as nn\nnn.Conv2d(1, 1, 1)",
        "import torch\ntorch.zeros(3)",
        "import torch as t\nx = t.nn.functional.conv2d",
        "import torch\ntorch.cuda.synchronize()",
        "import torch\nalias = torch",
        "from torch import nn",
        "from torch import zeros",
        "from torch.nn.functional import conv2d",
        "from torch.nn import functional",
        "from torch.autograd import grad",
        "def later():\n    from tqdm import tqdm",
        "from Proj_2.others.conv import Conv2d",
        "from checker import results",
    ],
)
def test_the_allow_list_has_teeth(source):
    assert package.violations(source)


def test_the_allow_list_allows():
    source = (
        "from __future__ import annotations\nimport math, torch\nfrom pathlib import Path\nfrom . import others\n"
        "from torch import empty, cat, arange, Tensor, cuda\nfrom torch.nn.functional import fold, unfold\n"
        "from .others.conv import Conv2d\ntorch.cuda.is_available()\ntorch.nn.functional.fold\ncuda.is_available()\n"
        "empty(3).zero_().exp()\ntorch.load(Path(), weights_only=True)\ntorch.Tensor.exp\ntorch.empty(2).numel()\n"
    )
    assert package.violations(source) == []
