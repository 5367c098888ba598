"""Correct styles of which the grader has to find out more than a name, each with six defects; graded without training.

plain_functions   activations, the loss (with its gradient) and the optimiser's step are functions; Sequential takes them
gradient_slots    gradients are set as attributes of a module, and left there: net.grad_out = g; net.backward()
built_in_train    Model() has no network: build(), loss and optimiser come in train(), with arguments of their own;
                  parameters and gradients in dictionaries
engine_visits     layers are data; an engine has the methods for each kind of layer, and a stack for all of them
single_picture    every module takes one picture, C×H×W, and gradients of a batch are summed by backward after backward
"""

from pathlib import Path

from .styles_b import ACCUMULATES, CONV_WEIGHT, LAST, LAYOUT, LOSS, OVERWRITES, SIGN, TRANSPOSED_WEIGHT, UNTOUCHED, Defect, of
from .wrong import patched

FOLDER = Path(__file__).parent / "styles"
NAMES = "plain_functions", "gradient_slots", "built_in_train", "engine_visits", "single_picture"


def make(style: str, defect: str, folder: Path) -> Path:
    """Write that style with that defect into `folder`."""
    return patched(FOLDER / style, DEFECTS[style, defect].edits, folder, f"{style}, {defect}")


LAYERS, FUNCTIONS, BLOCKS, LATE = "others/layers.py", "others/functional.py", "others/blocks.py", "framework.py"
ENGINE, SINGLE = "engine.py", "nn.py"

