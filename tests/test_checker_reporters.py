"""The reporters: pure functions of a report, true to each format, silent about what is hidden."""

import base64
import csv as standard_csv
import io
import json as standard_json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
import torch
from schema import GITHUB, GRADESCOPE, problems

from checker.reporters import csv, github, gradescope, html, json, junit, text
from checker.reporters.pictures import Picture, montage
from checker.results import ABSENT, ERROR, FAILED, PASSED, SKIPPED, Finding, Report

NASTY = "</script><b>&\"'\x1b[31m\x00 \ud800 ]]>"
SECRET = "A secret title"


def report(**changes) -> Report:
    """One finding of every status, a hidden check and one that needs it, and strings that a submission chose."""
    findings = (
        Finding("structure.files", "It holds model.py", "structure", PASSED, 1, 1, warnings=("no PDF",)),
        Finding("modules.relu", "ReLU is right", "modules", FAILED, 2.5, message=f"got {NASTY}", hint="Is it ≥?",
                details={"error": float("nan"), "sizes": (1, 2)}, seconds=0.25),
        Finding("modules.secret", SECRET, "modules", FAILED, 3, message="expected 7", visibility="hidden"),
        Finding("modules.after", "What follows", "modules", SKIPPED, 1, message=f"needs “{SECRET}”"),
        Finding("modules.open", "An open choice", "modules", ABSENT, 0, message="not asked"),
        Finding("psnr.model", "The PSNR", "psnr", PASSED, 10, 10),
    )  # fmt: skip
    measured = {"psnr": {"noisy input": 20.5, "pretrained model": 23.456}}
    limits = {"memory": "enforced", "namespaces": "not available (refused)"}
    return replace(Report(f"class/{NASTY}", findings, measured, limits, f"printed {NASTY}", 1.5), **changes)


RENDERERS = {
    "text": lambda r: text.render(r, 100),
    "json": json.render,
    "junit": junit.render,
    "html": html.render,
    "gradescope": gradescope.render,
    "github": lambda r: base64.b64decode(github.render(github.result(r)).removeprefix("result=")).decode(),
}


@pytest.mark.parametrize("name", RENDERERS)
def test_a_reporter_is_a_pure_function_whose_result_can_be_written(name):
    first = RENDERERS[name](report())
    assert first == RENDERERS[name](report())
    first.encode("utf-8")
    assert "\x1b" not in first
    assert "\x00" not in first


@pytest.mark.parametrize("name", sorted(set(RENDERERS) - {"gradescope"}))
def test_students_hear_nothing_of_hidden_checks_and_staff_do(name):
    assert SECRET in RENDERERS[name](report())
    shown = RENDERERS[name](report().for_students())
    for leak in (SECRET, "expected 7", "secret", "printed"):
        assert leak not in shown or (leak == "printed" and name == "html" and "it printed" not in shown)
    assert "needs a check that is not shown" in shown


def test_measurements_of_a_group_with_a_hidden_check_are_hidden():
    hidden = [replace(f, visibility="after_published") if f.group == "psnr" else f for f in report().findings]
    shown = report(findings=tuple(hidden)).for_students()
    assert shown.psnr is None
    assert shown.left_out == 2
    assert "23.4" not in text.render(shown)
    sent = standard_json.loads(gradescope.render(report(findings=tuple(hidden))))
    assert sent["leaderboard"] == []
    assert "23.4" not in sent["output"]


def test_nothing_hidden_changes_nothing():
    plain = report(findings=tuple(replace(f, visibility="visible") for f in report().findings))
    assert plain.for_students() is plain


# Terminal ---------------------------------------------------------------------------------------------


def test_text_is_a_table_by_group_with_points_hints_and_a_verdict():
    shown = text.render(report(), 90).splitlines()
    assert max(map(len, shown)) <= 90
    assert any(re.fullmatch(r"MODULES +0–1 / 6\.5", line) for line in shown)
    assert any("→ Is it ≥?" in line for line in shown)
    assert any("note: no PDF" in line for line in shown)
    assert any(re.fullmatch(r"modules +0 / 3 +0–1 / 6\.5", line) for line in shown)
    assert shown[-1].startswith("FAILED")
    assert "11–12 of 17.5 points" in shown[-1]
    assert "\x1b[31mFAILED" in text.render(report(), 90, colour=True)


def test_a_fault_of_the_grader_is_no_verdict_everywhere():
    broken = report(findings=(Finding("a.b", "T", "a", ERROR, 1, message="the grader broke"),))
    assert "NO VERDICT" in text.render(broken).splitlines()[-1]
    assert "not the submission" in html.render(broken)
    assert ElementTree.fromstring(junit.render(broken)).get("errors") == "1"
    assert github.result(broken)["status"] == "error"
    assert "not the fault" in standard_json.loads(gradescope.render(broken))["output"]


def test_the_leaderboard_is_by_psnr_and_ranks_are_shared():
    def one(name, db, verdict=PASSED):
        measured = {} if db is None else {"psnr": {"pretrained model": db}}
        return Report(name, (Finding("a.b", "T", "a", verdict, 1, 1.0),), measured)

    lines = text.leaderboard(
        [one("none", None, ERROR), one("b", 24.0), one("best", 25.0), one("a", 24.0)]
    ).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "2", "–"]
    assert [line.split()[5] for line in lines[1:]] == ["best", "a", "b", "none"]
    assert "no verdict" in lines[-1]


# Files ------------------------------------------------------------------------------------------------


