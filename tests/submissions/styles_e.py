"""Styles whose modules can't be used one by one, each with defects: judged by a step of train().

shared_state        forward(state) and backward(state) replace state.x and state.grad, and return nothing
functional_layers   conv_forward(x, w, b, stride, pad) returns (y, cache); weights in a dictionary; no class but Model
steps_inside        backward changes the weights, at a rate that is written out in it
"""

from pathlib import Path

from .styles_b import LAST, LAYOUT, SIGN, UNTOUCHED, Defect, of
from .wrong import patched

FOLDER = Path(__file__).parent / "styles"
NAMES = "shared_state", "functional_layers", "steps_inside"
LAYERS = "others/layers.py"
CONV, UP = "modules.conv2d_grad_weight", "modules.transposed_grad_weight"
OF_CONV = "dw = (flat @ cols.transpose(1, 2)).sum(0).reshape(w.shape)\n    db = flat"
OF_UP = "dw = (flat @ cols.transpose(1, 2)).sum(0).reshape(w.shape)\n    db = dy"


def make(style: str, defect: str, folder: Path) -> Path:
    """Write that style with that defect into `folder`."""
    return patched(FOLDER / style, DEFECTS[style, defect].edits, folder, f"{style}, {defect}")


DEFECTS = {
    ("shared_state", "last_picture"): Defect(
        of(LAYERS, ("(g @ columns.transpose(1, 2)).sum(0)", "(g @ columns.transpose(1, 2))[-1]")), {CONV: LAST}
    ),
    ("shared_state", "transposed_layout"): Defect(
        of(LAYERS, ("(x @ columns.transpose(1, 2)).sum(0)", "(columns @ x.transpose(1, 2)).sum(0)")),
        {UP: LAYOUT},
    ),
    ("shared_state", "scale"): Defect(
        of(LAYERS, ("g.sum((0, 2)))", "g.sum(2).mean(0))")), {"modules.conv2d_grad_bias": "1/N times"}
    ),
    ("shared_state", "loss_sign"): Defect(
        of(LAYERS, ("state.grad = (state.x - state.target)", "state.grad = (state.target - state.x)")),
        {"optimiser.mse_backward": SIGN},
    ),
    ("shared_state", "flipped"): Defect(
        of(LAYERS, ("state.grad = (self.filters.flatten(1) @", "state.grad = (self.filters.flip(2, 3).flatten(1) @")),
        {"modules.transposed_grad_input": "flipped"},
    ),
    ("shared_state", "mask"): Defect(
        of(LAYERS, ("state.grad = state.grad * state.memory.pop()", "state.grad = state.grad.clamp(min=0 * len(state.memory.pop()))")),
        {"modules.relu_backward": "gradient's sign"},
    ),
    ("functional_layers", "last_picture"): Defect(of(LAYERS, (OF_CONV, OF_CONV.replace(".sum(0)", "[-1]"))), {CONV: LAST}),
    ("functional_layers", "transposed_layout"): Defect(
        of(LAYERS, (OF_UP, OF_UP.replace("flat @ cols.transpose(1, 2)", "cols @ flat.transpose(1, 2)"))), {UP: LAYOUT}
    ),
    ("functional_layers", "scale"): Defect(
        of(LAYERS, ("db = flat.sum((0, 2))", "db = flat.sum(2).mean(0)")), {"modules.conv2d_grad_bias": "1/N times"}
    ),
    ("functional_layers", "loss_sign"): Defect(
        of(LAYERS, ("2 * error / error.numel()", "-2 * error / error.numel()")), {"optimiser.mse_backward": SIGN}
    ),
    ("functional_layers", "in_place"): Defect(
        of(LAYERS, ("x.clamp(min=0), x", "x.clamp_(min=0), x")), {UNTOUCHED: "ReLU changes the input"}
    ),
    ("functional_layers", "flipped"): Defect(
        of(LAYERS, ("dx = (w.reshape(shape[1], -1) @ cols)", "dx = (w.flip(2, 3).reshape(shape[1], -1) @ cols)")),
        {"modules.transposed_grad_input": "flipped"},
    ),
    ("steps_inside", "last_picture"): Defect(
        of(LAYERS, ("(grad @ self.columns.transpose(1, 2)).sum(0)", "(grad @ self.columns.transpose(1, 2))[-1]")), {CONV: LAST}
    ),
    ("steps_inside", "transposed_layout"): Defect(
        of(LAYERS, ("(self.x @ columns.transpose(1, 2)).sum(0)", "(columns @ self.x.transpose(1, 2)).sum(0)")), {UP: LAYOUT}
    ),
    ("steps_inside", "scale"): Defect(
        of(LAYERS, ("grad.sum((0, 2)))", "grad.sum(2).mean(0))")), {"modules.conv2d_grad_bias": "1/N times"}
    ),
    ("steps_inside", "loss_sign"): Defect(
        of(LAYERS, ("self.difference * (2", "self.difference * (-2")), {"optimiser.mse_backward": SIGN}
    ),
    ("steps_inside", "in_place"): Defect(
        of(LAYERS, ("return x * self.positive", "return x.mul_(self.positive)")), {UNTOUCHED: "ReLU changes the input"}
    ),
    ("steps_inside", "flipped"): Defect(
        of(LAYERS, ("below = (self.kernel.flatten(1) @", "below = (self.kernel.flip(2, 3).flatten(1) @")),
        {"modules.transposed_grad_input": "flipped"},
    ),
}  # fmt: skip
