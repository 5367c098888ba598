"""Seven styles in which correct submissions are written, and six defects of each: edits of the correct one.

The styles are folders of `styles/`; what each does in its own way:

late_module        gradients are None until zero_grad() of a module or the network makes them
late_optimizer     gradients are None until zero_grad() of the optimiser, which walks a list of modules, makes them
tensor_class       an own Tensor with a tape; param() lists Tensors, loss.backward() walks back
marked_tensors     torch's tensors with marks that loss.backward() follows; backward reads a mark of its argument
nearest_conv       Upsampling is nearest-neighbour doubling and a convolution; `kernel`, no `bias`
parameter_objects  Parameter with value and gradient, parameters(), update(); a call remembers the input, forward does not
gradients_beside   param() lists parameters alone, the gradients are dw and db beside them; step(net)
"""

from dataclasses import dataclass
from pathlib import Path

from .wrong import patched

STYLES = Path(__file__).parent / "styles"
NAMES = (
    "late_module", "late_optimizer", "tensor_class", "marked_tensors", "nearest_conv", "parameter_objects",
    "gradients_beside",
)  # fmt: skip


@dataclass(frozen=True)
class Defect:
    """One mistake in one style.

    `edits`: (file, text, text in its place). `wrong`: all that is wrong then, as the part and what of it: conv or up
    with dw and db (the gradients of weight and bias), mse.dx, input or gradient (changed in place by the part),
    accumulates. `says`: words that the diagnosis must hold. `instead`: how it differs from what the defect is in other
    styles.
    """

    edits: tuple[tuple[str, str, str], ...]
    wrong: tuple[str, ...]
    says: str
    instead: str = ""


def make(style: str, defect: str, folder: Path) -> Path:
    """Write the submission of that style with that defect into `folder`."""
    return patched(STYLES / style, DEFECTS[style, defect].edits, folder, f"{style}, {defect}")


LAST, LAYOUT, SIGN, OVERWRITES = "last picture", "layout", "−1 times", "overwrites the gradient"
CHANGES_INPUT, CHANGES_GRADIENT = "changes the input", "changes the gradient"

# The lines that several defects of a style change.
CONVOLUTIONS, LAYERS, AUTOGRAD = "others/convolutions.py", "others/layers.py", "others/autograd.py"
CONVOLUTION, MODULES = "others/convolution.py", "others/modules.py"
A_CONV, A_UP = "(grad @ self.unfolded.transpose(1, 2)).sum(0)", "(x @ grad.transpose(1, 2)).sum(0)"
B_CONV = "correlate(dout, part)"
C_PRODUCT = "(grad @ other.data.transpose(1, 2)).sum(0)"
D_CONV = "delta.mm(self.columns(x).t()).view(self.weight.shape)"
E_CONV = "(delta.t() @ self.rows)"
F_CONV = "grad.matmul(self.columns.transpose(1, 2)).sum(0)"
F_UP = "self.input.flatten(2).matmul(columns.transpose(1, 2)).sum(0)"
G_CONV, G_UP = "dw += d @ self.cols[n].t()", "dw += self.x[n].reshape(C, -1) @ d.t()"

