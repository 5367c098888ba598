"""What the staff does with the results of a class: its page, marks anew, one result, and what can go wrong."""

import csv
import json
import os
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from checker_support import make_data, package, settings, textbook

from checker import classroom, cli, config, files, regrade, results, stored, tables
from checker.classroom import Task, grade_class
from checker.grading import grade
from checker.intake import submission
from checker.reporters import classpage
from checker.results import Finding, Report
from checker.similarity.found import Alike, Pair
from tests import synthetic_class

LOADED = re.compile(r"https?:|src=|@import|url\(")
NASTY = "</script><b>&\"'%41 #?"


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    """A class of 40 results, without any grading."""
    out = tmp_path_factory.mktemp("results")
    synthetic_class.write(out, 40)
    return out


@pytest.fixture
def out(synthetic, tmp_path):
    return Path(shutil.copytree(synthetic, tmp_path / "out"))


def states(report: Report) -> list[tuple]:
    return [(f.check, f.status, f.points, f.max_points, f.kind, f.visibility, f.share) for f in report.findings]


# The page ---------------------------------------------------------------------------------------------


def test_the_page_of_a_class_is_whole_and_loads_nothing(synthetic):
    page = (synthetic / "class.html").read_text()
    assert not LOADED.search(page)
    assert page.count("<script>") == 1
    assert "script-src 'sha256-" in page
    for name in stored.names(synthetic):
        assert f'href="submissions/{name}.html"' in page
        assert (synthetic / "submissions" / f"{name}.html").is_file()
    for said in ("What to teach next week", "What awaits a person", "Code in common", "Checks by how often they fail",
                 "Every submission", "Grading took", "<svg", "pairs/001.html", "the grader broke"):  # fmt: skip
        assert said in page
    assert page.count("<article>") == 3


def test_the_page_shows_what_it_is_given_as_text():
    finding = Finding("modules.x", NASTY, "modules", results.FAILED, 2, message=NASTY, hint=NASTY, source=NASTY)
    reports = [Report(NASTY, (finding,)), Report("b", (replace(finding, status=results.PASSED, points=2),))]
    alike = Alike((Pair("b", NASTY, (0.8, 0.7)),), None, (NASTY,))
    page = classpage.render(reports, ["modules"], 20.0, alike)
    assert "<b>&" not in page
    assert "</script><b>" not in page
    assert "submissions/%3C/script%3E%3Cb%3E%26%22%27%2541%20%23%3F.html" in page
    assert page.count("80%") == 3  # in its section, and in the row of both


def test_the_most_frequent_mistakes_have_an_example_and_everybody_who_made_them():
    def failed(name, check, message, hint="", source=""):
        return Report(
            name, (Finding(check, f"T {check}", "m", results.FAILED, 1, message=message, hint=hint, source=source),)
        )

    reports = [failed(f"a{i}", "m.one", "long message", "Is it +=?", "grad = x" if i == 2 else "") for i in range(3)]
    reports += [failed("b", "m.two", "m", "Is it +=?"), failed("c", "m.three", "other"), failed("c2", "m.three", "o")]
    first, second = classpage.statistics.mistakes(reports, 2)
    assert (first.example.source, first.names) == ("grad = x", ("a0", "a1", "a2", "b"))
    assert (second.example.message, second.names) == ("o", ("c", "c2"))


RELU = ("others/modules.py", "return grad_y * self.mask", "return grad_y.clamp(min=0)")

# Marks anew -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("defect", [(), (("others/modules.py", "* self.y * (1 - self.y)", "* self.y"),)])
def test_marks_anew_are_those_of_grading_again(defect, data, tmp_path):
    handed_in = submission.find(textbook(tmp_path, *defect))
    first, then = settings(), settings()
    then["points"]["modules"] |= {"conv2d_forward": 7, "sigmoid_backward": 3.5}
    then["kinds"]["beyond"] = ["beyond", "modules.sigmoid_backward"]
    then["visibility"]["modules.relu_forward"] = "hidden"
    then["psnr"]["pass_db"] = 60.0
    only = ("modules", "psnr")
    graded, again = (grade(handed_in, data, which, only=only) for which in (first, then))
    marking = [regrade.marking(which, quick=False) for which in (first, then)]
    assert states(regrade.again(graded, *marking)) == states(again) != states(graded)
    assert states(regrade.again(again, *marking[::-1])) == states(graded)
    assert regrade.again(graded, *marking).verdict == again.verdict


