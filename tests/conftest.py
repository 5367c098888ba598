"""What every test shares: one seed, no leaking of global switches, and the option `--slow`."""

import signal
from types import SimpleNamespace

import oracle
import pytest
import torch


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the tests marked slow too (minutes)")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes a minute or more; run only with --slow")
    # A job that a script started in the background has SIGINT ignored, and so would every program that a test starts
    # and then interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow; run with --slow"))


@pytest.fixture(autouse=True)
def _isolated():
    """Seed torch, and put the global switches back whatever a test did with them."""
    torch.manual_seed(0)
    grad_mode, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    yield
    torch.set_grad_enabled(grad_mode)
    torch.set_default_dtype(dtype)


@pytest.fixture(scope="session")
def fw():
    """The framework under test: a namespace of the names that `model` exports, and of the U-Net's builder."""
    from Proj_2 import model
    from Proj_2.others.networks import unet

    return SimpleNamespace(unet=unet, **{name: getattr(model, name) for name in oracle.NAMES})
