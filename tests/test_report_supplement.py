"""The supplement: made of invented results, so that its machinery is tested whatever has been measured; and, once it
is there, what its PDF says is what the results make.
"""

import json
import re
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest
import torch
from documents import needs_tex, typed_results

from benchmarks import restoration, timing
from benchmarks.train_step import AUTOCAST, OURS, TORCH
from data.build import file_digest
from data.load import DataError
from Proj_2.others.networks import unet, unet_small
from report import restored
from report.__main__ import WEIGHTS, main
from report.build import BuildError, make, numbers_used
from report.documents import SUPPLEMENT
from report.experiments.catalogue import EXPERIMENTS
from report.experiments.photographs import SETS
from report.kept import keep, record
from report.measured import Measured, MissingResult
from report.restored import RESTORATIONS
from report.supplement.goals import Goal, goals

TEXT = SUPPLEMENT.text
CONSTANTS = {  # whole numbers that the text may hold, none of them a result
    "0": "a value's lower end, a point, the end of gamma",
    "0.1": "the slope of LeakyReLU",
    "0.95": "the most of the pixels that get a random colour",
    "1": "the upper end of values, a numerator, the name of a loss",
    "2": "a stride, a power, a factor, the name of a loss",
    "3": "a kernel's side, a numerator",
    "4": "a tile's side",
    "6": "a tile's side",
    "16": "bits",
    "24": "pictures of Kodak",
    "25": "the field's standard deviation",
    "32": "bits",
    "36": "points of the filtering",
    "64": "channels",
    "100": "pictures of BSD300",
    "128": "channels",
    "144": "products of a direct convolution",
    "255": "the largest value of a picture",
    "256": "channels, bits of a processor's vectors",
    "300": "of a data set's name",
    "512": "bits of a processor's vectors",
}
PSNR = {  # dB, by experiment, targets and loss: such that the claims hold
    "gaussian": {("noisy", "l2"): 29.11, ("clean", "l2"): 29.13},
    "text": {("noisy", "l2"): 22.1, ("noisy", "l1"): 29.4, ("clean", "l1"): 29.7, ("clean", "l2"): 29.6},
    "impulse": {("noisy", "l2"): 14.2, ("noisy", "l1"): 21.6, ("noisy", "l0"): 20.4, ("clean", "l2"): 22.0},
}


@pytest.fixture(scope="module")
def invented(tmp_path_factory):
    """Results with made-up values of everything that the supplement reads, in folders of their own."""
    folder = tmp_path_factory.mktemp("invented")
    weights, benchmarks = folder / "weights", folder / "benchmarks"
    for made in (weights, benchmarks):
        made.mkdir()
    for name in {kept.weights for kept in RESTORATIONS} - {"shipped"}:
        torch.save({key: value.half() for key, value in unet().state_dict().items()}, weights / f"{name}.pth")
    keep(_run_of_train(folder / "run", weights / "gaussian5-50.pth"), "gaussian5-50", weights)
    for kept in RESTORATIONS:
        path = kept.path(weights)
        for number, name in enumerate(SETS):
            mean = {"noisy_psnr": 20.17, "noisy_ssim": 0.4, "psnr": 31.6 - number, "ssim": 0.877}
            file = benchmarks / f"{restoration.default_name(Path(name), kept.noise, path)}.json"
            file.write_text(json.dumps({"sha256": file_digest(path), "mean": mean}))
    for name in ("train_step_unet", "train_step_unet_avx2"):
        _write_steps(benchmarks / f"{name}.json", dict.fromkeys(TORCH, 360.0) | dict.fromkeys(AUTOCAST, 210.0))
    for experiment in PSNR:
        runs = [_run(experiment, config) for config in EXPERIMENTS[experiment].configs]
        (folder / f"{experiment}.json").write_text(json.dumps({"runs": runs}))
    measures = {"course": {"pictures": 150, "noisy": 20.7, "unet": 26.12}}
    (folder / "course_unet.json").write_text(json.dumps({"measures": measures}))
    return Measured(folder, benchmarks, weights=weights)


