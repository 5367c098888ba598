"""The report: three pages of numbers that commands measured, the same bytes every time, of the weights shipped."""

import hashlib
import json
import random
import re
from dataclasses import replace

import pypdf
import pytest
from documents import needs_tex, typed_results

from data.build import VAL_FILE, build
from report.build import TEX_NEEDED, BuildError, make, numbers_used
from report.claims import CLAIMS, FalseClaim, check_claims
from report.delivered import PAPER_WEIGHTS
from report.documents import REPORT
from report.experiments import postmortem, results
from report.experiments.config import config
from report.experiments.runs import network
from report.figures import FIGURES
from report.measured import SEEDS, Measured, MissingResult, Spread
from report.numbers import numbers
from report.tables import TABLES, cosine

TEXT, COPIES = REPORT.text, REPORT.copies
WEIGHTS = {"shipped": COPIES[1].with_name("bestmodel.pth"), "paper": PAPER_WEIGHTS}
CONSTANTS = {  # whole numbers that the text may hold, none of them a result
    "0": "a value's lower end, an index, a threshold",
    "1": "an index, a size, a power",
    "2": "a power, a stride, a kernel, a factor of a derivative, an index",
    "3": "colours, a kernel's side, an exponent",
    "4": "a kernel's side",
    "6": "of Kaiming's bound",
    "8": "of the blocks, a layer's side",
    "10": "of the logarithm and of powers",
    "16": "a layer's side",
    "20": "photographs of data/photos kept for validation",
    "30": "epochs, of the original",
    "32": "a picture's side, channels",
    "64": "channels",
    "100": "pictures of a batch, of the original",
    "105": "photographs of data/photos",
    "255": "the largest value of a picture",
    "256": "a window's side",
    "500": "pairs",
    "512": "channels",
    "559": "the course's number",
    "1,000": "validation pairs",
    "1,100": "photographs of the two public sets",
    "2000": "steps",
    "3072": "values of a picture, 3·32·32",
    "50,000": "training pairs",
}
WITH_UNITS = {"3072 times"}  # of CONSTANTS, with what looks like a unit


@pytest.fixture(scope="module")
def pdf(tmp_path_factory):
    needs_tex()
    return make(REPORT, tmp_path_factory.mktemp("report"))


@pytest.fixture
def without_tex(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))


# The document


def test_three_pages(pdf):
    assert 1 <= len(pypdf.PdfReader(pdf).pages) <= REPORT.most_pages == 3


def test_nothing_sticks_out_and_every_reference_resolves(pdf):
    log = pdf.with_suffix(".log").read_text(encoding="utf-8", errors="replace")
    assert re.findall(r"^Overfull.*", log, re.MULTILINE) == []
    assert re.findall(r"^(?:LaTeX|Package|Class).*Warning.*", log, re.MULTILINE) == []


def test_the_same_bytes_twice(pdf, tmp_path):
    assert make(REPORT, tmp_path / "again, elsewhere").read_bytes() == pdf.read_bytes()


def test_the_report_handed_in_is_the_one_that_the_results_make(pdf):
    # The words, not the bytes: another release of TeX breaks lines elsewhere.
    assert _letters(COPIES[1]) == _letters(pdf), "make it again: python -m report build"


def _letters(path):
    text = "".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
    return re.sub(r"[^A-Za-z0-9.±]", "", text)


# What stops it


def test_an_undefined_number_stops(tmp_path):
    needs_tex()
    text = tmp_path / "report.tex"
    text.write_text(TEXT.read_text(encoding="utf-8").replace(r"\result{paper.sum}", r"\result{paper.summ}", 1))
    with pytest.raises(BuildError, match=r"uses \\result\{paper.summ\}, a number that nothing defines"):
        make(replace(REPORT, text=text), tmp_path / "out")
    assert not (tmp_path / "out" / "report.pdf").exists()


def test_latex_itself_knows_no_undefined_number(pdf, tmp_path):
    text = tmp_path / "report.tex"
    text.write_text(TEXT.read_text(encoding="utf-8").replace(r"\maketitle", r"\def\x{no.such}\result\x", 1))
    with pytest.raises(BuildError, match=r"LaTeX can't set report.tex: .*there is no number"):
        make(replace(REPORT, text=text), tmp_path / "out")


def test_too_many_pages_stop(pdf, tmp_path):
    text = tmp_path / "report.tex"
    text.write_text(
        TEXT.read_text(encoding="utf-8").replace(r"\maketitle", r"\maketitle\newpage\null\newpage\null\newpage")
    )
    with pytest.raises(BuildError, match=r"makes \d pages, and 3 are allowed"):
        make(replace(REPORT, text=text), tmp_path / "out")


def test_a_missing_result_names_the_command(tmp_path):
    with pytest.raises(
        MissingResult, match=r"postmortem.json is missing: make it with `python -m report run postmortem`"
    ):
        Measured(results=tmp_path).experiment("postmortem")
    with pytest.raises(
        MissingResult, match=r"train_step.json is missing: make it with `python -m benchmarks.train_step`"
    ):
        Measured(benchmarks=tmp_path).benchmark("train_step")


def test_a_damaged_result_names_the_command(tmp_path):
    (tmp_path / "paper.json").write_text('{"runs": [')
    with pytest.raises(
        MissingResult, match=r"paper.json can't be read \(.*\): make it again with `python -m report run"
    ):
        Measured(results=tmp_path).experiment("paper")


