"""Buffers that are kept between steps never alias what a caller holds, nor reach another instance or batch."""

import oracle
import pytest


@pytest.mark.parametrize("spec", oracle.MODULES)
def test_nobody_disturbs_anybody(fw, spec):
    oracle.check_buffers(fw, spec)


@pytest.mark.parametrize("spec", oracle.MODULES)
def test_callers_may_write_into_what_they_were_given(fw, spec):
    oracle.check_scribbling(fw, spec)


@pytest.mark.parametrize("spec", [spec for spec in oracle.MODULES if "Sequential()" not in spec])
def test_memory_given_away_and_reused(fw, spec):
    oracle.check_scratch(fw, spec)