def test_what_is_kept_of_a_run_is_of_16_bits_whatever_the_run_wrote(tmp_path):
    whole = {name: value.float() for name, value in unet_small().state_dict().items()}
    torch.save(whole, tmp_path / "float32.pth")
    keep(_run_of_train(tmp_path / "run", tmp_path / "float32.pth"), "small", tmp_path)
    kept = torch.load(tmp_path / "small.pth")
    assert {value.dtype for value in kept.values()} == {torch.float16}
    assert all(torch.equal(kept[name], value.half()) for name, value in whole.items())
    assert record("small", tmp_path)["sha256"] == file_digest(tmp_path / "small.pth")


def _run_of_train(folder, weights):
    """A folder as train.py leaves it."""
    folder.mkdir()
    paths = {"photos": ["/elsewhere/photos"], "noisy": [], "data": None, "exclude": "../left_out", "val_list": None}
    config = paths | {"pairs": 100, "batch": 16, "seed": 4, "init": "runs/its_base/best.pth"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "log.csv").write_text("epoch,loss,psnr,seconds\n1,0.1,28.0,3600\n2,0.1,28.5,5400\n")
    (folder / "best.pth").write_bytes(weights.read_bytes())
    return folder


def _run(experiment, config):
    psnr = PSNR[experiment][config["targets"], config["loss"]]
    points = range(config["evaluations"] + 1)
    return {
        "config": config,
        "seed": 0,
        "psnr": psnr,
        "curve": [[config["steps"] * i // len(points), psnr - 9 * 0.5**i, 20.0 * i] for i in points],
        "sets": {name: {"noisy_psnr": 15.0, "psnr": psnr - 0.2} for name in SETS},
    }


def _write_steps(path, torch_ms):
    times = dict(zip(OURS, (300.0, 150.0), strict=True)) | torch_ms
    rows = [{"name": name, "ms": ms, "ours is faster by": ms / 300, "share": 250 / ms} for name, ms in times.items()]
    peaks = {"ours": 8e8, "torch eager": 9e8, "torch eager, channels_last": 8.5e8}
    result = {"batch": 32, "gflop": 94.2, "rates": [2e11, 9e11], "rows": rows, "peak bytes": peaks}
    path.write_text(json.dumps({"machine": {"threads": 2}, "results": [result]}))


@pytest.fixture(scope="module")
def pdf(invented, tmp_path_factory):
    needs_tex()
    return make(SUPPLEMENT, tmp_path_factory.mktemp("supplement"), invented)


def text_of(pdf):
    return " ".join("".join(page.extract_text() for page in pypdf.PdfReader(pdf).pages).split())


def without(invented, tmp_path, *names):
    """The invented results, those whose files have such a name left out."""
    folders = [tmp_path / name for name in ("results", "benchmarks", "weights")]
    for folder, old in zip(folders, (invented.results, invented.benchmarks, invented.weights), strict=True):
        folder.mkdir()
        for path in old.iterdir():
            if path.is_file() and not any(name in path.name for name in names):
                (folder / path.name).write_bytes(path.read_bytes())
    return Measured(folders[0], folders[1], weights=folders[2])


# The document


def test_four_pages_at_most_that_say_what_was_measured(pdf):
    assert 2 <= len(pypdf.PdfReader(pdf).pages) <= SUPPLEMENT.most_pages == 4
    text = text_of(pdf)
    for value in ("31.60", "32.41", "30.26", "26.12", "29.11", "bar reached", "not recorded", "14 2.5 4"):
        assert value in text, value


def test_nothing_sticks_out_and_every_reference_resolves(pdf):
    log = pdf.with_suffix(".log").read_text(encoding="utf-8", errors="replace")
    assert re.findall(r"^Overfull.*", log, re.MULTILINE) == []
    assert re.findall(r"^(?:LaTeX|Package|Class).*Warning.*", log, re.MULTILINE) == []


def test_the_same_bytes_twice(pdf, invented, tmp_path):
    assert make(SUPPLEMENT, tmp_path / "again, elsewhere", invented).read_bytes() == pdf.read_bytes()


def test_the_supplement_that_is_here_is_the_one_that_the_results_make(tmp_path):
    (path,) = SUPPLEMENT.copies
    if not path.exists():
        pytest.skip("the supplement is yet to be made: python -m report build supplement")
    needs_tex()
    letters = [re.sub(r"[^A-Za-z0-9.±]", "", text_of(pdf)) for pdf in (path, make(SUPPLEMENT, tmp_path))]
    assert letters[0] == letters[1], "make it again: python -m report build supplement"


# What is missing, and what is wrong


def test_what_was_not_measured_is_said_so(pdf, invented, tmp_path):
    measured = without(invented, tmp_path, "restoration_", "course_unet", "poisson30.pth")
    text = text_of(make(SUPPLEMENT, tmp_path / "out", measured))
    assert text.count("not measured") >= 6
    assert "31.60" not in text
    assert "32.41" in text


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["gaussian.json"], r"gaussian.json is missing: make it with `python -m report run gaussian`"),
        (["text.json"], r"text.json is missing: make it with `python -m report run text`"),
        (["train_step"], r"train_step_unet.json is missing: make it with `python -m benchmarks.train_step --network"),
        ([".pth", "restoration_"], r"no weights of a network for gaussian:25 or poisson:30.*train.py"),
    ],
)
def test_without_what_it_rests_on_it_stops(names, complaint, invented, tmp_path):
    needs_tex()
    with pytest.raises(BuildError, match=complaint):
        make(SUPPLEMENT, tmp_path / "out", without(invented, tmp_path, *names))


