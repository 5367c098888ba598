"""Seven correct submissions in the styles of real ones, each with six defects: patches of its source.

`styles/NAME/` holds the correct ones, `make(NAME, DEFECT, folder)` writes one with a defect. What each style does in
its own way is in STYLES. Every gradient of the correct ones agrees with autograd in float64 (stride, padding, rest of
the stride, batches of 1 to 4; two passes add up; their own zero_grad clears), and a defect is wrong where it says.
"""

from dataclasses import dataclass
from pathlib import Path

from .wrong import patched

FOLDER = Path(__file__).parent / "styles"

STYLES = {
    "optimizer_in_model": "no SGD: Model.sgd_step(); LossMSE; params() is flat, [w, dw, b, db, …]; nearest and convolution",
    "double_default": "float64 is the default type; in_channel, out_channel, kernel, stride, pad; momentum required",
    "gpu_weights": "weights of cuda:0 without map_location; no __init__.py; padding before stride; Upsampling",
    "fresh_gradients": "gradients are new tensors; param() nested by layer, (None, None); SGD(network, lr); bias 1×C×1×1",
    "target_first": "MSE(target, prediction) is a float; Sequential(list), Network; SGD(model, lr); TransposedConv2d",
    "matrix_weights": "W (out, in·k·k), b (out, 1); zeros inserted and a flipped kernel; bestmodel.pth is an LFS pointer",
    "star_arguments": "the handout's skeleton: *input, *gradwrtoutput; backward returns tuples; contexts on a stack",
}

NAMES = tuple(STYLES)


@dataclass(frozen=True)
class Defect:
    """`edits` are (file, text, text in its place), every occurrence; `fails`: the checks that must fail, with words of
    the diagnosis.
    """

    edits: tuple[tuple[str, str, str], ...]
    fails: dict[str, str]

    @property
    def says(self) -> tuple[str, ...]:
        """Words of which the diagnosis must hold one."""
        return tuple(self.fails.values())


def make(style: str, defect: str, folder: Path) -> Path:
    """Write that style with that defect into `folder`."""
    return patched(FOLDER / style, DEFECTS[style, defect].edits, folder, f"{style}, {defect}")


LAST, LAYOUT, SIGN, OVERWRITES = "last picture", "layout", "−1 times", "overwrites the gradient"
CONV_WEIGHT, TRANSPOSED_WEIGHT = "modules.conv2d_grad_weight", "modules.transposed_grad_weight"
LOSS, UNTOUCHED, ACCUMULATES = "optimiser.mse_backward", "behaviour.input_untouched", "behaviour.accumulates"


def of(file: str, *pairs: tuple[str, str]) -> tuple[tuple[str, str, str], ...]:
    return tuple((file, old, new) for old, new in pairs)


