"""Two more correct styles that hardly follow any convention, each with two defects; graded without training.

tape_in_french    a tape that all modules share, walked by what the loss returns; all names but the classes' are French
summed_on_demand  gradients of all calls of backward are kept in lists, which gradients() sums, beside parameters()
"""

from pathlib import Path

from .styles_b import LAST, Defect, of
from .wrong import patched

FOLDER = Path(__file__).parent / "styles"
NAMES = "tape_in_french", "summed_on_demand"


def make(style: str, defect: str, folder: Path) -> Path:
    """Write that style with that defect into `folder`."""
    return patched(FOLDER / style, DEFECTS[style, defect].edits, folder, f"{style}, {defect}")


DEFECTS = {
    ("tape_in_french", "transposed_layout"): Defect(
        of("others/reseau.py", (".reshape(n, self.h, self.l, self.c_in).permute(0, 3, 1, 2)", ".reshape(n, self.c_in, self.h, self.l)")),
        {"modules.transposed_grad_input": "in another order"},
    ),
    ("tape_in_french", "scale"): Defect(
        of("others/reseau.py", ("plat.sum(0)", "plat.mean(0)")), {"modules.conv2d_grad_bias": "1/(N·H·W"}
    ),
    ("summed_on_demand", "last_picture"): Defect(
        of("others/nn.py", ("total += g[b]", "total = g[b]")), {"modules.conv2d_grad_weight": LAST}
    ),
    ("summed_on_demand", "scale"): Defect(
        of("others/nn.py", ("return total.view(self.weight.shape)", "return total.view(self.weight.shape) * g.shape[0]")),
        {"modules.conv2d_grad_weight": "N times"},
    ),
}  # fmt: skip
