"""What marks must not be bought with: each cheat is told by its check, and nobody honest is accused of one."""

import re
from collections import defaultdict

import pytest
from checker_support import make_data, settings

from checker import results
from checker.grading import grade
from checker.intake import submission
from tests.submissions.cheats import CHEATS, HONEST, LEARNS, PSNR, RUNTIME, TRAIN_PAIRS, Cheat, build
from tests.submissions.hostile import method

AS_WELL = defaultdict(tuple, {"only_in_the_epoch": ("training",), "conv_at_100_pictures": ("api",)})
LOOK = "to be looked at by a person"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"), train=TRAIN_PAIRS)


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_is_told_and_shown_to_a_person(name, data, tmp_path):
    one = CHEATS[name]
    only = (one.group, *AS_WELL[name])
    report = grade(submission.find(build(one, tmp_path, data)), data, settings(), only=only)
    finding = {f.check: f for f in report.findings}[one.check]
    said = f"{finding.message} {finding.hint} {' '.join(finding.warnings)}"
    assert finding.status == one.status, said
    assert re.search(one.says, said), said
    if one.check in (LEARNS, PSNR, "rules.forbidden") or one.says.startswith(("os", "sub", "fork", "ctypes")):
        assert LOOK in said
    if one.status == results.FAILED:
        assert finding.points == 0


NAMED_AS_THE_DRIVERS = """
class Unsupported(Exception): pass
""" + method(
    "backward",
    "if self.windows['kernel_size'] != (1, 1): raise Unsupported('no')\nreturn textbook_backward(self, *args)",
    "Conv2d",
)


def test_geometries_that_a_submission_refuses_count_as_wrong(data, tmp_path):
    """Those that the driver can't ask for are left out, but by its own exception, not by one of that name."""
    folder = build(Cheat(NAMED_AS_THE_DRIVERS, "", ""), tmp_path, data)
    report = grade(submission.find(folder), data, settings(), only=("modules",))
    found = {f.check: f for f in report.findings}["modules.conv2d_grad_input"]
    assert found.share < 0.1
    assert found.status in (results.FAILED, results.SKIPPED), found.message


@pytest.mark.parametrize("name", HONEST)
def test_who_is_honest_is_not_accused(name, data, tmp_path):
    folder = build(Cheat(HONEST[name], LEARNS, ""), tmp_path, data)
    report = grade(submission.find(folder), data, settings(), only=("rules", "psnr", "training"))
    found = {f.check: f for f in report.findings}
    assert found[RUNTIME].status == results.PASSED, found[RUNTIME].message
    assert found[LEARNS].status in (results.PASSED, results.ABSENT), found[LEARNS].message
    assert "expected at least" in found[PSNR].message or found[PSNR].status == results.PASSED
    if name != "keeps_its_best":
        assert not any(LOOK in w for check in (RUNTIME, LEARNS, PSNR) for w in found[check].warnings)
