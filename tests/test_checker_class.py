"""A class: the same results whatever runs beside what, each one whole, and a run that can be ended at any time."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from checker_support import ROOT, TEXTBOOK, make_data, package, settings, textbook

from checker import classroom, cli, regrade, results
from checker.classroom import Entry, Slot, Task, grade_class, submissions
from checker.intake import fingerprint
from checker.sandbox.child import descendants


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


MARKING = regrade.marking(settings(), quick=True)


def task(data: Path, *only: str, **changes) -> Task:
    return replace(Task(data, settings(), only or ("api",), True, 0), **changes)


def hand_in(folder: Path) -> Path:
    """A right one, one in a zip, one in a zip in a folder, one with a defect, one that crashes, and none at all."""
    textbook(folder / "right")
    textbook(folder / "defect", ("model.py", "Path(__file__).parent / ", "Path('Proj_2') / "))
    package(folder / "crash", "import os; os._exit(0)")
    (folder / "none").mkdir()
    (folder / "moodle").mkdir()
    shutil.make_archive(str(folder / "zipped"), "zip", TEXTBOOK)
    shutil.copy(folder / "zipped.zip", folder / "moodle" / "hand-in.zip")
    (folder / "damaged.zip").write_bytes(b"PK damaged")
    return folder


def without_times(report: results.Report) -> results.Report:
    findings = tuple(replace(finding, seconds=0) for finding in report.findings)
    return replace(report, seconds=0, output="", findings=findings)


def test_results_depend_neither_on_jobs_nor_on_order(data, tmp_path, capsys):
    folder = hand_in(tmp_path / "class")
    (folder / "notes.txt").touch()
    together = grade_class(folder, tmp_path / "together", task(data), jobs=3)
    assert "notes.txt" in capsys.readouterr().err
    parts = [grade_class(folder, tmp_path / "parts", task(data), 1, (k, 2)) for k in (1, 0)]
    assert not (tmp_path / "parts" / "scores.csv").exists()
    collected = grade_class(folder, tmp_path / "parts", task(data), jobs=1)
    assert collected == sorted([*parts[0], *parts[1]], key=lambda report: report.submission)
    assert [without_times(r) for r in collected] == [without_times(r) for r in together]
    for name in ("scores.csv", "leaderboard.txt"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "together" / name).read_bytes()

    by_name = {report.submission: report for report in together}
    assert list(by_name) == ["crash", "damaged.zip", "defect", "moodle", "none", "right", "zipped.zip"]
    passed = {name for name, report in by_name.items() if report.verdict == results.PASSED}
    assert passed == {"right", "zipped.zip", "moodle"}
    assert {report.verdict for report in together} == {results.PASSED, results.FAILED}
    assert len({report.max_score for report in together}) == 1


def processes() -> set[int]:
    return set(descendants(os.getpid()))


def start(folder: Path, data: Path, out: Path) -> subprocess.Popen:
    command = [sys.executable, "test.py", "--all", folder, "-d", data, "--out", out, "--jobs", "2", "--only", "api"]
    environment = {**os.environ, "TMPDIR": str(out.parent / "tmp")}
    return subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def wait_until(condition, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.02)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_ended_and_started_again_it_goes_on(how, data, tmp_path):
    folder, out = tmp_path / "class", tmp_path / "out"
    (tmp_path / "tmp").mkdir(mode=0o755)
    names = [f"s{number}" for number in range(5)]
    for name in names:
        textbook(folder / name)
    source = folder / "s0" / "Proj_2" / "model.py"
    right = source.read_text()
    source.write_text("import time; time.sleep(40)\n")  # so that something is going on when the run is ended
    run = start(folder, data, out)
    files = out / "submissions"
    wait_until(lambda: list(files.glob("*.json")) or run.poll() is not None)
    family = descendants(run.pid)
    os.kill(run.pid, how)
    said = run.communicate()[0]
    assert run.returncode == (-how if how == signal.SIGKILL else cli.NO_VERDICT), said
    wait_until(lambda: not [pid for pid in family if os.path.exists(f"/proc/{pid}")], 20)
    assert len(family) >= 5  # two that grade, what each of them started, and the one that sleeps
    finished = {path.name: path.stat().st_mtime_ns for path in files.glob("*.json")}
    assert finished
    assert "s0.json" not in finished
    for name in finished:
        assert json.loads((files / name).read_text())["verdict"] == results.PASSED
    if how == signal.SIGINT:
        assert "goes on" in said
        assert len((out / "scores.csv").read_text().splitlines()) == 1 + len(finished)

    source.write_text(right)
    run = start(folder, data, out)
    said = run.communicate(timeout=300)[0]
    assert run.returncode == cli.OK, said
    assert "5 submissions: 5 passed, 0 failed, 0 to be looked at, 0 without a verdict" in said
    after = {path.name: path.stat().st_mtime_ns for path in files.glob("*.json")}
    assert {name: after[name] for name in finished} == finished  # not graded again
    assert sorted(after) == [f"{name}.json" for name in names]
    assert len((out / "scores.csv").read_text().splitlines()) == 1 + len(names)
    assert not [path for path in (tmp_path / "tmp").iterdir() if path.name.startswith("class-")]


def test_what_an_ended_submission_is_still_writing_is_removed_too(tmp_path, monkeypatch):
    work, removed = tmp_path / "class-x", shutil.rmtree
    work.mkdir()

    def raced(folder, **options):
        monkeypatch.setattr(shutil, "rmtree", removed)
        removed(folder, **options)
        folder.mkdir()
        (folder / "late").touch()

    monkeypatch.setattr(shutil, "rmtree", raced)
    assert classroom.remove(work)
    assert not work.exists()


def test_only_what_changed_is_graded_again(data, tmp_path, monkeypatch):
    folder, out = tmp_path / "class", tmp_path / "out"
    for name in ("one", "two"):
        package(folder / name, "x = 1\n")
    work = task(data, "structure")

    def graded_again(work=work) -> list[str]:
        before = {p.name: p.stat().st_mtime_ns for p in (out / "submissions").glob("*.json")}
        grade_class(folder, out, work, jobs=1)
        after = {p.name: p.stat().st_mtime_ns for p in (out / "submissions").glob("*.json")}
        return sorted(name for name in after if before.get(name) != after[name])

    everything = ["one.json", "two.json"]
    assert graded_again() == everything
    assert graded_again() == []
    (folder / "two" / "Proj_2" / "model.py").write_text("x = 2\n")
    assert graded_again() == ["two.json"]
    (out / "submissions" / "one.json").write_text('{"version": 1, "cut off')
    assert graded_again() == ["one.json"]
    assert graded_again(replace(work, seed=1)) == everything
    assert graded_again(replace(work, settings=settings(memory_mb=5000))) == everything
    monkeypatch.setattr(fingerprint, "of_grader", lambda: "a later version")
    assert graded_again() == everything
    other = make_data(tmp_path / "other", train=3, val=3)
    assert graded_again(replace(work, data=other)) == everything
    assert graded_again(replace(work, data=other)) == []


def test_a_fingerprint_covers_names_contents_and_links(tmp_path):
    def digest(cap=None):
        return fingerprint.of_files(tmp_path, cap=cap)

    seen = [digest()]
    (tmp_path / "a.py").write_text("1")
    seen.append(digest())
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    seen.append(digest())
    (tmp_path / "c").symlink_to("b.py")
    seen.append(digest())
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "b.pyc").touch()
    assert digest() == seen[-1]
    assert len(set(seen)) == 4
    with open(tmp_path / "large", "wb") as file:
        file.truncate(1 << 40)  # holds nothing, but would take hours to read
    assert digest(cap=1 << 20) != seen[-1]


def test_a_grading_process_that_dies_costs_one_verdict_and_is_no_verdict(data, tmp_path):
    textbook(tmp_path / "class" / "one")
    (tmp_path / "submissions").mkdir()
    entry = Entry(tmp_path / "class" / "one", tmp_path / "submissions" / "one.json", "key", MARKING)
    slot = Slot(task(data), tmp_path)
    try:
        slot.start(entry)
        os.kill(slot.process.pid, signal.SIGKILL)
        finished, report = slot.finish()
    finally:
        slot.end()
    assert finished == entry
    assert report.verdict == results.ERROR
    assert "-9" in report.findings[0].message
    assert entry.report() is None  # so it is graded again


def test_what_the_grader_could_not_judge_is_graded_again(data, tmp_path):
    entry = Entry(tmp_path / "one", tmp_path / "one.json", "key", MARKING)
    entry.write(classroom.no_verdict("one", "the grader broke"))
    assert entry.report() is None
    entry.write(results.Report("one", (results.Finding("a.b", "T", "a", results.FAILED, 1),)))
    assert entry.report().submission == "one"
    assert replace(entry, key="other").report() is None


def test_a_fault_of_the_grader_is_a_report_too(data, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("checker.grading.grade", broken)
    report = classroom.grade_one(textbook(tmp_path), task(data))
    assert report.verdict == results.ERROR
    assert "ours" in report.findings[0].message


def test_two_runs_do_not_fill_one_folder(data, tmp_path):
    package(tmp_path / "class" / "one", "x = 1\n")
    (tmp_path / "out").mkdir()
    with classroom.alone(tmp_path / "out", (0, 1)) as work:
        assert work.is_dir()
        with pytest.raises(RuntimeError, match="another run"):
            grade_class(tmp_path / "class", tmp_path / "out", task(data), jobs=1)
    assert not work.exists()


def test_what_counts_as_a_submission(tmp_path, capsys):
    out = tmp_path / "results"
    for name in ("b", ".git", "results"):
        (tmp_path / name).mkdir()
    (tmp_path / "a.ZIP").touch()
    (tmp_path / "roster.csv").touch()
    (tmp_path / "link").symlink_to("b")
    assert [path.name for path in submissions(tmp_path, out)] == ["a.ZIP", "b"]
    assert "link, roster.csv" in capsys.readouterr().err
    with pytest.raises(ValueError, match="no submissions"):
        submissions(tmp_path / "b", out)
    (tmp_path / "Proj_2").mkdir()
    with pytest.raises(ValueError, match="is one submission"):
        submissions(tmp_path, out)