def test_too_few_seeds_are_no_result(tmp_path):
    content = json.loads((Measured().results / "paper.json").read_text(encoding="utf-8"))
    content["runs"] = [run for run in content["runs"] if run["seed"] != 1]
    (tmp_path / "paper.json").write_text(json.dumps(content))
    with pytest.raises(MissingResult, match=rf"holds {SEEDS - 1} of the {SEEDS} runs with variant sum"):
        Measured(results=tmp_path).psnr("paper", variant="sum")


@pytest.mark.usefixtures("without_tex")
def test_without_tex_the_packages_are_named(tmp_path):
    with pytest.raises(BuildError, match=r"Debian.*macOS.*Windows"):
        make(REPORT, tmp_path)


@pytest.mark.usefixtures("without_tex")
def test_without_tex_the_command_says_so_and_ends_with_2(capsys):
    from report.__main__ import main

    assert main(["build"]) == 2
    printed = capsys.readouterr()
    assert printed.err == f"error: {TEX_NEEDED}\n"
    assert not printed.out


# Numbers come from results


def test_no_result_is_typed():
    assert typed_results(TEXT.read_text(encoding="utf-8"), CONSTANTS, WITH_UNITS) == []


@pytest.mark.parametrize(
    "sentence",
    [
        r"it reaches 23.02\dB{} after",
        r"it reaches $23$\,dB",
        "it reaches 30 dB",
        "in 100 seconds",
        r"which is 8\,\% better",
        "twice as fast, 2 times",
        "all 17 of them",
        "$0.98$",
        "17,763 parameters",
    ],
)
def test_a_typed_result_is_seen(sentence):
    text = TEXT.read_text(encoding="utf-8")
    text = text.replace(r"\section{Conclusion}", rf"\section{{Conclusion}} {sentence}")
    assert len(typed_results(text, CONSTANTS, WITH_UNITS)) >= 1


def test_every_number_table_and_figure_is_used():
    text = TEXT.read_text(encoding="utf-8")
    assert set(numbers(Measured())) == set(numbers_used(TEXT))
    assert set(re.findall(r"\\input\{(\w+)\}", text)) == {"preamble", "numbers", *TABLES}
    assert set(re.findall(r"\\includegraphics(?:\[.*?\])?\{(\w+)\}", text)) == set(FIGURES)


def test_every_published_number_has_a_source():
    for name, entry in Measured().published.items():
        assert set(entry) == {"value", "source"}, name
        assert float(entry["value"]) > 0
        assert len(entry["source"].split()) > 3


class Invented(Measured):
    """The results with other values: of every quantity the same one, or any."""

    def __init__(self, invent):
        super().__init__()
        self.invent = invent

    def spread(self, key, experiment, **wanted):
        return Spread([self.invent(f"{key} {experiment} {wanted} {seed}") for seed in range(SEEDS)])

    def _experiment(self, name):
        content = super()._experiment(name)
        content["measures"] = self._replaced(content["measures"])
        return content

    def _benchmark(self, name):
        return self._replaced(super()._benchmark(name))

    def _replaced(self, value):
        if isinstance(value, dict):
            return {key: self._replaced(v) for key, v in value.items()}
        if isinstance(value, list):
            return [self._replaced(v) for v in value]
        return self.invent(str(value)) if isinstance(value, float) else value


def any_value(key):
    return random.Random(key).uniform(-1, 40)


INVENTED = [Invented(lambda key: 20.0), *(Invented(lambda key, i=i: any_value(f"{i} {key}")) for i in range(5))]


@pytest.mark.parametrize("sentence", CLAIMS)
def test_a_claim_holds_and_could_fail(sentence):
    assert CLAIMS[sentence](Measured())
    assert not all(CLAIMS[sentence](invented) for invented in INVENTED)


def test_a_false_claim_stops(monkeypatch):
    monkeypatch.setitem(CLAIMS, "all is well", lambda measured: False)
    with pytest.raises(FalseClaim, match=r"report.tex says that all is well, which the results contradict"):
        check_claims(CLAIMS, Measured(), "report.tex")


# The results are those of the weights that are shipped


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The default validation pairs, made again, and a few training pairs like the default ones."""
    folder = tmp_path_factory.mktemp("data")
    build(train_pairs=1_500, out=folder, workers=1, say=lambda line: None)
    return folder


@pytest.mark.parametrize("name", WEIGHTS)
def test_results_are_of_the_weights_at_hand(name):
    digest = hashlib.sha256(WEIGHTS[name].read_bytes()).hexdigest()
    assert Measured().measures("results")["sha256"][name] == digest


def test_psnr_measured_again(folder):
    recorded = Measured().experiment("results")
    assert hashlib.sha256((folder / VAL_FILE).read_bytes()).hexdigest()[:16] in recorded["data"]["validation"]
    again = results.measure(folder, True)["default"]
    for key in ("noisy", "paper", "shipped"):  # another processor may round elsewhere
        assert again[key] == pytest.approx(recorded["measures"]["default"][key], abs=0.01)


@pytest.mark.parametrize("defects", ["a", "b"])
@pytest.mark.parametrize("batch", [1, 8, 100])
def test_cosines_measured_again(folder, defects, batch):
    parameters = [network(config(), seed).state_dict() for seed in range(SEEDS)]
    for layer, (cosines, _) in postmortem._compare(defects, parameters, batch, 5, folder).items():
        mean = sum(cosines) / len(cosines)
        assert mean == pytest.approx(cosine(Measured(), defects, layer, batch), abs=0.12), layer
