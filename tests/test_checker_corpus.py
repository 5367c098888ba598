"""The corpus: every wrong submission gets the verdict that its defect must get, every correct one full marks."""

import pytest
from checker_support import make_data, settings

from checker.grading import grade
from checker.intake import submission
from tests.submissions import table, wrong

CORRECT = table.correct_ones()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"), train=wrong.TRAIN_PAIRS)


WHOLE = 10  # one in so many is graded as a whole, and nothing else of it may fail; all of them with --slow


def groups_of(name: str) -> tuple[str, ...]:
    """What a wrong submission is graded for: the groups in which its defect shows; () are all."""
    if [*wrong.WRONG].index(name) % WHOLE == 0:
        return ()
    groups = {check.partition(".")[0] for check in wrong.WRONG[name].fails}
    return (*groups, "modules")  # conventions are told by how the modules could be used


@pytest.mark.parametrize("name", wrong.WRONG)
def test_wrong_submissions_get_the_verdict_of_their_defect(name, data, tmp_path, request):
    only = () if request.config.getoption("--slow") else groups_of(name)
    report = grade(submission.find(wrong.make(name, tmp_path)), data, settings(), only=only)
    assert wrong.complaints(wrong.WRONG[name], report) == []
    assert report.score + report.beyond[0] < report.max_score + report.beyond[1]


SLOW = {"loops"}  # its loops over pixels take half a minute


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in CORRECT])
def test_correct_submissions_get_full_marks(name, data):
    report = grade(submission.find(CORRECT[name]), data, settings(), seed=1)
    assert table.full_marks(report) == []
    assert (report.score, report.beyond[0]) == (report.max_score, report.beyond[1])
