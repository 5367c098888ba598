"""The command line: files that are written, what hidden checks do, and usage that is wrong."""

import base64
import json
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from checker_support import ROOT, TEXTBOOK, make_data, package, textbook
from schema import GITHUB, GRADESCOPE, problems

from checker import cli


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def own(tmp_path):
    """A configuration that hides one check and asks little of the PSNR."""
    file = tmp_path / "own.toml"
    file.write_text("[psnr]\npass_db = 18.0\n[visibility]\n'psnr.pretrained_model' = 'hidden'\n")
    return file


def results_in(line: str) -> dict:
    return json.loads(base64.b64decode(line.removeprefix("result=")))


def test_every_file_that_is_asked_for_is_written(data, tmp_path, capsys):
    (tmp_path / "own.toml").write_text("[psnr]\npass_db = 18.0\n")
    names = {
        name: tmp_path / f"report.{name}" for name in ("json", "junit", "html", "montage", "gradescope", "github")
    }
    arguments = ["-p", str(TEXTBOOK), "-d", str(data), "--only", "psnr", "--config", str(tmp_path / "own.toml")]
    for name, path in names.items():
        arguments += [f"--{name}", str(path)]
    assert cli.main(arguments) == cli.OK, capsys.readouterr()
    assert json.loads(names["json"].read_text())["verdict"] == "passed"
    assert ElementTree.parse(names["junit"]).getroot().get("failures") == "0"
    assert names["html"].read_text().count("<img") == 30
    assert names["montage"].read_bytes().startswith(b"\x89PNG")
    assert problems(json.loads(names["gradescope"].read_text()), GRADESCOPE) == []
    first, last = (results_in(line) for line in names["github"].read_text().splitlines())
    assert (first["status"], last["status"]) == ("error", "pass")  # the last line counts
    assert problems(first, GITHUB) == problems(last, GITHUB) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["own.toml", *(path.name for path in names.values())]
    )


def test_hidden_checks_are_for_staff_and_platforms_that_hide(data, own, tmp_path, capsys):
    one, sent = tmp_path / "one.json", tmp_path / "sent.json"
    arguments = ["-p", str(textbook(tmp_path / "x")), "-d", str(data), "--only", "psnr", "--config", str(own)]
    arguments += ["--json", str(one), "--gradescope", str(sent)]
    assert cli.main(arguments) == cli.OK
    assert "PSNR" not in capsys.readouterr().out
    assert "psnr" not in one.read_text().lower()
    tests = json.loads(sent.read_text())["tests"]
    assert [test["visibility"] for test in tests if test["tags"] == ["psnr"]] == ["hidden"]
    assert cli.main([*arguments, "--staff"]) == cli.OK
    assert "pretrained model" in capsys.readouterr().out
    assert "psnr.pretrained_model" in one.read_text()


def test_no_pictures_where_nothing_was_predicted(data, tmp_path, capsys):
    folder, montage, page = package(tmp_path / "x", "x = 1\n"), tmp_path / "m.png", tmp_path / "p.html"
    arguments = ["-p", str(folder), "-d", str(data), "--only", "psnr", "--montage", str(montage), "--html", str(page)]
    assert cli.main(arguments) == cli.SUBMISSION_FAILED
    assert "is not written" in capsys.readouterr().err
    assert not montage.exists()
    assert "<img" not in page.read_text()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--json", "missing/x.json"], "no folder missing"),
        (["--html", "."], "is a folder"),
        (["--out", "x"], "--all"),
        (["--all", "."], "--out"),
        (["--all", ".", "--out", "x", "-p", "y"], "--project"),
        (["--all", ".", "--out", "x", "--html", "y"], "--html"),
        (["--all", ".", "--out", "x", "--jobs", "0"], "--jobs 0"),
        (["--all", "missing", "--out", "x"], "no such folder"),
        (["--only", "nothing"], "--only nothing"),
        (["-p", "missing"], "no such folder"),
    ],
)
def test_wrong_usage_is_told_in_a_sentence_before_any_work(wrong, said, data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["-d", str(data), *wrong]) == cli.NO_VERDICT
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong", [["-p", "missing"], ["--all", "empty", "--out", "x"], ["--all", ".", "--out", "file"]]
)
def test_no_data_is_built_for_wrong_usage(wrong, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("data.build.build", lambda out: pytest.fail("it takes minutes"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    assert cli.main(["-d", str(tmp_path), *wrong]) == cli.NO_VERDICT
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("error: ")


@pytest.mark.parametrize("value", ["2/2", "1", "a/b", "-1/2"])
def test_a_part_is_k_of_n(value, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.parser().parse_args([f"--part={value}"])
    assert ended.value.code == cli.NO_VERDICT
    assert "expected K/N" in capsys.readouterr().err


def test_platforms_hear_of_wrong_usage_too(data, tmp_path):
    sent, step = tmp_path / "results.json", tmp_path / "step"
    arguments = ["-p", str(tmp_path / "missing"), "-d", str(data), "--gradescope", str(sent), "--github", str(step)]
    assert cli.main(arguments) == cli.NO_VERDICT
    assert problems(json.loads(sent.read_text()), GRADESCOPE) == []
    assert results_in(step.read_text().splitlines()[-1])["status"] == "error"


def test_help_names_every_option():
    done = subprocess.run([sys.executable, "test.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for option in ("--json", "--junit", "--html", "--only", "--quick", "--all", "--jobs", "--out"):
        assert option in done.stdout
