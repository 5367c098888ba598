"""Marks follow the mathematics, whatever the style: every correct style above every defect of any style."""

import pytest
from checker_support import make_data, settings

from checker import results
from tests.submissions import styles

SEED = 3
# Every style by itself stays above this, and every defect of every style below: so no defective one is above any
# correct one, though the styles are graded in processes apart.
LOWEST_CORRECT = 0.96


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("style", styles.NAMES)
def test_a_style_and_its_defects(style, data, tmp_path, request):
    """One in three defects, of the next style others; all of them with --slow."""
    correct = styles.graded(styles.FOLDER / style, data, settings(), SEED)
    assert correct.verdict == results.PASSED, [(f.check, f.message) for f in styles.failed(correct)]
    assert styles.marks(correct) >= LOWEST_CORRECT
    undiagnosed = []
    kinds = [*dict.fromkeys(defect for name, defect in styles.DEFECTS if name == style)]
    if not request.config.getoption("--slow"):
        kinds = kinds[styles.NAMES.index(style) % 3 :: 3]
    for kind in kinds:
        report = styles.graded(styles.make(style, kind, tmp_path / kind), data, settings(), SEED)
        assert styles.failed(report), f"{kind} is not found"
        assert styles.marks(report) < LOWEST_CORRECT, f"{kind} is not below every correct style"
        undiagnosed += [] if styles.is_diagnosed(style, kind, report) else [kind]
    assert len(undiagnosed) <= 1, undiagnosed


HANDS_IN_A_POINTER = "matrix_weights"  # of git-LFS in place of its weights


AS_A_WHOLE = styles.styles_a.NAMES + styles.styles_b.NAMES


@pytest.mark.parametrize(
    "style", [pytest.param(name, marks=[pytest.mark.slow] * (i % 3 > 0)) for i, name in enumerate(AS_A_WHOLE)]
)
def test_a_correct_style_passes_as_a_whole(style, data):
    """One in three; all of them with --slow."""
    report = styles.graded(styles.FOLDER / style, data, settings(), SEED, only=())
    told = [(f.check, f.message) for f in styles.failed(report)]
    if style == HANDS_IN_A_POINTER:
        assert [check for check, _ in told] == ["api.loads_pretrained"], told
        assert report.possible / report.max_score >= styles.LEAST
    else:
        assert report.verdict == results.PASSED, told
        assert styles.marks(report) >= styles.LEAST
