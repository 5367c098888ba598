"""Who shares code: a copy is found whatever its names and order, and no two who wrote independently of each other."""

import json
import re
from html import unescape

import pytest
from checker_support import TEXTBOOK, package, textbook
from disguise import disguised

from checker import samecode
from checker.intake import submission
from checker.reporters import pairpage
from checker.similarity import found
from checker.similarity.compare import FEWEST, HANDOUT, MOST, Comparison
from checker.similarity.found import THRESHOLD, Alike, Pair
from tests.submissions import styles, table

ONE_HAND = {"shared_state", "steps_inside"}  # one was written after the other
ALLOWED = re.compile(r"https?:|src=|@import|url\(|<script")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The sources of all correct submissions of the tests, which were written independently of each other."""
    folders = table.correct_ones() | {name: styles.FOLDER / name for name in styles.NAMES}
    return {name: submission.source(submission.find(folder)) for name, folder in folders.items()}


def of_one_hand(pair: Pair) -> bool:
    return {pair.left.removesuffix(" copied"), pair.right.removesuffix(" copied")} == ONE_HAND


def files_of(text: str) -> list[str]:
    return re.split(r"^# '.*\.py'$", text, flags=re.MULTILINE)


def test_copies_come_first_and_nobody_else_is_above_the_threshold(texts):
    assert len(texts) >= 19
    copies = {f"{name} copied": disguised(files_of(text), seed) for seed, (name, text) in enumerate(texts.items())}
    comparison = Comparison(texts | copies)
    assert comparison.left_out == []
    pairs = comparison.pairs()
    first = pairs[: len(texts)]
    assert {(pair.left, pair.right) for pair in first} == {(name, f"{name} copied") for name in texts}
    assert min(pair.value for pair in first) > THRESHOLD + 0.2  # 0.72
    others = [pair for pair in pairs[len(texts) :] if not of_one_hand(pair)]
    assert max(pair.value for pair in others) < THRESHOLD - 0.1  # 0.36
    assert pairs[len(texts)].value < THRESHOLD  # 0.46, of one hand


def test_too_little_and_too_much_are_left_out(texts):
    handout = HANDOUT.read_text(encoding="utf-8")
    short = "def f(x):\n    return x + 1\n"
    comparison = Comparison({"a": texts["loops"], "b": handout, "c": handout, "d": short, "e": "x = [0]\n" * MOST})
    assert comparison.left_out == ["b", "c", "d", "e"]
    assert comparison.prints["a"].token_coverage > FEWEST


def test_a_source_that_is_no_python_is_compared_all_the_same(texts):
    broken = texts["loops"] + "\ndef f(:\n"
    (pair,) = Comparison({"a": texts["loops"], "b": broken}).pairs()
    assert pair.value > 0.99


def test_the_source_of_a_submission(tmp_path):
    folder = package(tmp_path / "one", "x = 1\r\ny = 2\x0c")
    (folder / "Proj_2" / "notes.txt").write_text("not this")
    (folder / "Proj_2" / "latin.py").write_bytes(b"z = '\xe9'\n")
    text = submission.source(submission.find(folder))
    assert "x = 1\ny = 2\n" in text
    assert "'\N{REPLACEMENT CHARACTER}'" in text
    assert "not this" not in text
    (tmp_path / "none").mkdir()
    assert submission.source(submission.find(tmp_path / "none")) == ""


def test_the_two_sides_are_shown_as_they_are_and_lead_to_each_other(texts):
    left, right = texts["textbook"], disguised(files_of(texts["textbook"])) + "\nx = '</pre><script>'\n"
    comparison = Comparison({"one": left, "two & <b>": right})
    (pair,) = comparison.pairs()
    shown = pairpage.render(pair, (left, right), comparison.shared(pair))
    assert not ALLOWED.search(shown)
    columns = re.findall(r"<pre>(.*?)</pre>", shown, re.DOTALL)
    for text, column in zip((left, right), columns, strict=True):
        assert unescape(re.sub("<.*?>", "", column)) == text
    targets, ids = set(re.findall(r'href="#(\w+)"', shown)), set(re.findall(r'id="(\w+)"', shown))
    assert len(targets) > 20
    assert targets <= ids
    marked = "".join(re.findall(r"<a [^>]*>(.*?)</a>", columns[0]))
    assert len(marked.split()) > 0.7 * len(left.split()) - 100


def test_pairs_are_stored_with_their_pages_and_compared_again_only_if_a_source_changed(tmp_path, monkeypatch):
    one, out = textbook(tmp_path / "one"), tmp_path / "out"
    copied = disguised([path.read_text() for path in sorted(TEXTBOOK.rglob("*.py"))])
    two, tiny = package(tmp_path / "two", copied), package(tmp_path / "tiny", "x = 1\n")
    out.mkdir()
    samecode.update([one, two, tiny], out)
    alike = found.read(out)
    assert [(pair.left, pair.right) for pair in alike.pairs] == [("one", "two")]
    assert (alike.below, alike.left_out) == (None, ("tiny",))
    assert (out / alike.page(alike.pairs[0])).read_text().count("<pre>") == 2

    monkeypatch.setattr(samecode, "Comparison", None)  # would raise
    samecode.update([one, two, tiny], out)
    monkeypatch.undo()
    (two / "Proj_2" / "model.py").write_text("y = 2\n")
    samecode.update([one, two, tiny], out)
    assert found.read(out).pairs == ()
    assert list((out / "pairs").iterdir()) == []


@pytest.mark.parametrize("content", ["", "[]", "{", '{"pairs": [1]}', json.dumps({"pairs": [], "below": 3})])
def test_a_damaged_file_of_pairs_is_none(content, tmp_path):
    assert found.read(tmp_path) is None
    (tmp_path / found.FILE).write_text(content)
    assert found.read(tmp_path) is None
    alike = Alike((Pair("a", "b", (0.9, 0.8)),), None, ("c",), "key")
    found.write(tmp_path, alike)
    assert found.read(tmp_path) == alike
    assert (alike.pairs[0].value, alike.pairs[0].other("a"), alike.of("c")) == (0.9, "b", [])