DEFECTS = {
    # Batched products of patches as rows: file others/modules.py ---------------------------------------------------
    ("optimizer_in_model", "last_picture"): Defect(
        of("others/modules.py", ("(dy @ self.patches).sum(0)", "(dy @ self.patches)[-1]")), {CONV_WEIGHT: LAST}
    ),
    ("optimizer_in_model", "transposed_layout"): Defect(
        of("others/modules.py", ("(dy @ self.patches).sum(0)", "(self.patches.transpose(1, 2) @ dy.transpose(1, 2)).sum(0)")),
        {CONV_WEIGHT: LAYOUT},
    ),
    ("optimizer_in_model", "scale"): Defect(
        of("others/modules.py", ("(dy @ self.patches).sum(0)", "(dy @ self.patches).mean(0)")), {CONV_WEIGHT: "1/N times"}
    ),
    ("optimizer_in_model", "loss_sign"): Defect(
        of("others/modules.py", ("2 * (self.prediction - self.target)", "2 * (self.target - self.prediction)")), {LOSS: SIGN}
    ),
    ("optimizer_in_model", "in_place"): Defect(
        of("others/modules.py", ("return x * self.positive", "return x.mul_(self.positive)")),
        {UNTOUCHED: "ReLU changes the input"},
    ),
    ("optimizer_in_model", "overwritten"): Defect(
        of("others/modules.py", ("self.dw += dw", "self.dw = dw"), ("self.db += dy", "self.db = dy")),
        {ACCUMULATES: OVERWRITES},
    ),
    # Sliding windows, one file for each module ----------------------------------------------------------------------
    # An indentation: the product comes after the loop over the pictures.
    ("double_default", "last_picture"): Defect(
        of("others/conv2d.py", ("            self.weight_grad += (g.T", "        self.weight_grad += (g.T")), {CONV_WEIGHT: LAST}
    ),
    ("double_default", "transposed_layout"): Defect(
        of("others/transpose_conv2d.py", ("(x.T @ windows.flatten(end_dim=2))", "(windows.flatten(end_dim=2).T @ x)")),
        {TRANSPOSED_WEIGHT: LAYOUT},
    ),
    ("double_default", "scale"): Defect(
        of("others/conv2d.py", ("(g.T @ w).view_as(self.weight)", "(g.T @ w).view_as(self.weight) / len(g)")),
        {CONV_WEIGHT: "1/(H·W of the output) times"},
    ),
    ("double_default", "loss_sign"): Defect(of("others/loss.py", ("(2 / self", "(-2 / self")), {LOSS: SIGN}),
    ("double_default", "in_place"): Defect(
        of("others/activations.py", ("0.5 * (1 + (x / 2).tanh())", "x.div_(2).tanh_().add_(1).div_(2)")),
        {UNTOUCHED: "Sigmoid changes the input"},
    ),
    ("double_default", "overwritten"): Defect(
        of(
            "others/conv2d.py",
            ("        # every window of", "        self.weight_grad.fill_(0)\n        self.bias_grad.fill_(0)\n        # every window of"),
        ),
        {ACCUMULATES: OVERWRITES},
    ),
    # One product for the whole batch: others/layers.py --------------------------------------------------------------
    ("gpu_weights", "last_picture"): Defect(
        of("others/layers.py", ("G.t().mm(self.X)", "G[-(len(G) // B):].t().mm(self.X[-(len(G) // B):])")), {CONV_WEIGHT: LAST}
    ),
    ("gpu_weights", "transposed_layout"): Defect(
        of("others/layers.py", ("G.t().mm(self.X)", "self.X.t().mm(G)")), {CONV_WEIGHT: LAYOUT}
    ),
    ("gpu_weights", "scale"): Defect(
        of("others/layers.py", ("self.X.t().mm(G).view_as(self.weight)", "self.X.t().mm(G).view_as(self.weight) / B")),
        {TRANSPOSED_WEIGHT: "1/N times"},
    ),
    ("gpu_weights", "loss_sign"): Defect(of("others/layers.py", ("return 2 / self.d", "return -2 / self.d")), {LOSS: SIGN}),
    ("gpu_weights", "in_place"): Defect(
        of("others/layers.py", ("return grad.masked_fill(", "return grad.masked_fill_(")),
        {UNTOUCHED: "ReLU changes the gradient"},
    ),
    ("gpu_weights", "overwritten"): Defect(
        of("others/layers.py", ("self.grad_weight.add_(", "self.grad_weight.copy_("), ("self.grad_bias.add_(", "self.grad_bias.copy_(")),
        {ACCUMULATES: OVERWRITES},
    ),
    # One product for each place in the kernel -----------------------------------------------------------------------
    ("fresh_gradients", "last_picture"): Defect(
        of("others/conv.py", ("(dy_flat @ patch.transpose(1, 2)).sum(0)", "(dy_flat @ patch.transpose(1, 2))[-1]")),
        {CONV_WEIGHT: LAST},
    ),
    # There is no matrix for the whole kernel here: the in × out matrix of one place is read as out × in.
    ("fresh_gradients", "transposed_layout"): Defect(
        of("others/conv.py", ("(dy_flat @ patch.transpose(1, 2)).sum(0)", "(patch @ dy_flat.transpose(1, 2)).sum(0).view(c, -1)")),
        {CONV_WEIGHT: LAYOUT},
    ),
    ("fresh_gradients", "scale"): Defect(
        of("others/conv.py", ("dy.sum((0, 2, 3), keepdim=True)", "dy.mean((0, 2, 3), keepdim=True)")),
        {"modules.conv2d_grad_bias": "1/(N·H·W", "modules.transposed_grad_bias": "1/(N·H·W"},
    ),
    ("fresh_gradients", "loss_sign"): Defect(
        of("others/nn.py", ("* (self.prediction - self.target)", "* (self.target - self.prediction)")), {LOSS: SIGN}
    ),
    ("fresh_gradients", "in_place"): Defect(
        of("others/nn.py", ("return slope * dy", "return dy.mul_(slope)")), {UNTOUCHED: "Sigmoid changes the gradient"}
    ),
    ("fresh_gradients", "overwritten"): Defect(
        of("others/conv.py", ("self.dw = self.dw + dw", "self.dw = dw"), ("self.db = self.db + dy", "self.db = dy")),
        {ACCUMULATES: OVERWRITES},
    ),
    # One picture after the other ------------------------------------------------------------------------------------
    ("target_first", "last_picture"): Defect(
        of("others/conv2d.py", ("dw += dyn.mm(blocks.t())", "dw = dyn.mm(blocks.t())")), {CONV_WEIGHT: LAST}
    ),
    ("target_first", "transposed_layout"): Defect(
        of(
            "others/transposedconv2d.py",
            (
                "self.x[n].reshape(self.x.size(1), -1).mm(blocks.t())",
                "blocks.mm(self.x[n].reshape(self.x.size(1), -1).t()).view(dw.size())",
            ),
        ),
        {TRANSPOSED_WEIGHT: LAYOUT},
    ),
    ("target_first", "scale"): Defect(
        of("others/transposedconv2d.py", ("dy.sum(3).sum(2).sum(0)", "dy.mean(3).mean(2).sum(0)")),
        {"modules.transposed_grad_bias": "1/(H·W of the output) times"},
    ),
    ("target_first", "loss_sign"): Defect(
        of("others/mse.py", ("2 * (self.prediction - self.target)", "2 * (self.target - self.prediction)")), {LOSS: SIGN}
    ),
    ("target_first", "in_place"): Defect(
        of("others/activations.py", ("    y = x.clone()", "    y = x")), {UNTOUCHED: "ReLU changes the input"}
    ),
    ("target_first", "overwritten"): Defect(
        of("others/conv2d.py", ("self.gradWeight +=", "self.gradWeight[:] ="), ("self.gradBias +=", "self.gradBias[:] ="))
        + of("others/transposedconv2d.py", ("self.gradWeight +=", "self.gradWeight[:] ="), ("self.gradBias +=", "self.gradBias[:] =")),
        {ACCUMULATES: OVERWRITES},
    ),
    # Matrices; the upsampling is a convolution as well, so that what is wrong in one is wrong in both ----------------
    ("matrix_weights", "last_picture"): Defect(
        of("others/convolution.py", ("dY @ self.P.T", "dY[:, -H * Wd:] @ self.P.T[-H * Wd:]")),
        {CONV_WEIGHT: LAST, TRANSPOSED_WEIGHT: LAST},
    ),
    ("matrix_weights", "transposed_layout"): Defect(
        of("others/convolution.py", ("dY @ self.P.T", "(self.P @ dY.T).view(self.W.shape)")),
        {CONV_WEIGHT: LAYOUT, TRANSPOSED_WEIGHT: LAYOUT},
    ),
    ("matrix_weights", "scale"): Defect(
        of("others/convolution.py", ("return dZ[:, :, ::self.s, ::self.s]", "return dZ[:, :, ::self.s, ::self.s] / len(dZ)")),
        {"modules.transposed_grad_input": "1/N times"},
    ),
    # Target and prediction exchanged: forward, a square, does not show it.
    ("matrix_weights", "loss_sign"): Defect(of("others/others.py", ("self.E = Y - T", "self.E = T - Y")), {LOSS: SIGN}),
    ("matrix_weights", "in_place"): Defect(
        of("others/others.py", ("X.sigmoid()", "X.sigmoid_()")), {UNTOUCHED: "Sigmoid changes the input"}
    ),
    ("matrix_weights", "overwritten"): Defect(
        of("others/convolution.py", ("self.dW +=", "self.dW[:] ="), ("self.db +=", "self.db[:] =")), {ACCUMULATES: OVERWRITES}
    ),
    # Indices of patches ---------------------------------------------------------------------------------------------
    ("star_arguments", "last_picture"): Defect(
        of("others/conv.py", ("grad.matmul(patches.transpose(1, 2)).sum(0)", "grad.matmul(patches.transpose(1, 2))[-1]")),
        {CONV_WEIGHT: LAST},
    ),
    ("star_arguments", "transposed_layout"): Defect(
        of(
            "others/conv.py",
            ("x.flatten(2).matmul(patches.transpose(1, 2)).sum(0)", "patches.matmul(x.flatten(2).transpose(1, 2)).sum(0)"),
        ),
        {TRANSPOSED_WEIGHT: LAYOUT},
    ),
    ("star_arguments", "scale"): Defect(
        of(
            "others/conv.py",
            ("grad.matmul(patches.transpose(1, 2)).sum(0)", "grad.matmul(patches.transpose(1, 2)).sum(0).div(grad[:, 0].numel())"),
        ),
        {CONV_WEIGHT: "1/(N·H·W"},
    ),
    ("star_arguments", "loss_sign"): Defect(
        of("others/functions.py", ("self.save(prediction - target)", "self.save(target - prediction)")), {LOSS: SIGN}
    ),
    ("star_arguments", "in_place"): Defect(
        of("others/functions.py", ("return gradwrtoutput[0] * mask,", "return gradwrtoutput[0].mul_(mask),")),
        {UNTOUCHED: "ReLU changes the gradient"},
    ),
    ("star_arguments", "overwritten"): Defect(
        of("others/conv.py", ("self.grad_weight +=", "self.grad_weight[:] ="), ("self.grad_bias +=", "self.grad_bias[:] =")),
        {ACCUMULATES: OVERWRITES},
    ),
}  # fmt: skip