def test_marks_anew_take_seconds_and_run_nothing(out, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(classroom, "Slot", None)
    own = tmp_path / "own.toml"
    own.write_text("[points.optimiser]\nmse_backward = 80\n")
    before = {name: stored.find(out, name).report for name in stored.names(out)}
    started = time.process_time()
    assert cli.main(["--regrade", "--out", str(out), "--config", str(own)]) == cli.NO_VERDICT  # zz-broken has none
    assert time.process_time() - started < 5
    after = {name: stored.find(out, name).report for name in before}
    gained = {name: round(after[name].score - before[name].score, 6) for name in before}
    assert set(gained.values()) <= {0, 72}
    assert 72 in gained.values()
    assert "have another mark" in capsys.readouterr().out
    assert cli.main(["--regrade", "--out", str(out)]) == cli.NO_VERDICT
    assert {name: stored.find(out, name).report for name in before} == before
    capsys.readouterr()
    assert cli.main(["--regrade", "--out", str(out)]) == cli.NO_VERDICT
    assert "\n0 have another mark" in capsys.readouterr().out


OVERWRITES = ("others/modules.py", "self.weight_grad += (grad @", "self.weight_grad[:] = (grad @")


def test_who_overwrites_gradients_fails_for_that_alone_unless_the_settings_make_it_a_convention(
    data, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "110")
    folder, out, own = tmp_path / "class", tmp_path / "out", tmp_path / "own.toml"
    for name, *more in (("both", RELU), ("overwrites",)):
        textbook(folder / name, OVERWRITES, *more)
    work = Task(data, settings(), ("modules", "behaviour"), True, 0)
    both, one = grade_class(folder, out, work, jobs=1)
    assert both.verdict == one.verdict == results.FAILED
    assert both.alone is None
    assert one.alone.check == "behaviour.accumulates"
    assert "asks that they add up until zero_grad()" in one.alone.hint
    capsys.readouterr()
    cli.main(["--explain", "overwrites", "--out", str(out)])
    *_, said, last = capsys.readouterr().out.splitlines()
    assert said == "It fails for one thing alone: “A second backward adds to the parameters' gradients”."
    assert last.startswith("FAILED")
    assert "fails for one thing alone: “A second" in (out / "submissions" / "overwrites.html").read_text()
    assert "for one thing alone" not in (out / "submissions" / "both.html").read_text()
    alone = (out / "class.html").read_text().partition("Who fails for one thing alone")[2].partition("<h2>")[0]
    assert "behaviour.accumulates" in alone
    assert ">overwrites</a>" in alone
    assert ">both</a>" not in alone
    rows = {row["submission"]: row["fails_alone"] for row in csv.DictReader((out / "scores.csv").open())}
    assert rows == {"both": "", "overwrites": "behaviour.accumulates"}

    line = 'convention = ["conventions", "structure.init_file", "rules.helpers", "behaviour.accumulates"]'
    assert line in Path(classroom.__file__).with_name("README.md").read_text()
    own.write_text(f"[kinds]\n{line}\n")
    assert cli.main(["--regrade", "--out", str(out), "--config", str(own)]) == cli.OK
    both_anew, anew = (stored.find(out, name).report for name in ("both", "overwrites"))
    assert (anew.verdict, anew.score, anew.alone) == (results.PASSED, one.score, None)
    assert both_anew.alone.check == "modules.relu_backward"
    assert "behaviour.accumulates" not in {row["fails_alone"] for row in csv.DictReader((out / "scores.csv").open())}


def test_only_failed_keeps_what_passed_whatever_has_changed(data, tmp_path):
    folder, out = tmp_path / "class", tmp_path / "out"
    for name in ("good", "bad"):
        package(folder / name, "x = 1\n")
    shutil.rmtree(folder / "bad" / "Proj_2")
    work = Task(data, settings(), ("structure",), True, 0)
    assert [r.verdict for r in grade_class(folder, out, work, jobs=1)] == [results.FAILED, results.PASSED]
    times = {name: (out / "submissions" / f"{name}.json").stat().st_mtime_ns for name in ("good", "bad")}
    grade_class(folder, out, replace(work, seed=1), jobs=1, only_failed=True)
    again = {name: (out / "submissions" / f"{name}.json").stat().st_mtime_ns for name in times}
    assert (again["good"] == times["good"], again["bad"] == times["bad"]) == (True, False)


def test_one_result_is_explained(out, capsys):
    name = stored.names(out)[0]
    report = stored.find(out, name).report
    assert cli.main(["--explain", name, "--out", str(out)]) == cli.exit_code(report)
    assert f"{report.score:g}" in capsys.readouterr().out


# Bad input --------------------------------------------------------------------------------------------


def run(*arguments, capsys) -> str:
    """What test.py says on stderr, in one line, for what it can't do."""
    assert cli.main([str(argument) for argument in arguments]) == cli.NO_VERDICT
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1, said
    return said[0]


DAMAGED = {
    "empty": ("", "damaged"),
    "truncated": (None, "damaged"),
    "a list": ("[1, 2]", "damaged"),
    "nested": ("[" * 100_000, "damaged"),
    "not UTF-8": (b"\xff\xfe", "damaged"),
    "another format": ('{"version": 1}', "format 1; expected 2"),
    "no number": ("score", "damaged"),
}


@pytest.mark.parametrize("how", DAMAGED)
def test_an_unreadable_result_is_said_left_as_it_is_and_costs_no_other(how, out, capsys):
    content, said = DAMAGED[how]
    name = stored.names(out)[3]
    path = out / "submissions" / f"{name}.json"
    whole = path.read_bytes()
    if content == "score":
        values = json.loads(whole)
        values["findings"][0]["points"] = "many"
        content = json.dumps(values)
    damaged = (
        whole[: len(whole) // 2] if content is None else content if isinstance(content, bytes) else content.encode()
    )
    path.write_bytes(damaged)
    assert said in run("--explain", name, "--out", out, capsys=capsys)
    message = run("--regrade", "--out", out, capsys=capsys)
    assert said in message
    assert str(path) in message
    assert path.read_bytes() == damaged
    assert len((out / "scores.csv").read_text().splitlines()) == len(stored.names(out))  # a header, and one less


def test_what_is_no_class_is_said(out, tmp_path, capsys):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds no submissions" in run("--all", empty, "--out", out, "-d", empty, "--only", "api", capsys=capsys)
    assert "no such folder of submissions" in run(
        "--all", tmp_path / "no", "--out", out, "-d", empty, "--only", "api", capsys=capsys
    )
    assert "holds no results" in run("--regrade", "--out", empty, capsys=capsys)
    assert "no such folder of results" in run("--explain", "x", "--out", tmp_path / "no", capsys=capsys)
    close = stored.names(out)[0][:-1]
    assert "did you mean student-0" in run("--explain", close, "--out", out, capsys=capsys)


@pytest.mark.parametrize(
    "place", ["class.html", "scores.csv", "pairs.json", "submissions/one.json", "submissions/one.html"]
)
def test_a_folder_in_the_place_of_a_file_is_said_before_any_work(place, data, tmp_path, capsys):
    package(tmp_path / "class" / "one", "x = 1\n")
    (tmp_path / "out" / place).mkdir(parents=True)
    message = run("--all", tmp_path / "class", "--out", tmp_path / "out", "-d", data, "--only", "api", capsys=capsys)
    assert f"{place} is a folder" in message


@pytest.mark.parametrize("place", ["", "submissions", "pairs"])
def test_a_file_in_the_place_of_a_folder_is_said_before_any_work(place, data, tmp_path, capsys):
    package(tmp_path / "class" / "one", "x = 1\n")
    path = tmp_path / "out" / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    message = run("--all", tmp_path / "class", "--out", tmp_path / "out", "-d", data, "--only", "api", capsys=capsys)
    assert "a file is in its place" in message
    assert path.read_text() == "mine"


def test_a_read_only_folder_is_said_before_any_work(out, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # who runs the tests may be root, to whom nothing is
    before = {path: path.read_bytes() for path in out.rglob("*.*") if path.is_file()}
    assert "read-only" in run("--regrade", "--out", out, capsys=capsys)
    assert {path: path.read_bytes() for path in out.rglob("*.*") if path.is_file()} == before


def test_a_page_that_can_not_be_written_in_the_end_loses_no_result(data, tmp_path, monkeypatch, capsys):
    package(tmp_path / "class" / "one", "x = 1\n")
    write = files.write

    def full(path, content):
        if path.name == tables.PAGE:
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(files, "write", full)
    arguments = (
        "--all",
        tmp_path / "class",
        "--out",
        tmp_path / "out",
        "-d",
        data,
        "--only",
        "structure",
        "--jobs",
        1,
    )
    said = run(*arguments, capsys=capsys)
    assert "class.html can't be written (No space left on device)" in said
    assert "are kept" in said
    monkeypatch.undo()
    assert stored.find(tmp_path / "out", "one").report.verdict == results.PASSED
    monkeypatch.setattr(classroom, "Slot", None)  # nothing is graded again
    assert cli.main([str(argument) for argument in arguments]) == cli.OK
    assert (tmp_path / "out" / "class.html").is_file()


def test_the_settings_of_the_results_need_not_be_those_of_today(out):
    name = stored.names(out)[0]
    path = out / "submissions" / f"{name}.json"
    old = stored.read(path)
    new = old.with_marks(regrade.marking(config.load(), quick=True) | {"points": {}})
    assert new.report.max_score > 0  # each keeps its points