DEFECTS = {
    ("late_module", "last_picture"): Defect(
        ((CONVOLUTIONS, A_CONV, A_CONV.replace(".sum(0)", "[-1]")),), ("conv.dw",), LAST
    ),
    ("late_module", "transposed_layout"): Defect(
        ((CONVOLUTIONS, A_UP, "(grad @ x.transpose(1, 2)).sum(0)"),), ("up.dw",), LAYOUT
    ),
    ("late_module", "scale"): Defect(
        ((CONVOLUTIONS, A_UP, A_UP.replace("sum", "mean")),), ("up.dw",), "1/N times"
    ),
    ("late_module", "loss_sign"): Defect(
        (("others/activations.py", "2 * (self.prediction - self.target)", "2 * (self.target - self.prediction)"),),
        ("mse.dx",), SIGN,
    ),
    ("late_module", "in_place"): Defect(
        (("others/activations.py", "self.input.clamp(min=0)", "self.input.clamp_(min=0)"),),
        ("relu.input",), CHANGES_INPUT,
    ),
    ("late_module", "overwritten"): Defect(
        ((CONVOLUTIONS, "self.grad_weight += ", "self.grad_weight = "),
         (CONVOLUTIONS, "self.grad_bias += ", "self.grad_bias = ")),
        ("accumulates",), OVERWRITES, "backward no longer needs zero_grad",
    ),
    ("late_optimizer", "last_picture"): Defect(
        ((LAYERS, B_CONV, "correlate(dout[-1:], part[-1:])"),), ("conv.dw",), LAST
    ),
    ("late_optimizer", "transposed_layout"): Defect(
        ((LAYERS, B_CONV, "correlate(part, dout).view(dout.shape[1], -1)"),), ("conv.dw",), LAYOUT,
        "for each place of the kernel, since each has its own product",
    ),
    ("late_optimizer", "scale"): Defect(
        ((LAYERS, B_CONV, f"{B_CONV} / (len(dout) * h * w)"),), ("conv.dw",), "1/(N·H·W"
    ),
    ("late_optimizer", "loss_sign"): Defect(
        (("others/training.py", "return 2 * self.error", "return -2 * self.error"),), ("mse.dx",), SIGN
    ),
    ("late_optimizer", "in_place"): Defect(
        ((LAYERS, "dx = dout * self.s\n", "dx = dout.mul_(self.s)\n"),), ("sigmoid.gradient",), CHANGES_GRADIENT
    ),
    ("late_optimizer", "overwritten"): Defect(
        ((LAYERS, "self.dweight[:, :, i, j] += ", "self.dweight[:, :, i, j] = "),
         (LAYERS, "self.dbias += ", "self.dbias = ")),
        ("accumulates",), OVERWRITES,
    ),
    ("tensor_class", "last_picture"): Defect(
        ((AUTOGRAD, C_PRODUCT, C_PRODUCT.replace(".sum(0)", "[-1]")),), ("conv.dw", "up.dw"), LAST,
        "in both convolutions: they share the product",
    ),
    ("tensor_class", "transposed_layout"): Defect(
        ((AUTOGRAD, C_PRODUCT, "(other.data @ grad.transpose(1, 2)).sum(0).reshape(self.shape)"),),
        ("conv.dw", "up.dw"), LAYOUT, "in both convolutions: they share the product",
    ),
    ("tensor_class", "scale"): Defect(
        ((AUTOGRAD, "grad = grad.sum(i, keepdim=True)", "grad = grad.mean(i, keepdim=True)"),),
        ("conv.db", "up.db"), "1/(N·H·W", "of the biases: they are added by broadcasting",
    ),
    ("tensor_class", "loss_sign"): Defect(
        (("others/nn.py", "error = prediction.data - target.data\n", "error = target.data - prediction.data\n"),),
        ("mse.dx",), SIGN,
    ),
    ("tensor_class", "in_place"): Defect(
        ((AUTOGRAD, "self.data.clamp(min=0)", "self.data.clamp_(min=0)"),), ("relu.input",), CHANGES_INPUT,
        "the data of the Tensor",
    ),
    ("tensor_class", "overwritten"): Defect(
        ((AUTOGRAD, "self.grad = grad if self.grad is None else self.grad + grad", "self.grad = grad"),),
        ("accumulates",), OVERWRITES,
    ),
    ("marked_tensors", "last_picture"): Defect(
        ((LAYERS, D_CONV, "gradwrtoutput[-1].flatten(1).mm(self.columns(x[-1:]).t()).view(self.weight.shape)"),),
        ("conv.dw",), LAST,
    ),
    ("marked_tensors", "transposed_layout"): Defect(
        ((LAYERS, D_CONV, "self.columns(x).mm(delta.t()).view(self.weight.shape)"),), ("conv.dw",), LAYOUT
    ),
    ("marked_tensors", "scale"): Defect(((LAYERS, D_CONV, f"{D_CONV} / number"),), ("conv.dw",), "1/N times"),
    ("marked_tensors", "loss_sign"): Defect(
        (("others/criterion.py", "difference = self.output - self.target", "difference = self.target - self.output"),),
        ("mse.dx",), SIGN,
    ),
    ("marked_tensors", "in_place"): Defect(
        ((LAYERS, "gradwrtoutput.where(x > 0, gradwrtoutput.new_zeros(1))", "gradwrtoutput.mul_(x > 0)"),),
        ("relu.gradient",), CHANGES_GRADIENT,
    ),
    ("marked_tensors", "overwritten"): Defect(
        ((LAYERS, "self.weight_gradient += ", "self.weight_gradient = "),
         (LAYERS, "self.bias_gradient += ", "self.bias_gradient = ")),
        ("accumulates",), OVERWRITES,
    ),
    ("nearest_conv", "last_picture"): Defect(
        ((CONVOLUTION, E_CONV, "(delta[-len(delta) // len(dy):].t() @ self.rows[-len(delta) // len(dy):])"),),
        ("conv.dw", "up.dw"), LAST, "in Upsampling as well: it has a Conv2d",
    ),
    ("nearest_conv", "transposed_layout"): Defect(
        ((CONVOLUTION, E_CONV, "(self.rows.t() @ delta)"),), ("conv.dw", "up.dw"), LAYOUT,
        "in Upsampling as well: it has a Conv2d",
    ),
    ("nearest_conv", "scale"): Defect(
        ((CONVOLUTION, f"{E_CONV}.view(self.weight.size())", f"{E_CONV}.view(self.weight.size()) / len(delta)"),),
        ("conv.dw", "up.dw"), "1/(N·H·W", "in Upsampling as well: it has a Conv2d",
    ),
    ("nearest_conv", "loss_sign"): Defect(
        (("others/basics.py", "return (self.y - self.target) * 2", "return (self.target - self.y) * 2"),),
        ("mse.dx",), SIGN,
    ),
    ("nearest_conv", "in_place"): Defect(
        (("others/basics.py", "return x.masked_fill(", "return x.masked_fill_("),), ("relu.input",), CHANGES_INPUT
    ),
    ("nearest_conv", "overwritten"): Defect(
        ((CONVOLUTION, "self.weight_derivative += ", "self.weight_derivative[:] = "),
         (CONVOLUTION, "self.bias_derivative += ", "self.bias_derivative[:] = ")),
        ("accumulates",), OVERWRITES,
    ),
    ("parameter_objects", "last_picture"): Defect(
        ((CONVOLUTIONS, F_CONV, F_CONV.replace(".sum(0)", "[-1]")),), ("conv.dw",), LAST
    ),
    ("parameter_objects", "transposed_layout"): Defect(
        ((CONVOLUTIONS, F_UP, "columns.matmul(self.input.flatten(2).transpose(1, 2)).sum(0)"),), ("up.dw",), LAYOUT
    ),
    ("parameter_objects", "scale"): Defect(
        ((CONVOLUTIONS, F_UP, f"{F_UP} * columns.shape[2]"),), ("up.dw",), "H·W of the input times"
    ),
    ("parameter_objects", "loss_sign"): Defect(
        (("others/losses.py", "return self.prediction.sub(self.target)", "return self.target.sub(self.prediction)"),),
        ("mse.dx",), SIGN,
    ),
    ("parameter_objects", "in_place"): Defect(
        (("others/activations.py", "self.output = x.sigmoid()", "self.output = x.sigmoid_()"),),
        ("sigmoid.input",), CHANGES_INPUT,
    ),
    ("parameter_objects", "overwritten"): Defect(
        (("others/parameter.py", "self.gradient = self.gradient + gradient", "self.gradient = gradient"),),
        ("accumulates",), OVERWRITES,
    ),
    ("gradients_beside", "last_picture"): Defect(
        ((MODULES, G_CONV, G_CONV.replace("+=", "=")),), ("conv.dw",), LAST
    ),
    ("gradients_beside", "transposed_layout"): Defect(
        ((MODULES, G_UP, "dw += (d @ self.x[n].reshape(C, -1).t()).reshape(dw.shape)"),), ("up.dw",), LAYOUT
    ),
    ("gradients_beside", "scale"): Defect(((MODULES, G_CONV, f"{G_CONV} / N"),), ("conv.dw",), "1/N times"),
    ("gradients_beside", "loss_sign"): Defect(
        (("others/train_utils.py", "return 2 * self.diff", "return -2 * self.diff"),), ("mse.dx",), SIGN
    ),
    ("gradients_beside", "in_place"): Defect(
        ((MODULES, "dx = dy.clone()", "dx = dy"),), ("relu.gradient",), CHANGES_GRADIENT
    ),
    ("gradients_beside", "overwritten"): Defect(
        ((MODULES, "self.dw += ", "self.dw = "), (MODULES, "self.db += ", "self.db = ")),
        ("accumulates",), OVERWRITES,
    ),
}  # fmt: skip
