"""More styles that are judged by a step of train(), each with defects.

channels_last       pictures are n × rows × columns × channels; call and back; layers are built when channels are known
update_rule         rule(w, dw, config) returns the next weight and config; one method computes loss and gradients
"""

from pathlib import Path

from .styles_b import LAST, SIGN, Defect, of
from .wrong import patched

FOLDER = Path(__file__).parent / "styles"
NAMES = "channels_last", "update_rule"
LAYERS, NETWORK, OPTIM = "others/layers.py", "others/network.py", "others/optim.py"
CONV, DOUBLING, STEP, LOSS = (
    "modules.conv2d_grad_weight", "modules.nearest_backward", "optimiser.sgd_step", "optimiser.mse_backward",
)  # fmt: skip
OF_KERNEL = "part.reshape(-1, part.shape[3]).t() @ dy.reshape(-1, self.channels)"
OF_LAST = "part[-1].reshape(-1, part.shape[3]).t() @ dy[-1].reshape(-1, self.channels)"


def make(style: str, defect: str, folder: Path) -> Path:
    """Write that style with that defect into `folder`."""
    return patched(FOLDER / style, DEFECTS[style, defect].edits, folder, f"{style}, {defect}")


DEFECTS = {
    ("channels_last", "last_picture"): Defect(of(LAYERS, (OF_KERNEL, OF_LAST)), {CONV: LAST}),
    ("channels_last", "scale"): Defect(
        of(LAYERS, ("c).sum((2, 4))", "c).mean((2, 4))")), {DOUBLING: "the factor squared"}
    ),
    ("channels_last", "loss_sign"): Defect(
        of(NETWORK, ("2 * (given - wanted) / given", "2 * (wanted - given) / given")), {LOSS: SIGN}
    ),
    ("channels_last", "flipped"): Defect(
        of(LAYERS, ("part += dy @ self.kernel[a, b].t()", "part += dy @ self.kernel[-1 - a, -1 - b].t()")),
        {"modules.conv2d_grad_input": "flipped"},
    ),
    ("update_rule", "last_picture"): Defect(
        of(NETWORK, ('torch.einsum("nol,nkl->ok", flat, columns)', 'torch.einsum("ol,kl->ok", flat[-1], columns[-1])')),
        {CONV: LAST},
    ),
    ("update_rule", "scale"): Defect(
        of(NETWORK, ("flat.sum((0, 2))", "flat.sum(2).mean(0)")), {"modules.conv2d_grad_bias": "1/N times"}
    ),
    ("update_rule", "loss_sign"): Defect(of(NETWORK, ("d = 2 * error", "d = -2 * error")), {LOSS: SIGN}),
    ("update_rule", "one_pixel"): Defect(
        of(NETWORK, ("return dy[:, :, ::2, ::2] + dy[:, :, 1::2, ::2] + dy[:, :, ::2, 1::2] + dy[:, :, 1::2, 1::2]", "return dy[:, :, ::2, ::2]")),
        {DOUBLING: "Only one of the pixels"},
    ),
    ("update_rule", "rate_twice"): Defect(
        of(
            OPTIM,
            ("velocity = dw if velocity is None else", 'dw = config["learning_rate"] * dw\n    velocity = dw if velocity is None else'),
        ),
        {STEP: "twice the learning rate"},
    ),
}  # fmt: skip
