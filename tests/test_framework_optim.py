"""SGD and Adam, step for step beside torch's."""

import oracle
import pytest
import torch

OPTIONS = [
    ("SGD", {"lr": 0.5}),
    ("SGD", {"lr": 0.5, "momentum": 0.9}),
    ("SGD", {"lr": 0.5, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.5, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.5, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.5, "momentum": 0.8, "dampening": 0.1, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.5, "momentum": 0.8, "weight_decay": 0.01, "nesterov": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.01, "betas": (0.8, 0.95)}),
    ("Adam", {"lr": 0.01, "eps": 1e-2}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1}),
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_step_for_step(fw, name, options, dtype):
    oracle.check_optimiser(fw, name, options, dtype=dtype)