def test_a_result_of_other_weights_stops(invented, tmp_path):
    measured = without(invented, tmp_path)
    (measured.weights / "poisson30.pth").write_bytes(b"others")
    with pytest.raises(
        MissingResult, match=r"is of other weights than .*poisson30.pth: measure these with `N2N_BENCH"
    ):
        goals(measured)


def test_a_sentence_that_the_results_contradict_stops(invented, tmp_path):
    needs_tex()
    measured = without(invented, tmp_path, "train_step_unet.json")
    _write_steps(measured.benchmarks / "train_step_unet.json", dict.fromkeys((*TORCH, *AUTOCAST), 140.0))
    with pytest.raises(
        BuildError, match=r"supplement.tex says that in bfloat16 a step takes less time .* rewrite it"
    ):
        make(SUPPLEMENT, tmp_path / "out", measured)


@pytest.mark.parametrize("sentence", SUPPLEMENT.claims)
def test_a_claim_holds_and_could_fail(sentence, invented, tmp_path):
    holds = SUPPLEMENT.claims[sentence]
    assert holds(invented)
    swapped = without(invented, tmp_path)
    for path in swapped.results.glob("*.json"):
        content = json.loads(path.read_text())
        for run in content.get("runs", []):  # what was good is bad
            run["psnr"] = 40 - run["psnr"]
            run["curve"] = [
                [step, (2 if run["config"]["targets"] == "noisy" else 3) * v, t] for step, v, t in run["curve"]
            ]
        path.write_text(json.dumps(content))
    path = swapped.benchmarks / "train_step_unet.json"
    _write_steps(path, dict.fromkeys(TORCH, 100.0) | dict.fromkeys(AUTOCAST, 100.0))
    content = json.loads(path.read_text())
    content["results"][0]["peak bytes"]["ours"] = 2e9
    path.write_text(json.dumps(content))
    assert not holds(swapped)


def test_goals_know_what_is_better():
    assert Goal("", 30, 31, 31.5).verdict == "goal reached"
    assert Goal("", 30, 31, 30.5).verdict == "bar reached"
    assert Goal("", 30, 31, 29.4).verdict == "short by 0.60"
    assert Goal("", 0.05, None, 0.12, least=True).verdict == "short by 0.07"
    assert Goal("", 0.05, None, -0.1, least=True).reached
    assert not Goal("", 30, 31, None).reached


# Numbers come from results


def test_no_result_is_typed():
    assert typed_results(TEXT.read_text(encoding="utf-8"), CONSTANTS, set()) == []


