"""Sequential: building it, and state dicts that torch.nn.Sequential reads and writes."""

import oracle
import pytest


def test_sequential(fw):
    oracle.check_sequential(fw)


@pytest.mark.parametrize("spec", [spec for spec in oracle.MODULES if "(Conv" in spec or "unet" in spec])
def test_state_dict(fw, spec):
    oracle.check_state_dict(fw, spec)


def test_foreign_state_dict(fw):
    oracle.check_foreign_state_dict(fw)
