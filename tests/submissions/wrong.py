"""Wrong submissions, one defect each: edits of the textbook submission, and the verdict that each must get."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

TRAIN_PAIRS = 1000  # enough for an epoch of the textbook to help at any seed
TEXTBOOK = Path(__file__).parent / "correct" / "textbook"
MODULES, MODEL = "others/modules.py", "model.py"


@dataclass(frozen=True)
class Wrong:
    """`edits` are (file, text, text in its place), with None in place of a whole file. `fails`: every check that must
    fail, with words that its message or hint must hold. `also`: checks that may fail in consequence; no other may.
    """

    edits: tuple[tuple[str, str, str | None], ...]
    fails: dict[str, str]
    also: frozenset[str] = field(default_factory=frozenset)


def make(name: str, folder: Path) -> Path:
    """Write the wrong submission of that name into `folder`."""
    return patched(TEXTBOOK, WRONG[name].edits, folder, name)


def patched(source: Path, edits: tuple[tuple[str, str, str | None], ...], folder: Path, name: str) -> Path:
    """Copy the submission `source` into `folder` and make the edits; every text that one replaces must be there."""
    shutil.copytree(source, folder, dirs_exist_ok=True)
    for file, old, new in edits:
        path = folder / "Proj_2" / file
        if new is None:
            path.unlink()
            continue
        text = path.read_text(encoding="utf-8")
        if old not in text:
            raise ValueError(f"{name}: {old!r} is not in {file}")
        path.write_text(text.replace(old, new), encoding="utf-8")
    return folder


def complaints(wrong: Wrong, report) -> list[str]:
    """What is not as it must be about a Report on a wrong submission, as sentences."""
    failed = {f.check: f for f in report.findings if f.status == "failed"}
    found = [f"{f.check}: the grader broke: {f.message}" for f in report.findings if f.status == "error"]
    for check, words in wrong.fails.items():
        if check not in failed:
            found.append(f"{check} should fail")
        elif words not in (said := f"{failed[check].message} → {failed[check].hint}"):
            found.append(f"{check} says {said!r}, without {words!r}")
    for check in failed.keys() - wrong.fails.keys() - wrong.also:
        found.append(f"{check} fails as well: {failed[check].message} → {failed[check].hint}")
    return found


def modules(old: str, new: str) -> tuple[tuple[str, str, str], ...]:
    return ((MODULES, old, new),)


def model(old: str, new: str) -> tuple[tuple[str, str, str], ...]:
    return ((MODEL, old, new),)


# Consequences: a model whose modules compute something else neither trains nor denoises as it should.
TRAINING = frozenset({"training.changes_weights", "training.one_epoch", "training.changes_loaded_weights"})
MODEL_WORKS = TRAINING | {"psnr.pretrained_model", "training.remainder_batch"}
API = frozenset(
    f"api.{name}"
    for name in (
        "loads_pretrained", "loads_from_anywhere", "loads_its_weights", "shape_and_range", "large_picture", "dtypes",
        "any_size", "batch_independent", "input_untouched",
    )
)  # fmt: skip
RULES = frozenset(f"rules.{name}" for name in ("forbidden", "helpers", "no_autograd", "runtime"))

# The lines of the textbook that several defects change.
CONV_WEIGHT = "(grad @ self.columns.transpose(1, 2)).sum(0)"
CONV_INPUT = "fold(self.weight.flatten(1).t() @ grad, self.x_shape[2:], **self.windows)"
TRANSPOSED_WEIGHT = "(self.x @ columns.transpose(1, 2)).sum(0)"
TRANSPOSED_INPUT = "(self.weight.flatten(1) @ columns)"
BIAS = "self.bias_grad += grad_y.sum((0, 2, 3))"
RELU, SIGMOID = "return grad_y * self.mask", "return grad_y * self.y * (1 - self.y)"
SIGMOID_FORWARD = "self.y = x.sigmoid()\n        return self.y.clone()"
IN_PLACE = MODULES, "self.difference = x - target", "self.difference = x.sub_(target)"
MSE = "return 2 * self.difference / self.difference.numel()"
PARAM = """        pairs = [(self.weight, self.weight_grad)]
        return pairs if self.bias is None else [*pairs, (self.bias, self.bias_grad)]"""
PAIRS_MADE_ONCE = (
    (
        MODULES,
        "        self.windows = {",
        "        self.pairs = [(self.weight, self.weight_grad), (self.bias, self.bias_grad)]\n        self.windows = {",
    ),
    (MODULES, PARAM, "        return [(p, g) for p, g in self.pairs if p is not None]"),
)
LOAD = """        for (weight, _), value in zip(self.net.param(), saved, strict=True):
            weight.copy_(value)"""
SCALED = "batch.float() / 255"
IMPORTS = "from .others.modules import MSE, SGD, Conv2d, NearestUpsampling, ReLU, Sequential, Sigmoid, TransposeConv2d\n"
PAPER_NAME = "Upsampling = TransposeConv2d  # the source paper's name\n"

WRONG = {
    # Only one picture of the batch, or a factor, or a sign ------------------------------------------------------
    "conv_weight_of_last_picture": Wrong(
        modules(CONV_WEIGHT, CONV_WEIGHT.replace(".sum(0)", "[-1]")),
        {"modules.conv2d_grad_weight": "Only the last picture of the batch counts"},
        TRAINING,
    ),
    "conv_weight_of_first_picture": Wrong(
        modules(CONV_WEIGHT, CONV_WEIGHT.replace(".sum(0)", "[0]")),
        {"modules.conv2d_grad_weight": "Only the first picture of the batch counts"},
        TRAINING,
    ),
    "transposed_weight_of_last_picture": Wrong(
        modules(TRANSPOSED_WEIGHT, TRANSPOSED_WEIGHT.replace(".sum(0)", "[-1]")),
        {"modules.transposed_grad_weight": "Only the last picture of the batch counts"},
        TRAINING,
    ),
    "conv_forward_of_last_picture": Wrong(
        modules(
            "return self.add_bias(y.view(x.shape[0], -1, *size))",
            "z = self.add_bias(y.view(x.shape[0], -1, *size))\n        z[:-1] = 0\n        return z",
        ),
        {"modules.conv2d_forward": "Only the last picture of the batch counts"},
        MODEL_WORKS | API,
    ),
    "bias_over_N": Wrong(
        modules(BIAS, "self.bias_grad += grad_y.mean(0).sum((1, 2))"),
        {"modules.conv2d_grad_bias": "1/N times", "modules.transposed_grad_bias": "1/N times"},
        TRAINING,
    ),
    "conv_weight_times_N": Wrong(
        modules(CONV_WEIGHT, f"({CONV_WEIGHT} * len(grad))"), {"modules.conv2d_grad_weight": "are N times"}, TRAINING
    ),
    "conv_input_times_HW": Wrong(
        modules(CONV_INPUT, f"{CONV_INPUT} * grad.shape[2]"),
        {"modules.conv2d_grad_input": "are H·W of the output times"},
        TRAINING,
    ),
    "transposed_weight_times_CHW": Wrong(
        modules(TRANSPOSED_WEIGHT, f"({TRANSPOSED_WEIGHT} * self.x[0].numel())"),
        {"modules.transposed_grad_weight": "are C·H·W of the input times"},
        TRAINING,
    ),
    "conv_weight_sign": Wrong(
        modules(f"self.weight_grad += {CONV_WEIGHT}", f"self.weight_grad -= {CONV_WEIGHT}"),
        {"modules.conv2d_grad_weight": "are minus what"},
        TRAINING,
    ),
    "nearest_mean": Wrong(
        modules(".sum((3, 5))", ".mean((3, 5))"), {"modules.nearest_backward": "1/(the factor squared) times"}
    ),
    # Layouts ----------------------------------------------------------------------------------------------------
    "kernel_transposed": Wrong(
        modules("y = self.weight.flatten(1) @", "y = self.weight.mT.flatten(1) @"),
        {"modules.conv2d_forward": "rows and columns exchanged"},
        MODEL_WORKS,
    ),
    "kernel_flipped": Wrong(
        modules(CONV_INPUT, CONV_INPUT.replace("weight.", "weight.flip(2, 3).")),
        {"modules.conv2d_grad_input": "The kernel is used flipped"},
        TRAINING,
    ),
    "kernel_gradient_transposed": Wrong(
        modules(f"{CONV_WEIGHT}.view(self.weight.shape)", f"{CONV_WEIGHT}.view(self.weight.shape).mT"),
        {"modules.conv2d_grad_weight": "gradient has rows and columns exchanged"},
        TRAINING | {"beyond.pairs"},
    ),
    "transposed_layout": Wrong(
        modules(
            "fold(self.weight.flatten(1).t() @ self.x,",
            "fold(self.weight.view(self.weight.shape[1], self.weight.shape[0], -1).transpose(0, 1).flatten(1).t() @ self.x,",
        ),
        {"modules.transposed_forward": "read in another layout"},
        MODEL_WORKS,
    ),
    "channels_not_transposed": Wrong(
        modules(TRANSPOSED_WEIGHT, "(columns @ self.x.transpose(1, 2)).sum(0)"),
        {"modules.transposed_grad_weight": "computed in its transposed layout"},
        TRAINING,
    ),
    # The bias ---------------------------------------------------------------------------------------------------
    "conv_bias_missing": Wrong(
        modules("return self.add_bias(y.view", "return (y.view"),
        {"modules.conv2d_forward": "bias is not added"},
        MODEL_WORKS,
    ),
    "transposed_bias_missing": Wrong(
        modules("return self.add_bias(fold(", "return (fold("),
        {"modules.transposed_forward": "bias is not added"},
        MODEL_WORKS,
    ),
    "bias_gradient_never": Wrong(
        modules(BIAS, "pass"),
        {"modules.conv2d_grad_bias": "ever computed", "modules.transposed_grad_bias": "ever computed"},
        TRAINING,
    ),
    "bias_false_ignored": Wrong(
        modules("stride, padding, dilation, bias)\n\n    def output_size", "stride, padding, dilation, True)\n\n    def output_size"),
        {"conventions.no_bias": "none added if bias=False"},
    ),
    # Right only for some geometries -----------------------------------------------------------------------------
    "right_for_N_1": Wrong(
        modules(
            CONV_WEIGHT,
            "(grad.reshape(grad.shape[1], -1) @ self.columns.transpose(1, 2).reshape(-1, self.columns.shape[1]))",
        ),
        {"modules.conv2d_grad_weight": "read in another order"},
        TRAINING,
    ),
    "wrong_for_N_1": Wrong(
        modules(TRANSPOSED_WEIGHT, "(self.x.squeeze(0) @ columns.squeeze(0).transpose(-1, -2)).sum(0)"),
        {"modules.transposed_grad_input": "wrong only for a batch of 1"},  # the gradient of the weight raises before it
        MODEL_WORKS,
    ),
    "right_for_same_padding": Wrong(
        modules(
            CONV_INPUT,
            CONV_INPUT.replace(
                "**self.windows",
                '**(self.windows | {"padding": tuple((k - 1) // 2 for k in self.windows["kernel_size"])})',
            ),
        ),
        {"modules.conv2d_grad_input": "right only for padding (k − 1)/2"},
    ),
    "right_for_stride_1": Wrong(
        modules(CONV_INPUT, CONV_INPUT.replace("**self.windows", '**(self.windows | {"stride": (1, 1)})')),
        {"modules.conv2d_grad_input": "right only for stride 1"},
        MODEL_WORKS,
    ),
    "right_for_factor_2": Wrong(
        modules("grad_y.reshape(n, c, h, self.scale[0], w, self.scale[1])", "grad_y.reshape(n, c, h, 2, w, 2)"),
        {"beyond.scale_factors": "right only for factor 2"},
    ),
    "right_for_square_pictures": Wrong(
        modules(CONV_INPUT, CONV_INPUT.replace("self.x_shape[2:]", "(self.x_shape[2], self.x_shape[2])")),
        {"modules.conv2d_grad_input": "right only for square pictures"},
    ),
    "right_for_square_kernels": Wrong(
        modules('"kernel_size": weight_shape[2:]', '"kernel_size": (weight_shape[2], weight_shape[2])'),
        {"beyond.pairs": "right only for square kernels"},
    ),
    "no_dilation": Wrong(
        modules("padding=0, dilation=1, groups=1, bias=True\n    ):", "padding=0, groups=1, bias=True\n    ):\n        dilation = 1"),
        {"beyond.dilation": "dilation"},
    ),
    "dilation_ignored": Wrong(
        modules('"dilation": pair(dilation),', '"dilation": (1, 1),'), {"beyond.dilation": "expected the shape"}
    ),
    "output_padding_ignored": Wrong(
        modules(" + self.output_padding[axis]", ""), {"beyond.output_padding": "expected the shape"}
    ),
    "only_contiguous": Wrong(
        modules("grad = grad_y.flatten(2)", "grad = grad_y.view(*grad_y.shape[:2], -1)"),
        {"beyond.strided_input": "view size"},
    ),
    # State: accumulation, memory, what is kept, what is changed ---------------------------------------------------
    "weight_gradient_overwritten": Wrong(
        modules(f"self.weight_grad += {CONV_WEIGHT}", f"self.weight_grad[:] = {CONV_WEIGHT}"),
        {"behaviour.accumulates": "overwrites the gradient"},
    ),
    "bias_gradient_overwritten": Wrong(
        modules(BIAS, BIAS.replace("bias_grad +=", "bias_grad[:] =")), {"behaviour.accumulates": "overwrites the gradient"}
    ),
    "uninitialised_gradient": Wrong(
        modules("self.weight_grad = empty(weight_shape).zero_()", "self.weight_grad = empty(weight_shape)"),
        {
            "conventions.direct": "zero_grad()",
        },
    ),
    "relu_changes_input": Wrong(
        modules("return x * self.mask", "return x.mul_(self.mask)"),
        {"behaviour.input_untouched": "ReLU changes the input"},
    ),
    "relu_changes_gradient": Wrong(
        modules(RELU, "return grad_y.mul_(self.mask)"), {"behaviour.input_untouched": "ReLU changes the gradient"}
    ),
    "second_backward_differs": Wrong(
        modules(SIGMOID, "return grad_y * self.y.mul_(1 - self.y)"),
        {"behaviour.backward_twice": "Does backward change what forward saved?"},
    ),
    "stale_param": Wrong(PAIRS_MADE_ONCE, {"conventions.assigned_weights": "it is stale"}),
    "stale_gradient": Wrong(
        (*PAIRS_MADE_ONCE, *modules("self.weight_grad += ", "self.weight_grad = self.weight_grad + ")),
        {
            "conventions.assigned_weights": "it is stale",
            "modules.conv2d_grad_weight": "does param() list the tensor",
            "modules.transposed_grad_weight": "does param() list the tensor",
        },
        TRAINING | {"optimiser.sgd_step", "conventions.sgd_call"},
    ),
    "weights_copied_once": Wrong(
        (
            (MODULES, "        self.windows = {", "        self.matrix = self.weight.flatten(1).clone()\n        self.windows = {"),
            (MODULES, "y = self.weight.flatten(1) @", "y = self.matrix @"),
        ),
        {"conventions.assigned_weights": "copy of the old ones", "optimiser.sgd_step": "did not move"},
        MODEL_WORKS | API | {"modules.conv2d_grad_input"},
    ),
    # Activations and the loss -------------------------------------------------------------------------------------
    "relu_masks_gradient": Wrong(
        modules(RELU, "return grad_y.clamp(min=0)"), {"modules.relu_backward": "looks at the gradient's sign"}, TRAINING
    ),
    "relu_passes_through": Wrong(
        modules(RELU, "return grad_y.clone()"), {"modules.relu_backward": "passed through as it is"}, TRAINING
    ),
    "relu_ignores_gradient": Wrong(
        modules(RELU, "return self.mask * 1.0"), {"modules.relu_backward": "incoming gradient multiplied in"}, TRAINING
    ),
    "sigmoid_of_x": Wrong(
        modules(SIGMOID_FORWARD, "self.y = x\n        return x.sigmoid()"),
        {"modules.sigmoid_backward": "x·(1 − x)"},
        TRAINING,
    ),
    "sigmoid_ignores_gradient": Wrong(
        modules(SIGMOID, "return self.y * (1 - self.y)"),
        {"modules.sigmoid_backward": "incoming gradient multiplied in"},
        TRAINING,
    ),
    "sigmoid_overflows": Wrong(
        modules("self.y = x.sigmoid()", "self.y = x.exp() / (1 + x.exp())"),
        {"modules.sigmoid_forward": "exp(x) overflow", "modules.sigmoid_backward": "exp(x) overflow"},
    ),
    "sigmoid_gradient_overflows": Wrong(
        (
            (MODULES, SIGMOID_FORWARD, "self.x = x.clone()\n        return x.sigmoid()"),
            (MODULES, SIGMOID, "return grad_y * (-self.x).exp() / (1 + (-self.x).exp()) ** 2"),
        ),
        {"modules.sigmoid_backward": "exp(x) overflow"},
    ),
    "mse_times_CHW": Wrong(
        modules(MSE, "return 2 * self.difference / len(self.difference)"),
        {"optimiser.mse_backward": "C·H·W times what it should be: forward and backward disagree"},
        TRAINING,
    ),
    "mse_times_N": Wrong(
        modules(MSE, "return 2 * self.difference / self.difference[0].numel()"),
        {"optimiser.mse_backward": "N times what it should be: forward and backward disagree"},
        TRAINING,
    ),
    "mse_sign": Wrong(
        modules(MSE, f"return -{MSE.removeprefix('return ')}"),
        {"optimiser.mse_backward": "−1 times what it should be"},
        TRAINING,
    ),
    "mse_in_place": Wrong(
        (IN_PLACE, (MODULES, "return self.y.clone()", "return self.y")),
        {"optimiser.mse_backward": "it is right behind a copy"},
        TRAINING,
    ),
    "mse_changes_its_prediction": Wrong((IN_PLACE,), {"behaviour.input_untouched": "MSE changes the prediction"}),
    "mse_changes_its_target": Wrong(
        modules("self.difference = x - target", "self.difference = target.sub_(x).neg_()"),
        {"behaviour.input_untouched": "MSE changes the target"},
        TRAINING,
    ),
    "mse_sum": Wrong(
        ((MODULES, "(self.difference**2).mean()", "(self.difference**2).sum()"), (MODULES, MSE, "return 2 * self.difference")),
        {"optimiser.mse_forward": "mean over all elements"},
        TRAINING,
    ),
    # Sequential and SGD -------------------------------------------------------------------------------------------
    "sequential_returns_none": Wrong(
        modules("            grad_y = layer.backward(grad_y)\n        return grad_y", "            grad_y = layer.backward(grad_y)"),
        {"conventions.direct": "does not return the gradient of its input"},
    ),
    "sequential_forward_order": Wrong(
        modules("for layer in reversed(self.layers):", "for layer in self.layers:"),
        {"modules.sequential_backward": "from the last layer to the first"},
        MODEL_WORKS,
    ),
    "sequential_leaves_out_a_layer": Wrong(
        modules("        for layer in self.layers:\n            x =", "        for layer in self.layers[1:]:\n            x ="),
        {"modules.sequential_forward": "go into the next one"},
        MODEL_WORKS | API | {"modules.sequential_backward"},
    ),
    "sequential_lists_first_layer": Wrong(
        modules("for layer in self.layers for pair", "for layer in self.layers[:1] for pair"),
        {"modules.sequential_backward": "does not list the weight of convolution 2"},
        MODEL_WORKS | API,
    ),
    "zero_grad_does_nothing": Wrong(
        modules("for _, grad in self.params:\n            grad.zero_()", "pass"),
        {"optimiser.zero_grad": "reach every gradient"},
        TRAINING,
    ),
    "momentum_ignored": Wrong(modules("if self.momentum:", "if False:"), {"beyond.momentum": "Is a velocity kept"}, TRAINING),
    "lr_ignored": Wrong(
        modules("self.dampening = lr,", "self.dampening = 0.01,"), {"optimiser.sgd_step": "0.2 times"}, TRAINING
    ),
    "steps_up": Wrong(
        modules("weight -= self.lr", "weight += self.lr"), {"optimiser.sgd_step": "goes up the gradient"}, TRAINING
    ),
    "steps_nowhere": Wrong(
        modules("weight -= self.lr * step", "weight = weight - self.lr * step"),
        {"optimiser.sgd_step": "did not move"},
    ),
    # Model: predict -----------------------------------------------------------------------------------------------
    "predicts_0_to_1": Wrong(
        model("return cat(predicted) * 255", "return cat(predicted)"), {"psnr.pretrained_model": "0–1 instead of 0–255"}
    ),
    "forgot_255": Wrong(
        model(f"pad_to_multiple({SCALED}, 4)", "pad_to_multiple(batch.float(), 4)"),
        {"psnr.pretrained_model": "did you forget to divide by 255?"},
        TRAINING,
    ),
    "float_input_unscaled": Wrong(
        model(f"pad_to_multiple({SCALED}, 4)", "pad_to_multiple(batch / 255 if batch.dtype == torch.uint8 else batch, 4)"),
        {"api.dtypes": "Are both divided by 255?", "psnr.pretrained_model": "did you forget to divide by 255?"},
        TRAINING,
    ),
    "odd_sizes": Wrong(
        model(f"pad_to_multiple({SCALED}, 4)", SCALED), {"beyond.any_size": "Is the picture padded"}
    ),
    "only_32": Wrong(
        model("noisy.split(BATCH)", "noisy.reshape(-1, 3, 32, 32).split(BATCH)"),
        {"api.large_picture": "returned the shape", "beyond.any_size": "1×3×31×33"},
    ),
    "remainder_dropped": Wrong(
        model("noisy.split(BATCH)", "noisy[: max(BATCH, len(noisy) // BATCH * BATCH)].split(BATCH)"),
        {"api.batch_independent": "returned the shape"},
    ),
    "depends_on_its_batch": Wrong(
        model(f"pad_to_multiple({SCALED}, 4)", f"pad_to_multiple({SCALED} - batch.float().mean() / 255 + 0.5, 4)"),
        {"api.batch_independent": "alone and in a batch"},
        MODEL_WORKS,
    ),
    "predict_changes_pictures": Wrong(
        ((MODEL, "height, width = noisy", "noisy = noisy.float().div_(255)\n        height, width = noisy"),
         (MODEL, f"pad_to_multiple({SCALED}, 4)", "pad_to_multiple(batch, 4)")),
        {"api.input_untouched": "changes the pictures"},
    ),
    "constructor_needs_argument": Wrong(
        model("def __init__(self):", "def __init__(self, learning_rate):"), {"api.constructs": "learning_rate"}
    ),
    # Model: load --------------------------------------------------------------------------------------------------
    "weights_not_loaded": Wrong(
        model("weight.copy_(value)", "pass"),
        {"api.loads_its_weights": "different seeds", "psnr.pretrained_model": "get to where forward reads them"},
    ),
    "biases_not_loaded": Wrong(
        model("weight.copy_(value)", "weight.copy_(value) if value.dim() == 4 else None"),
        {"api.loads_its_weights": "different seeds"},
        MODEL_WORKS,
    ),
    "loads_from_one_folder_up": Wrong(
        model('Path(__file__).parent / "bestmodel.pth"', 'Path("Proj_2") / "bestmodel.pth"'),
        {"api.loads_from_anywhere": "built from __file__?"},
    ),
    "loads_from_its_folder": Wrong(
        model('Path(__file__).parent / "bestmodel.pth"', 'Path("bestmodel.pth")'),
        {"api.loads_from_anywhere": "works in the folder Proj_2 only"},
    ),
    "loads_from_home": Wrong(
        model('Path(__file__).parent / "bestmodel.pth"', 'Path("/home/student/Proj_2/bestmodel.pth")'),
        {"api.loads_pretrained": "FileNotFoundError"},
    ),
    "no_weights_handed_in": Wrong((("bestmodel.pth", "", None),), {"api.loads_pretrained": "there is no bestmodel.pth"}),
    # Model: train -------------------------------------------------------------------------------------------------
    "no_step": Wrong(model("self.optimizer.step()", "pass"), {"training.changes_weights": "same before and after"}),
    "saturates": Wrong(model("lr=2.0", "lr=2e6"), {"training.one_epoch": "a layer saturates"}),
    "stale_optimiser": Wrong(
        model(
            LOAD,
            "        layers = [layer for layer in self.net.layers if layer.param()]\n"
            "        for layer, weight, bias in zip(layers, saved[::2], saved[1::2], strict=True):\n"
            "            layer.weight, layer.bias = weight, bias",
        ),
        {"training.changes_loaded_weights": "Does the optimiser still hold"},
    ),
    "remainder_crashes": Wrong(
        model("noisy_in[batch].float()", "noisy_in[batch].view(BATCH, 3, 32, 32).float()"),
        {"training.remainder_batch": "last batch"},
    ),
    "train_changes_pictures": Wrong(
        model("noisy_out, num_epochs):\n", "noisy_out, num_epochs):\n        noisy_in.clamp_(20, 230)\n"),
        {"training.remainder_batch": "train changed the pictures"},
    ),
    # The rules ----------------------------------------------------------------------------------------------------
    "autograd": Wrong(
        (
            (MODULES, "from torch import empty\n", "import torch\nfrom torch import empty\n"),
            (MODULES, SIGMOID_FORWARD, "self.x = x.clone()\n        return x.sigmoid()"),
            (
                MODULES,
                SIGMOID,
                "with torch.enable_grad():\n            x = self.x.clone().requires_grad_()\n"
                "            x.sigmoid().backward(grad_y)\n        return x.grad",
            ),
        ),
        {"rules.forbidden": "torch.enable_grad (autograd)"},
        RULES,
    ),
    "functional_conv2d": Wrong(
        (
            (MODULES, "import fold, unfold\n", "import conv2d, fold, unfold\n"),
            (
                MODULES,
                "y = self.weight.flatten(1) @ self.columns ",
                "w = self.windows\n        y = conv2d(x, self.weight, None, w['stride'], w['padding'], w['dilation']) ",
            ),
        ),
        {"rules.forbidden": "torch.nn.functional.conv2d"},
        RULES,
    ),
    "torch_nn_module": Wrong(
        (
            (MODULES, "from torch import empty\n", "from torch import empty, nn\n"),
            (MODULES, "self.y = x.sigmoid()", "self.y = nn.Sigmoid()(x)"),
        ),
        {"rules.forbidden": "torch.nn.Sigmoid"},
        RULES,
    ),
    "torch_optim": Wrong(
        model("from torch import cat, empty\n", "from torch import cat, empty, optim\n"),
        {"rules.forbidden": "torch's optimisers"},
        RULES,
    ),
    "numpy": Wrong(
        ((MODEL, "import torch\n", "import numpy\nimport torch\n"),
         (MODEL, "height, width = noisy.shape[2:]", "height, width = map(int, numpy.array(noisy.shape[2:]))")),
        {"rules.forbidden": "a package other than torch"},
        RULES,
    ),
    "tqdm": Wrong(
        ((MODEL, "import torch\n", "import torch\nfrom tqdm import tqdm\n"),
         (MODEL, "in order.split(BATCH)", "in tqdm(order.split(BATCH))")),
        {"rules.forbidden": "tqdm"},
        RULES,
    ),
    "helpers": Wrong(
        ((MODULES, "from torch import empty\n", "from torch import empty, zeros\n"),
         (MODULES, "empty(weight_shape).zero_()", "zeros(weight_shape)")),
        {"rules.helpers": "torch.zeros"},
        RULES - {"rules.forbidden"},
    ),
    # The interface: said once, and the mathematics is judged all the same ------------------------------------------
    "no_init": Wrong((("__init__.py", "", None),), {"structure.init_file": "missing: __init__.py"}),
    "sigmoid_not_exported": Wrong(
        ((MODEL, "Sequential, Sigmoid, TransposeConv2d\n", "Sequential, TransposeConv2d\nfrom .others import modules\n"),
         (MODEL, "            Sigmoid(),", "            modules.Sigmoid(),")),
        {"conventions.names": "missing: Sigmoid"},
    ),
    "only_upsampling_transposed": Wrong(
        (
            (MODEL, PAPER_NAME, ""),
            (MODEL, "TransposeConv2d(", "Upsampling("),
            (MODEL, IMPORTS, IMPORTS.replace("NearestUpsampling, ", "").replace("TransposeConv2d", "TransposeConv2d as Upsampling")),
        ),
        {"conventions.names": "Upsampling is judged in its place"},
    ),
    "only_upsampling_nearest": Wrong(
        (
            (MODEL, PAPER_NAME, ""),
            (MODEL, "TransposeConv2d(", "modules.TransposeConv2d("),
            (
                MODEL,
                IMPORTS,
                IMPORTS.replace("NearestUpsampling", "NearestUpsampling as Upsampling").replace(
                    ", TransposeConv2d", "\nfrom .others import modules"
                ),
            ),
        ),
        {"conventions.names": "Upsampling is judged in its place"},
    ),
    "keywords_input_channels": Wrong(
        ((MODULES, "in_channels", "input_channels"), (MODULES, "out_channels", "output_channels")),
        {"conventions.signatures": "in_channels"},
    ),
    "no_bias_keyword": Wrong(
        modules("dilation=1, groups=1, bias=True\n    ):", "dilation=1, groups=1\n    ):\n        bias = True"),
        {"conventions.signatures": "'bias'", "conventions.no_bias": "no argument for bias"},
    ),
    "sequential_of_a_list": Wrong(
        (
            (MODULES, "def __init__(self, *layers):", "def __init__(self, layers):"),
            (MODEL, "self.net = Sequential(", "self.net = Sequential(["),
            (MODEL, "            Sigmoid(),\n        )", "            Sigmoid(),\n        ])"),
        ),
        {"conventions.signatures": "Sequential(ReLU())"},
    ),
    "sgd_takes_the_net": Wrong(
        ((MODULES, "self.params = list(params)", "self.params = params.param()"),
         (MODEL, "SGD(self.net.param(),", "SGD(self.net,")),
        {"conventions.sgd_call": "raised"},
    ),
    "flat_param": Wrong(
        (
            (MODULES, PARAM, "        return [t for t in (self.weight, self.weight_grad, self.bias, self.bias_grad) if t is not None]"),
            (MODULES, "self.params = list(params)", "self.params = list(zip(params[::2], params[1::2]))"),
            (MODEL, LOAD, "        for weight, value in zip(self.net.param()[::2], saved, strict=True):\n            weight.copy_(value)"),
        ),
        {"conventions.param_pairs": "expected 2 pairs"},
        frozenset({"conventions.sgd_call"}),
    ),
    "nested_param": Wrong(
        (
            (MODULES, "return [pair for layer in self.layers for pair in layer.param()]", "return [layer.param() for layer in self.layers]"),
            (MODULES, "self.params = list(params)", "self.params = [pair for layer in params for pair in layer]"),
            (MODEL, "zip(self.net.param(), saved", "zip(sum(self.net.param(), []), saved"),
        ),
        {"conventions.param_pairs": "Sequential"},
        frozenset({"conventions.sgd_call"}),
    ),
    "weight_called_w": Wrong(
        ((MODULES, "self.weight", "self.w"), (MODULES, "self.bias", "self.b")),
        {"conventions.assigned_weights": "it is called w"},
    ),
    "bias_with_four_dimensions": Wrong(
        (
            (MODULES, "empty(out_channels)", "empty(1, out_channels, 1, 1)"),
            (MODULES, BIAS, "self.bias_grad += grad_y.sum((0, 2, 3), keepdim=True)"),
            (MODEL, "weight.copy_(value)", "weight.copy_(value.view(weight.shape))"),
        ),
        {"conventions.assigned_weights": "has the shape 1×"},
    ),
}  # fmt: skip
