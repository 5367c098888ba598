"""The platforms: what is put into their packages, and a run in the layout that Gradescope has."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from checker_support import ROOT, TEXTBOOK, make_data, package
from schema import GRADESCOPE, problems

from checker.__main__ import main
from checker.reporters import packaging

OWN = """
psnr.pass_db = 18.0
training.quick_pairs = 50
visibility."psnr.pretrained_model" = "hidden"
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def root(data, tmp_path_factory):
    """A folder like the platform's /autograder after setup.sh, which is not run here: it installs packages."""
    root = tmp_path_factory.mktemp("autograder")
    own = root / "own.toml"
    own.write_text(
        "[psnr]\npass_db = 18.0\n[training]\nquick_pairs = 50\n[visibility]\n'psnr.pretrained_model' = 'hidden'\n"
    )
    assert main(["gradescope", str(root / "out.zip"), "-d", str(data), "--config", str(own)]) == 0
    subprocess.run([sys.executable, "-m", "zipfile", "-e", root / "out.zip", root / "source"], check=True)
    shutil.copy(root / "source" / "run_autograder", root)
    return root


def run_autograder(root: Path, submission: Path | None, python: str = sys.executable) -> dict:
    """Run it as the platform does; what it left in results.json."""
    shutil.rmtree(root / "submission", ignore_errors=True)
    if submission:
        shutil.copytree(submission, root / "submission")
    environment = {"PATH": os.environ["PATH"], "AUTOGRADER_ROOT": str(root), "AUTOGRADER_PYTHON": python}
    subprocess.run(["bash", root / "run_autograder"], env=environment, check=True, capture_output=True, timeout=300)
    sent = json.loads((root / "results" / "results.json").read_text(), parse_constant=pytest.fail)
    assert problems(sent, GRADESCOPE) == []
    return sent


def test_a_right_submission_in_the_platforms_layout(root):
    sent = run_autograder(root, TEXTBOOK)
    assert {test["status"] for test in sent["tests"]} == {"passed"}
    assert sent["score"] == sum(test["max_score"] for test in sent["tests"]) > 50
    assert [test["visibility"] for test in sent["tests"] if test["tags"] == ["psnr"]] == ["hidden"]
    assert sent["leaderboard"] == []  # the PSNR is hidden, and this would tell it
    assert any("train" in test["name"] for test in sent["tests"])


def test_a_package_uploaded_without_its_folder(root):
    sent = run_autograder(root, TEXTBOOK / "Proj_2")
    assert sent["score"] > 50


def test_a_broken_submission_gets_its_zero(root, tmp_path):
    sent = run_autograder(root, package(tmp_path / "x", "raise SystemExit(0)"))
    assert 0 < sent["score"] < 15
    assert "SystemExit" in json.dumps(sent["tests"])


@pytest.mark.parametrize("python", ["/bin/false", sys.executable])
def test_there_are_results_even_if_there_is_no_verdict(python, root):
    sent = run_autograder(root, None, python)  # killed at once; or nothing to grade
    assert sent["score"] == 0
    assert "not the fault of the submission" in sent["output"]


def names_in(content: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return set(archive.namelist())


def test_the_zip_holds_what_grading_needs_and_no_more(data):
    content = packaging.gradescope(data)
    assert content == packaging.gradescope(data)
    names = names_in(content)
    assert {"setup.sh", "run_autograder", "requirements.txt", "test.py", "checker/config.toml",
            "checker/sandbox/worker.py", "checker/reporters/templates/setup.sh",
            "data/load.py", "data/val_data.pkl", "data/train_data.pkl"} <= names  # fmt: skip
    assert not [name for name in names if name.startswith(("Proj_2", "tests", "report", "data/photos"))]
    assert not [name for name in names if "__pycache__" in name or name.startswith("/")]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in ("setup.sh", "run_autograder"):
            assert archive.getinfo(name).external_attr >> 16 & 0o111
            assert archive.read(name).startswith(b"#!/usr/bin/env bash\n")
    packages = [line.partition("==")[0] for line in packaging.requirements().splitlines()]
    assert packages == ["torch", "numpy", "pillow", "tqdm"]


def test_without_data_the_zip_holds_photographs_to_make_it_of():
    names = names_in(packaging.gradescope())
    assert any(name.startswith("data/photos/") for name in names)
    assert not any(name.endswith(".pkl") for name in names)


def test_scripts_are_valid_shell():
    for name in ("setup.sh", "run_autograder"):
        subprocess.run(["bash", "-n", packaging.TEMPLATES / name], check=True)


def test_what_can_not_be_packed_is_told(tmp_path, capsys):
    for wrong in (
        ["gradescope", str(tmp_path / "no" / "out.zip")],
        ["gradescope", str(tmp_path / "out.zip"), "-d", str(tmp_path)],
        ["gradescope", str(tmp_path / "out.zip"), "--config", str(tmp_path / "missing.toml")],
        ["github", str(tmp_path)],
    ):
        assert main(wrong) == 2
        assert capsys.readouterr().err.startswith("error: ")
    assert list(tmp_path.iterdir()) == []


def test_the_workflow_runs_commands_that_exist(tmp_path):
    assert main(["github", str(tmp_path / "grading.yml")]) == 0
    workflow = (tmp_path / "grading.yml").read_text()
    assert "GRADER_RESULTS: ${{ steps.grader.outputs.result }}" in workflow
    assert "\t" not in workflow
    command = workflow.partition("run: python test.py ")[2].splitlines()[0]
    from checker import cli

    options = cli.parser().parse_args(command.replace('"$GITHUB_OUTPUT"', "step").split())
    assert (str(options.github), options.quick, str(options.html)) == ("step", True, "../report.html")
    build = workflow.partition("run: python -m data ")[2].splitlines()[0].split()
    from data.__main__ import _parser

    assert _parser().parse_args(build).train_pairs == 2000
    assert str(ROOT) not in workflow
