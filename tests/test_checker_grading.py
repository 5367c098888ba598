"""The checks: a correct submission passes all of them, and each defect is caught by the check that should."""

import json
import re

import pytest
from checker_support import ROOT, TEXTBOOK, findings, make_data, package, settings, textbook

from checker import cli, registry, results
from checker.grading import grade
from checker.intake import submission
from checker.registry import CHECKS
from checker.reporters import text

MODULES, MODEL = "others/modules.py", "model.py"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


def test_the_textbook_submission_gets_full_marks(data):
    report = grade(submission.find(TEXTBOOK), data, settings(), seed=3)
    assert [f for f in report.findings if f.status not in (results.PASSED, results.ABSENT)] == []
    assert report.score == report.max_score > 0
    assert report.verdict == results.PASSED
    shown = text.render(report, width=100)
    assert "PASSED" in shown.splitlines()[-1]
    assert "pretrained model" in shown
    assert max(map(len, shown.splitlines())) <= 100
    json.dumps([f.details for f in report.findings], allow_nan=False)


# Edits of the textbook that make one defect each, told apart by what they must bring about: check → hint or message.
DEFECTS = {
    "many in the modules": (
        (
            (MODULES, "return grad_y * self.mask", "return grad_y.clamp(min=0)"),
            (MODULES, "return 2 * self.difference / self.difference.numel()", "return 2 * self.difference / 3"),
            (MODULES, "self.weight_grad += (grad @", "self.weight_grad[:] = (grad @"),
            (MODULES, "self.bias_grad += grad_y.sum((0, 2, 3))", "self.bias_grad += grad_y.mean(0).sum((1, 2))"),
            (MODULES, "(self.x @ columns.transpose(1, 2)).sum(0)", "(self.x @ columns.transpose(1, 2))[-1]"),
            (MODULES, ".sum((3, 5))", ".mean((3, 5))"),
            (MODULES, "self.y = x.sigmoid()", "self.y = x.exp() / (1 + x.exp())"),
            (MODULES, "return grad_y\n\n    def param", "return None\n\n    def param"),
            (MODULES, "grad.zero_()", "pass"),
        ),
        {
            "modules.relu_backward": "gradient's sign",
            "optimiser.mse_backward": "C·H·W times",
            "behaviour.accumulates": "overwrites",
            "modules.conv2d_grad_bias": "1/N times",
            "modules.transposed_grad_weight": "last picture",
            "modules.nearest_backward": "1/(the factor squared) times",
            "modules.sigmoid_forward": "not finite",
            "conventions.direct": "does not return the gradient of its input",
            "optimiser.zero_grad": "after zero_grad()",
        },
    ),
    "more in the modules": (
        (
            (MODULES, "return x * self.mask", "return x.mul_(self.mask)"),
            (MODULES, "return grad_y * self.y * (1 - self.y)", "return grad_y * self.y.mul_(1 - self.y)"),
            (MODULES, "self.weight_grad = empty(weight_shape).zero_()", "self.weight_grad = empty(weight_shape)"),
            (MODULES, "flatten(1).t() @ grad", "flip(2, 3).flatten(1).t() @ grad"),
            (MODULES, "return self.add_bias(fold(self", "return (fold(self"),
            (MODULES, '"dilation": pair(dilation),', '"dilation": (1, 1),'),
            (MODULES, "return (self.difference**2).mean()", "return (self.difference**2).sum()"),
        ),
        {
            "behaviour.input_untouched": "ReLU changes the input",
            "behaviour.backward_twice": "Sigmoid, the second time",
            "conventions.direct": "zero_grad()",
            "modules.conv2d_grad_input": "flipped",
            "modules.transposed_forward": "bias is not added",
            "beyond.dilation": "dilation=2",
            "optimiser.mse_forward": "expected",
        },
    ),
    "in the model": (
        (
            (MODEL, "pad_to_multiple(batch.float() / 255, 4)", "batch.float() / 255"),
            (MODEL, "weight.copy_(value)", "pass"),
            (MODEL, "Path(__file__).parent / ", "Path('Proj_2') / "),
            (MODEL, "self.optimizer.step()", "pass"),
            (MODULES, "weight -= self.lr * step", "weight += self.lr * step"),
            (MODEL, "noisy_in[batch].float()", "noisy_in[batch].view(BATCH, 3, 32, 32).float()"),
        ),
        {
            "optimiser.sgd_step": "expected",
            "api.loads_from_anywhere": "another working directory",
            "api.loads_its_weights": "different seeds",
            "beyond.any_size": "1×3×31×33",
            "training.remainder_batch": "raised",
            "psnr.pretrained_model": "dB",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DEFECTS)
def test_defects_are_caught(name, data, tmp_path):
    edits, expected = DEFECTS[name]
    report = grade(submission.find(textbook(tmp_path, *edits)), data, settings() | {"training": strict()})
    found = {f.check: f for f in report.findings}
    for check, said in expected.items():
        assert found[check].status == results.FAILED, check
        assert said in f"{found[check].message} {found[check].hint}", found[check]
        assert found[check].points < found[check].max_points
    assert report.verdict == results.FAILED
    assert results.ERROR not in {f.status for f in report.findings}


def strict() -> dict:
    return settings()["training"] | {"sensible_gain_db": 0.5}


def test_training_that_saturates_is_told(data, tmp_path):
    found = findings(textbook(tmp_path, (MODEL, "lr=2.0", "lr=2e6")), data, "training")
    assert found["training.one_epoch"].status == results.FAILED
    assert "the same for every picture" in found["training.one_epoch"].message


WRITES_ITS_WEIGHTS = (
    MODEL,
    "        for epoch in range(num_epochs):\n",
    "        self.save()\n        for epoch in range(num_epochs):\n",
)
LEAVES_SMALL_ONES = (
    MODULES,
    "return grad_y * self.mask",
    "assert len(grad_y[0, 0]) > 7\n        return grad_y * self.mask",
)


def test_the_psnr_is_of_the_weights_that_were_handed_in(data, tmp_path):
    """Whether train() runs is tried where a module does not, and this one writes over bestmodel.pth."""
    found = findings(textbook(tmp_path, WRITES_ITS_WEIGHTS, LEAVES_SMALL_ONES), data, "modules", "psnr", "training")
    assert found["modules.relu_backward"].details["whole"]  # so that train() was called before
    untouched = findings(TEXTBOOK, data, "psnr")
    assert found["psnr.pretrained_model"].details == untouched["psnr.pretrained_model"].details
    assert found["training.changes_loaded_weights"].status == results.PASSED


def test_a_crash_costs_the_checks_that_it_hits_and_no_other(data, tmp_path):
    edit = (MODULES, "return grad_y * self.mask", "import os; os._exit(0)")
    found = findings(textbook(tmp_path, edit), data, "modules", "beyond")
    assert found["modules.relu_backward"].status == results.FAILED
    assert "exit status 0" in found["modules.relu_backward"].message
    assert found["modules.sigmoid_backward"].status == results.PASSED
    assert found["beyond.dilation"].status == results.PASSED


def test_what_depends_on_a_failed_check_is_skipped_and_says_on_which(data, tmp_path):
    found = findings(package(tmp_path, "import torch\ndef Model(): raise KeyError('no')\n"), data)
    assert found["api.constructs"].status == results.FAILED
    assert "KeyError" in found["api.constructs"].message
    assert found["api.large_picture"].status == results.SKIPPED
    assert found["api.constructs"].title in found["api.large_picture"].message
    assert found["modules.conv2d_forward"].status == results.FAILED
    assert results.ERROR not in {f.status for f in found.values()}


@pytest.mark.parametrize("source", ["def f(:\n", "raise SystemExit(0)\n", "import no_such_package\n", "\0"])
def test_what_can_not_be_imported_fails(source, data, tmp_path):
    found = findings(package(tmp_path, source), data, "api")
    assert found["api.imports"].status == results.FAILED
    assert found["api.constructs"].status == results.SKIPPED


def test_a_fault_of_the_grader_is_no_verdict_on_the_submission(data, monkeypatch):
    def broken(g):
        raise ZeroDivisionError("ours")

    check = CHECKS["structure.files"]
    monkeypatch.setitem(CHECKS, check.name, registry.Check(check.name, check.group, check.title, check.needs, broken))
    report = grade(submission.find(TEXTBOOK), data, settings(), only=("structure",))
    assert report.verdict == results.ERROR
    assert "not the submission's fault" in text.render(report)


# Found in the folder ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Proj_2", "Miniproject_2", "PROJ_2", "miniproject_2"])
def test_the_package_is_found_whatever_its_case(name, tmp_path):
    (tmp_path / name).mkdir()
    (tmp_path / "other").mkdir()
    assert submission.find(tmp_path).package == name
    assert submission.find(tmp_path / name).package == name


def test_links_and_size_are_not_followed(tmp_path):
    folder = package(tmp_path / "one", "x = 1\n")
    (folder / "Proj_2" / "link.py").symlink_to("/etc/passwd")
    copy = tmp_path / "copy"
    left_out = submission.snapshot(submission.find(folder), copy, cap_mb=1)
    assert "link.py" in left_out[0]
    assert sorted(p.name for p in (copy / "Proj_2").iterdir()) == ["__init__.py", "model.py"]
    (folder / "Proj_2" / "large").write_bytes(bytes(2 << 20))
    with pytest.raises(submission.TooLarge, match="1 MB"):
        submission.snapshot(submission.find(folder), tmp_path / "other", cap_mb=1)


# The command line -------------------------------------------------------------------------------------


def test_exit_codes(data, tmp_path, capsys):
    assert cli.main(["-p", str(TEXTBOOK), "-d", str(data), "--only", "structure"]) == cli.OK
    assert "PASSED" in capsys.readouterr().out
    (tmp_path / "empty").mkdir()
    assert cli.main(["-p", str(tmp_path / "empty"), "-d", str(data), "--only", "structure"]) == cli.SUBMISSION_FAILED
    assert "expected a folder Proj_2" in capsys.readouterr().out
    for wrong in (
        ["-p", str(tmp_path / "missing")],
        ["-p", str(ROOT / "test.py")],
        ["-d", str(tmp_path / "missing")],
        ["--only", "modlues"],
        ["--config", str(tmp_path / "missing.toml")],
    ):
        assert cli.main(["-p", str(TEXTBOOK), "-d", str(data), *wrong]) == cli.NO_VERDICT
        assert capsys.readouterr().err.startswith("error: ")


def test_missing_data_is_built_and_said_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("data.build.build", lambda out: make_data(out))
    arguments = ["-p", str(TEXTBOOK), "-d", str(tmp_path), "--only", "psnr"]
    assert cli.main(arguments) in (cli.OK, cli.SUBMISSION_FAILED)
    shown = capsys.readouterr()
    assert "building" in shown.err
    assert "noisy input" in shown.out
    (tmp_path / "val_data.pkl").write_bytes(b"damaged")
    assert cli.main(arguments) == cli.NO_VERDICT
    assert "val_data.pkl" in capsys.readouterr().out


# The configuration ------------------------------------------------------------------------------------


def test_every_check_has_points_and_every_entry_a_check():
    entries = {f"{group}.{name}" for group, names in settings()["points"].items() for name in names}
    from checker import checks  # noqa: F401  (registers them)

    assert entries == set(CHECKS)
    assert all(re.match(r"[A-Z_a-z]", check.title) and len(check.title) < 90 for check in CHECKS.values())


def test_points_can_be_changed(tmp_path):
    from checker import config

    own = tmp_path / "own.toml"
    own.write_text("[points.psnr]\npretrained_model = 50\n[visibility]\n'psnr.pretrained_model' = 'hidden'\n")
    assert config.load(own)["points"]["psnr"]["pretrained_model"] == 50
    assert config.load(own)["visibility"]["psnr.pretrained_model"] == "hidden"
    assert config.load(own)["points"]["rules"] == config.load()["points"]["rules"]
    own.write_text("[kinds]\nconvention = ['conventions', 'behaviour.accumulates']\n")
    assert config.load(own)["kinds"]["convention"] == ["conventions", "behaviour.accumulates"]
    for wrong, reason in (
        ("[limits]\nmemory = 1", "limits.memory"),
        ("[psnr]\nbatch = 'x'", "psnr.batch"),
        ("x =", "own.toml"),
        ("[limits]\nmemry_mb = 1", r"limits.memry_mb is not known; did you mean memory_mb\?"),
        (
            "[points.modules]\nconv2d_foward = 1",
            r"points.modules.conv2d_foward is not .*did you mean conv2d_forward\?",
        ),
        ("[points.modls]\nx = 1", r"points.modls is not known; did you mean modules\?"),
        (
            "[kinds]\nconvention = ['behaviour.acumulates']",
            r"acumulates' is not .*did you mean behaviour.accumulates\?",
        ),
        ("[kinds]\nbeyond = ['names']", r"'names' is not known; did you mean conventions.names\?"),
        ("[kinds]\nbeyound = ['beyond']", r"kinds.beyound is not known; did you mean beyond\?"),
        ("[kinds]\nbeyond = ['zzz']", "'zzz' is not known; expected one of structure, .* such as structure.folder"),
        ("[kinds]\nbeyond = [['a']]", "is not known"),
        ("[visibility]\n'psnr.pretraind_model' = 'hidden'", r"did you mean psnr.pretrained_model\?"),
        ("[visibility]\npsnr.pretrained_model = 'hidden'", "in quotes, such as 'psnr.pretrained_model'"),
        ("[visibility]\n'psnr.pretrained_model' = 'hiden'", "one of visible, hidden, after_due_date"),
    ):
        own.write_text(wrong)
        with pytest.raises(config.ConfigError, match=reason):
            config.load(own)
