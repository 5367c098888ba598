"""How submissions are driven: names, arguments, layouts and lists of gradients; what can't be driven; loading."""

import shutil
import zipfile

import pytest
import torch
from checker_support import TEXTBOOK, findings, make_data, package, settings, textbook

from checker import results
from checker.driving import building, gradients, layouts, roles
from checker.grading import grade
from checker.intake import submission
from checker.sandbox.child import GraderProblem

MODULES, MODEL = "others/modules.py", "model.py"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


# Names and arguments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Conv2D", "Conv2d"), ("Convolution", "Conv2d"), ("MyConv2d", "Conv2d"), ("ConvLayer", "Conv2d"),
        ("ConvTranspose2d", "TransposeConv2d"), ("TransposedConv2d", "TransposeConv2d"),
        ("Deconv2d", "TransposeConv2d"),
        ("UpsamplingNearest2d", "NearestUpsampling"), ("NNUpsampling", "NearestUpsampling"),
        ("Upsample", "Upsampling"),
        ("Relu", "ReLU"), ("ReluLayer", "ReLU"), ("sigmoid", "Sigmoid"), ("SequentialNetwork", "Sequential"),
        ("LossMSE", "MSE"), ("MSELoss", "MSE"), ("MeanSquaredError", "MSE"),
        ("SGDOptimizer", "SGD"), ("Optimizer", "SGD"),
    ],
)  # fmt: skip
def test_names_that_submissions_use_are_known(name, role):
    assert [other for other in roles.PATTERNS if roles.fits(name, other)] == [role]


@pytest.mark.parametrize(
    "name", ["LeakyReLU", "Model", "Module", "Linear", "Adam", "MaxPool2d", "BatchNorm2d", "Tanh"]
)
def test_other_names_play_no_role(name):
    assert not any(roles.fits(name, role) for role in roles.PATTERNS)


SIGNATURES = {
    "torch's": lambda in_channels, out_channels, kernel_size, stride=1, padding=0: (
        in_channels, out_channels, kernel_size, stride, padding,
    ),
    "others": lambda n_in, n_out, kernel, pad=0, strides=1: (n_in, n_out, kernel, strides, pad),
    "exchanged": lambda nb_out, nb_in, k, p, s: (nb_in, nb_out, k, s, p),
    "a pair": lambda channels, kernel=3, stride=2, padding=1: (*channels, kernel, stride, padding),
    "own defaults": lambda ch_in, ch_out, ksize, stride=2, padding=1, device=None: (
        ch_in, ch_out, ksize, stride, padding,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SIGNATURES)
def test_arguments_reach_those_that_mean_them_whatever_they_are_called(name):
    torchs = {"stride": 1, "padding": 0, "dilation": 1, "bias": True}
    given = {"in_channels": 3, "out_channels": 5, "kernel_size": 4}
    assert building.build(SIGNATURES[name], given | {"stride": 2, "padding": 1}, torchs) == (3, 5, 4, 2, 1)
    assert building.build(SIGNATURES[name], given, torchs) == (3, 5, 4, 1, 0)


def test_what_a_class_has_no_argument_for_is_said():
    with pytest.raises(building.Unsupported, match="dilation"):
        building.build(SIGNATURES["torch's"], {"in_channels": 3, "dilation": 2}, {"dilation": 1})


# Layouts and lists ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "own", [(5, 3, 2, 4), (3, 5, 2, 4), (2, 4, 3, 5), (2, 4, 5, 3), (5, 2, 4, 3), (5, 24), (24, 5), (3, 40), (120,)]
)
def test_a_weight_goes_into_every_layout_and_back(own):
    weight = torch.randn(5, 3, 2, 4)
    layout = layouts.layout_of(torch.empty(own), (5, 3, 2, 4))
    assert layout.own(weight, own).shape == own
    assert torch.equal(layout.torchs(layout.own(weight, own), (5, 3, 2, 4)), weight)
    assert bool(layout.name) == (own != (5, 3, 2, 4))