def test_json_is_strict_and_comes_back():
    values = standard_json.loads(json.render(report()), parse_constant=pytest.fail)
    assert values["verdict"] == FAILED
    assert values["score"] == 11
    assert values["findings"][1]["details"] == {"error": None, "sizes": [1, 2]}
    again = json.from_dict(values)
    assert json.render(again) == json.render(report())
    assert again.findings[0].warnings == ("no PDF",)
    with pytest.raises(ValueError, match="format 1"):
        json.from_dict(values | {"version": 1})


def test_junit_counts_what_it_lists():
    root = ElementTree.fromstring(junit.render(report()))
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6", "failures": "2", "errors": "0", "skipped": "2",
    }  # fmt: skip
    assert [suite.get("name") for suite in root] == ["structure", "modules", "psnr"]
    for suite in root:
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped"))
    failure = root.find("testsuite[@name='modules']/testcase/failure")
    assert failure.get("message").startswith("got </script>")
    assert "Is it ≥?" in failure.text


class Page(HTMLParser):
    """The tags of a page, what they load, and whether each one is closed."""

    VOID = ("meta", "img")

    def __init__(self, source: str):
        super().__init__()
        self.tags, self.open, self.loads = [], [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def picture(index: int, db: float) -> Picture:
    tensors = [torch.full((3, 32, 32), value, dtype=torch.uint8) for value in (0, 100, 200)]
    return Picture(index, *tensors, 20.0, db)


def test_html_is_one_self_contained_page_and_escapes_what_the_submission_said():
    source = html.render(report(), [picture(7, 21.25), picture(3, 22.5)])
    page = Page(source)
    assert page.open == []
    assert "script" not in page.tags
    assert "b" not in page.tags
    assert page.tags.count("img") == 6
    assert all(target.startswith(("data:image/png;base64,", "#")) for target in page.loads)
    assert "&lt;/script&gt;" in source
    assert "denoised 21.25 dB" in source
    assert source.index("no. 7") < source.index("no. 3")


def test_the_montage_has_a_row_for_each_picture():
    from PIL import Image

    sheet = Image.open(io.BytesIO(montage([picture(7, 21.25), picture(3, 22.5)])))
    assert sheet.height > 1.9 * (Image.open(io.BytesIO(montage([picture(7, 21.25)]))).height - 30)
    columns = [sheet.getpixel((x, 60)) for x in (60, 200, 340)]
    assert columns == [(0, 0, 0), (100, 100, 100), (200, 200, 200)]


def test_csv_has_a_line_for_each_submission_and_no_formulas():
    reports = [report(submission="=cmd()"), report(submission='a,"b"', measurements={})]
    rows = list(standard_csv.DictReader(io.StringIO(csv.render(reports, ["structure", "modules", "rules"]))))
    assert [row["submission"] for row in rows] == ["'=cmd()", 'a,"b"']
    assert rows[0]["psnr_db"] == "23.4560"
    assert rows[1]["psnr_db"] == ""
    assert (rows[0]["modules"], rows[0]["rules"], rows[0]["structure"]) == ("0", "", "1")
    assert rows[0]["failed"] == "modules.relu modules.secret"
    assert csv.render(reports, []) == csv.render(reports[::-1], [])


# Platforms --------------------------------------------------------------------------------------------


def test_gradescope_follows_the_schema_with_a_visibility_for_each_check():
    sent = standard_json.loads(gradescope.render(report()), parse_constant=pytest.fail)
    assert problems(sent, GRADESCOPE) == []
    by_name = {test["name"]: test for test in sent["tests"]}
    assert by_name[SECRET]["visibility"] == "hidden"
    assert by_name["ReLU is right"]["number"] == "2.1"
    assert by_name["ReLU is right"]["score"] == 0.0
    assert "An open choice" not in by_name
    assert sent["score"] == sum(test["score"] for test in sent["tests"]) == 11
    assert sent["leaderboard"] == [{"name": "PSNR, dB", "value": 23.46, "order": "desc"}]
    seen = [sent["output"], *(t["name"] + t["output"] for t in sent["tests"] if t["visibility"] == "visible")]
    assert not any(SECRET in part or "expected 7" in part for part in seen)


@pytest.mark.parametrize(
    "wrong",
    [{"score": "11"}, {"score": float("nan")}, {"execution_time": "1 s"}, {"visibility": "no"}, {"unknown": 1},
     {"tests": [{"status": "skipped"}]}, {"leaderboard": [{"name": "PSNR"}]}, {"score": True}],
)  # fmt: skip
def test_the_schema_notices_what_the_platform_would_refuse(wrong):
    assert problems(standard_json.loads(gradescope.render(report())) | wrong, GRADESCOPE)


def test_platforms_hear_of_a_grader_without_a_verdict():
    assert problems(standard_json.loads(gradescope.broken(f"no data {NASTY}")), GRADESCOPE) == []
    assert problems({"output": "no score at all"}, GRADESCOPE)
    assert problems(github.broken("no data"), GITHUB) == []
    assert github.broken("no data")["tests"]


def test_github_is_one_line_of_base64():
    line = github.render(github.result(report()))
    assert re.fullmatch(r"result=[A-Za-z0-9+/]+=*\n", line)
    sent = standard_json.loads(base64.b64decode(line.removeprefix("result=")))
    assert [test["status"] for test in sent["tests"]] == ["pass", "fail", "fail", "fail", "pass"]
    assert sent["max_score"] == 17.5
    assert problems(sent, GITHUB) == []
