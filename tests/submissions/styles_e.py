"""Styles whose modules can't be used one by one, each with defects: judged by a step of train().

shared_state      forward(state) and backward(state) replace state.x and state.grad, and return nothing
"""

from pathlib import Path

from .styles_b import LAST, LAYOUT, SIGN, Defect, of
from .wrong import patched

FOLDER = Path(__file__).parent / "styles"
NAMES = ("shared_state",)
LAYERS = "others/layers.py"


def make(style: str, defect: str, folder: Path) -> Path:
    """Write that style with that defect into `folder`."""
    return patched(FOLDER / style, DEFECTS[style, defect].edits, folder, f"{style}, {defect}")


DEFECTS = {
    ("shared_state", "last_picture"): Defect(
        of(LAYERS, ("(g @ columns.transpose(1, 2)).sum(0)", "(g @ columns.transpose(1, 2))[-1]")), {"modules.conv2d_grad_weight": LAST}
    ),
    ("shared_state", "transposed_layout"): Defect(
        of(LAYERS, ("(x @ columns.transpose(1, 2)).sum(0)", "(columns @ x.transpose(1, 2)).sum(0)")),
        {"modules.transposed_grad_weight": LAYOUT},
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
}  # fmt: skip
