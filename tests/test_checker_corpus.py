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


@pytest.mark.parametrize("name", wrong.WRONG)
def test_wrong_submissions_get_the_verdict_of_their_defect(name, data, tmp_path):
    report = grade(submission.find(wrong.make(name, tmp_path)), data, settings())
    assert wrong.complaints(wrong.WRONG[name], report) == []
    assert report.score + report.beyond[0] < report.max_score + report.beyond[1]


@pytest.mark.parametrize("name", CORRECT)
def test_correct_submissions_get_full_marks(name, data):
    report = grade(submission.find(CORRECT[name]), data, settings(), seed=1)
    assert table.full_marks(report) == []
    assert (report.score, report.beyond[0]) == (report.max_score, report.beyond[1])