DEFECTS = {
    # An indentation: the product comes after the loop over the pictures.
    ("plain_functions", "last_picture"): Defect(
        of(LAYERS, ("            self.grad_weight += (one", "        self.grad_weight += (one")), {CONV_WEIGHT: LAST}
    ),
    ("plain_functions", "transposed_layout"): Defect(
        of(LAYERS, ("(x.flatten(1) @ c.t())", "(c @ x.flatten(1).t())")), {TRANSPOSED_WEIGHT: LAYOUT}
    ),
    ("plain_functions", "scale"): Defect(
        of(FUNCTIONS, ("diff * 2 / diff.numel()", "diff * 2 / len(diff)")), {LOSS: "C·H·W times"}
    ),
    ("plain_functions", "loss_sign"): Defect(
        of(FUNCTIONS, ("diff * 2 / diff.numel()", "diff * -2 / diff.numel()")), {LOSS: SIGN}
    ),
    ("plain_functions", "in_place"): Defect(
        of(FUNCTIONS, ("x.clamp(min=0)", "x.clamp_(min=0)")), {UNTOUCHED: "ReLU changes the input"}
    ),
    ("plain_functions", "overwritten"): Defect(
        of(LAYERS, ("        d = dout", "        self.grad_weight.zero_()\n        d = dout")), {ACCUMULATES: OVERWRITES}
    ),
    ("gradient_slots", "last_picture"): Defect(
        of(BLOCKS, ("a.transpose(0, 1).flatten(1) @ b.transpose(0, 1)", "a[-1].flatten(1) @ b[-1]")), {CONV_WEIGHT: LAST}
    ),
    ("gradient_slots", "transposed_layout"): Defect(
        of(BLOCKS, ("outer(self.data_in, part)", "outer(part, self.data_in).view(self.weight.shape[:2])")),
        {TRANSPOSED_WEIGHT: LAYOUT},
    ),
    ("gradient_slots", "scale"): Defect(
        of(BLOCKS, ("self.grad_out.sum((0, 2, 3))", "self.grad_out.mean((0, 2, 3))")),
        {"modules.conv2d_grad_bias": "1/(N·H·W"},
    ),
    ("gradient_slots", "loss_sign"): Defect(
        of(BLOCKS, ("(self.data_in - self.target) * (2.0", "(self.target - self.data_in) * (2.0")), {LOSS: SIGN}
    ),
    ("gradient_slots", "in_place"): Defect(
        of(BLOCKS, ("self.grad_out * self.data_in.gt(0)", "self.grad_out.mul_(self.data_in.gt(0))")),
        {UNTOUCHED: "ReLU changes the gradient"},
    ),
    ("gradient_slots", "overwritten"): Defect(
        of(BLOCKS, ("i, j] += self.outer(self.grad_out", "i, j] = self.outer(self.grad_out")), {ACCUMULATES: OVERWRITES}
    ),
    ("built_in_train", "last_picture"): Defect(
        of(LATE, ("dW = flat.mm(self.P.t())", "dW = flat.view(self.n_out, n, -1)[:, -1].mm(self.P.view(len(self.P), n, -1)[:, -1].t())")),
        {CONV_WEIGHT: LAST},
    ),
    ("built_in_train", "transposed_layout"): Defect(
        of(LATE, ("dW = flat.mm(self.P.t())", "dW = self.P.mm(flat.t()).view_as(self.params[\"W\"])")),
        {CONV_WEIGHT: LAYOUT},
    ),
    ("built_in_train", "scale"): Defect(
        of(LATE, ("dW = flat.mm(self.P.t())", "dW = flat.mm(self.P.t()) / n")), {CONV_WEIGHT: "1/N times"}
    ),
    ("built_in_train", "loss_sign"): Defect(of(LATE, ("self.error * 2 /", "self.error * -2 /")), {LOSS: SIGN}),
    ("built_in_train", "in_place"): Defect(
        of(LATE, ("return x * self.on", "return x.mul_(self.on)")), {UNTOUCHED: "ReLU changes the input"}
    ),
    ("built_in_train", "overwritten"): Defect(
        of(LATE, ("self.grads[key] += g", "self.grads[key] = g")), {ACCUMULATES: OVERWRITES}
    ),
    ("engine_visits", "last_picture"): Defect(
        of(ENGINE, ("g.matmul(cols.mT).sum(0)", "g.matmul(cols.mT)[-1]")), {CONV_WEIGHT: LAST}
    ),
    ("engine_visits", "transposed_layout"): Defect(
        of(ENGINE, ("x.flatten(2).matmul(cols.mT)", "cols.matmul(x.flatten(2).mT)")), {TRANSPOSED_WEIGHT: LAYOUT}
    ),
    ("engine_visits", "scale"): Defect(
        of(ENGINE, ("g.matmul(cols.mT).sum(0)", "g.matmul(cols.mT).mean(0)")), {CONV_WEIGHT: "1/N times"}
    ),
    ("engine_visits", "loss_sign"): Defect(of(ENGINE, ("self.stack.pop() * 2", "self.stack.pop() * -2")), {LOSS: SIGN}),
    ("engine_visits", "in_place"): Defect(
        of(ENGINE, ("g.mul(self.stack.pop())", "g.mul_(self.stack.pop())")), {UNTOUCHED: "ReLU changes the gradient"}
    ),
    ("engine_visits", "overwritten"): Defect(
        of(ENGINE, ("layer.weight_grad += g", "layer.weight_grad = g")), {ACCUMULATES: OVERWRITES}
    ),
    ("single_picture", "transposed_layout"): Defect(
        of(SINGLE, ("gradient.mm(self.columns.t())", "self.columns.mm(gradient.t()).view_as(self.w)")), {CONV_WEIGHT: LAYOUT}
    ),
    ("single_picture", "scale"): Defect(
        of(SINGLE, ("self.db += gradient.sum(1)", "self.db += gradient.mean(1)")), {"modules.conv2d_grad_bias": "H·W of the output"}
    ),
    ("single_picture", "loss_sign"): Defect(
        of(SINGLE, ("(self.guess - self.truth).mul(2)", "(self.truth - self.guess).mul(2)")), {LOSS: SIGN}
    ),
    ("single_picture", "in_place"): Defect(
        of(SINGLE, ("gradient.masked_fill(", "gradient.masked_fill_(")), {UNTOUCHED: "ReLU changes the gradient"}
    ),
    ("single_picture", "overwritten"): Defect(
        of(SINGLE, ("self.dw += ", "self.dw = ")), {ACCUMULATES: OVERWRITES}
    ),
}