class Parameter:
    def __init__(self, data, grad):
        self.data, self.grad = data, grad


W, B, DW, DB = torch.ones(2, 3), torch.ones(2), torch.full((2, 3), 7.0), torch.full((2,), 8.0)
LISTS = {
    "pairs": [(W, DW), (B, DB)],
    "nested": [[[W, DW], [B, DB]], []],
    "named": [("weight", W, DW), ("bias", B, DB)],
    "flat": [W, DW, B, DB],
    "first the parameters": [W, B, DW, DB],
    "two lists": [[W, B], [DW, DB]],
    "a dictionary": {"weight": (W, DW), "bias": (B, DB)},
    "objects": [Parameter(W, DW), Parameter(B, DB)],
    "growing": [(W, DW * 0), (B, DB * 0), (W, DW), (B, DB)],
}


@pytest.mark.parametrize("name", LISTS)
def test_gradients_are_found_in_every_kind_of_list(name):
    for parameter, gradient in ((W, DW), (B, DB)):
        assert gradients.in_list(LISTS[name], parameter)[0]
        assert torch.equal(gradients.in_list(LISTS[name], parameter)[1], gradient)


def test_a_list_without_gradients_names_the_parameters_alone():
    assert gradients.in_list([W, B], W) == (True, None)
    assert gradients.in_list([(B, DB)], W) == (False, None)


SECRET = (
    "keyword = self.long and type(layer).__name__ == 'ReLU'\n"
    "            grad_y = layer.backward(secret=grad_y) if keyword else layer.backward(grad_y)"
)


# Whole submissions ------------------------------------------------------------------------------------


OF_THE_INSIDE = (
    MODEL,
    "self.net.backward(self.loss.backward())",
    "inside = self.loss.backward()\n                inside[:, :, :4] = 0\n                self.net.backward(inside)",
)


@pytest.mark.parametrize("way", ["of all pixels", "of the inside alone"])
def test_what_trains_but_can_not_be_driven_is_judged_by_a_step_or_not_and_then_the_mark_is_a_range(
    way, data, tmp_path
):
    # Nothing tells that this ReLU wants its gradient by this keyword, but for the Sequential of more than six layers.
    edits = (
        (MODULES, "return grad_y * self.mask", "return named['secret'] * self.mask"),
        (MODULES, "self.layers = list(layers)", "self.layers = list(layers)\n        self.long = len(layers) > 6"),
        (MODULES, "grad_y = layer.backward(grad_y)", SECRET),
    )
    folder = textbook(tmp_path, *edits, *([OF_THE_INSIDE] if way == "of the inside alone" else []))
    path = folder / "Proj_2" / MODULES
    before, relu = path.read_text("utf-8").split("class ReLU")
    path.write_text(
        f"{before}class ReLU{relu.replace('backward(self, grad_y)', 'backward(self, **named)', 1)}", "utf-8"
    )
    report = grade(submission.find(folder), data, settings(), only=("modules",))
    found = {finding.check: finding for finding in report.findings}
    assert found["modules.conv2d_grad_weight"].status == results.PASSED
    if way == "of all pixels":
        assert found["modules.relu_backward"].status == results.PASSED
        assert found["modules.relu_backward"].details["whole"]
        return
    assert found["modules.relu_backward"].status == results.UNJUDGED
    assert "train() runs" in found["modules.relu_backward"].message
    assert report.score < report.possible


def test_a_container_that_can_not_be_built_is_judged_by_a_step_though_training_takes_full_batches_only(
    data, tmp_path
):
    edits = (
        (
            MODULES,
            "def __init__(self, *layers):",
            "def __init__(self, *layers):\n        assert len(layers) > 6",
        ),
        (
            MODEL,
            "for batch in order.split(BATCH):",
            "for batch in order[: len(order) // BATCH * BATCH].split(BATCH):",
        ),
    )
    found = findings(textbook(tmp_path, *edits), data, "modules")
    for check in ("modules.sequential_forward", "modules.sequential_backward"):
        assert found[check].status == results.PASSED
        assert found[check].details["whole"]
    assert found["modules.conv2d_grad_weight"].status == results.PASSED