def test_every_number_table_and_figure_is_used(invented):
    text = TEXT.read_text(encoding="utf-8")
    assert set(SUPPLEMENT.numbers(invented)) == set(numbers_used(TEXT))
    assert set(re.findall(r"\\input\{(\w+)\}", text)) == {"preamble", "numbers", *SUPPLEMENT.tables}
    assert set(re.findall(r"\\includegraphics(?:\[.*?\])?\{(\w+)\}", text)) == set(SUPPLEMENT.figures)


def test_an_undefined_number_stops(invented, tmp_path):
    needs_tex()
    text = tmp_path / "supplement.tex"
    text.write_text(TEXT.read_text(encoding="utf-8").replace(r"\result{bars}", r"\result{bar}", 1))
    with pytest.raises(BuildError, match=r"uses \\result\{bar\}, a number that nothing defines"):
        make(replace(SUPPLEMENT, text=text), tmp_path / "out", invented)


# The weights, and the measuring


def test_what_is_kept_of_a_run_has_no_path_in_it(invented, tmp_path):
    assert record("gaussian5-50", invented.weights)["log"][1] == {
        "epoch": 2,
        "loss": 0.1,
        "psnr": 28.5,
        "seconds": 5400,
    }
    text = (invented.weights / "gaussian5-50.json").read_text()
    assert "/" not in text
    assert all(name in text for name in ('"photos"', '"left_out"', '"its_base"'))
    moved = without(invented, tmp_path).weights
    (moved / "gaussian5-50.pth").write_bytes(b"others")
    assert record("gaussian5-50", moved) is None
    assert record("poisson30", moved) is None


def test_what_is_no_run_is_not_kept(tmp_path, capsys):
    assert main(["keep", str(tmp_path), "gaussian5-50"]) == 2
    assert "is no run of train.py that can be kept" in capsys.readouterr().err


@pytest.fixture
def measuring(tmp_path, monkeypatch):
    """Folders with a list of calls of the measuring program in place of the program."""
    calls = []
    monkeypatch.setattr(restored.restoration, "main", lambda arguments: calls.append(arguments) or 0)
    monkeypatch.setattr(timing, "RESULTS", tmp_path)
    monkeypatch.setattr(restored, "RESTORATIONS", RESTORATIONS[:3])
    monkeypatch.setenv("N2N_BENCHMARKS", str(tmp_path))
    for name in SETS:
        (tmp_path / name).mkdir()
    return calls


def test_weights_are_kept_by_the_names_that_they_are_measured_by():
    assert {kept.weights for kept in RESTORATIONS} - {"shipped"} == set(WEIGHTS) - {"unet_course"}


def test_the_weights_that_are_there_are_measured_once(measuring, tmp_path, capsys):
    assert restored.measure() == 0
    kept = RESTORATIONS[2]  # the assignment's weights, which are always there
    assert [call[0] for call in measuring if call[4] == str(kept.path())] == [str(tmp_path / name) for name in SETS]
    for name in SETS:
        path = tmp_path / f"{restoration.default_name(tmp_path / name, kept.noise, kept.path())}.json"
        path.write_text(json.dumps({"sha256": file_digest(kept.path())}))
    before = len(measuring)
    assert restored.measure() == 0
    assert not any(call[4] == str(kept.path()) for call in measuring[before:])
    path.write_text(json.dumps({"sha256": "another's"}))
    before = len(measuring)
    assert restored.measure() == 0
    assert [call[0] for call in measuring[before:] if call[4] == str(kept.path())] == [str(tmp_path / SETS[1])]


def test_without_the_pictures_it_says_where_they_are_expected(measuring, tmp_path, monkeypatch):
    (tmp_path / "Kodak").rmdir()
    with pytest.raises(DataError, match=r"lacks a folder Kodak or BSD300_test"):
        restored.measure()
    monkeypatch.delenv("N2N_BENCHMARKS")
    with pytest.raises(DataError, match="expected the environment variable N2N_BENCHMARKS"):
        restored.measure()
    assert measuring == []