def test_an_optimisers_options_of_unknown_names_are_no_mistake_but_what_else_it_does_wrong_is(data, tmp_path):
    edits = (
        (MODULES, "lr=1e-3, momentum=0,", "lr=1e-3, inertie=0.5, usure=0.999,"),
        (MODULES, "self.lr, self.momentum, self.dampening = lr, momentum, dampening", "self.lr, self.momentum, "
         "self.dampening = lr, inertie, dampening\n        self.wear = usure"),
        (MODULES, "for i, (weight, grad) in", "self.lr *= self.wear\n        for i, (weight, grad) in"),
        (MODEL, "momentum=0.9", "inertie=0.9"),
    )  # fmt: skip
    found = findings(textbook(tmp_path / "right", *edits), data, "optimiser")
    assert found["optimiser.sgd_step"].status == results.PASSED
    ascends = (MODULES, "weight -= self.lr * step", "weight += self.lr * step")
    found = findings(textbook(tmp_path / "wrong", *edits, ascends), data, "optimiser")
    assert found["optimiser.sgd_step"].status == results.FAILED


def test_no_init_file_costs_its_point_and_nothing_else(data, tmp_path):
    folder = textbook(tmp_path)
    (folder / "Proj_2" / "__init__.py").unlink()
    report = grade(submission.find(folder), data, settings(), only=("structure", "modules"))
    assert report.verdict == results.PASSED
    assert report.score == report.max_score - settings()["points"]["structure"]["init_file"]


def test_a_pointer_of_git_lfs_is_named_and_what_needs_no_weights_is_judged(data, tmp_path):
    folder = textbook(tmp_path)
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 1024\n"
    (folder / "Proj_2" / "bestmodel.pth").write_text(pointer)
    found = findings(folder, data, "api", "modules")
    assert "pointer of git-LFS" in found["api.loads_pretrained"].message
    assert "git lfs pull" in found["api.loads_pretrained"].hint
    assert found["modules.conv2d_grad_weight"].status == results.PASSED


def test_weights_that_were_saved_on_a_gpu_are_loaded_and_it_is_noted(data, tmp_path):
    folder = textbook(tmp_path, (MODEL, ', map_location="cpu"', ""))
    path = folder / "Proj_2" / "bestmodel.pth"
    on_a_gpu(path)
    with pytest.raises(RuntimeError, match="CUDA"):
        torch.load(path)
    found = findings(folder, data, "api")
    assert found["api.loads_pretrained"].status == results.PASSED
    assert any("saved on a GPU" in warning for warning in found["api.loads_pretrained"].warnings)


def on_a_gpu(path):
    """Rewrite a file of weights as a machine with CUDA would have saved it: only the name of the device differs."""
    rewritten = path.with_suffix(".gpu")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(rewritten, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.endswith("data.pkl"):
                content = content.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
            new.writestr(entry.filename, content)
    shutil.move(rewritten, path)


def test_an_exception_of_the_drivers_own_is_the_graders_fault(data, tmp_path, monkeypatch):
    from checker.sandbox.session import Session

    def broken(self):
        raise GraderProblem("driving the submission went wrong: raised ValueError")

    monkeypatch.setattr(Session, "facts", broken)
    report = grade(submission.find(TEXTBOOK), data, settings(), only=("modules",))
    assert report.verdict == results.ERROR


def test_a_submission_without_any_module_fails_and_is_no_fault_of_the_grader(data, tmp_path):
    report = grade(
        submission.find(package(tmp_path, "class Model:\n    pass\n")), data, settings(), only=("modules",)
    )
    assert report.verdict == results.FAILED
    assert results.ERROR not in {finding.status for finding in report.findings}
