"""torch.nn as the judge of the from-scratch framework: the checks that tests and mutation harness share.

A check takes a framework `fw` (a namespace with the graded names), so that the very function that passes
ours can be shown to reject a defective one (test_framework_mutations.py). Networks are written as text,
"Conv2d(3, 4, 3, stride=2)": read once with the names of `fw` and once with those of torch.nn.
The reference is always float64 autograd with a random cotangent.
"""

import contextlib
import inspect
from types import SimpleNamespace

import torch
from torch import nn

NAMES = [  # what a grader imports
    *("Conv2d", "TransposeConv2d", "Upsampling", "NearestUpsampling", "ReLU", "Sigmoid", "MSE"),
    *("Sequential", "SGD", "Adam", "LeakyReLU", "MaxPool2d", "SkipConnection", "Residual"),
]


class SkipConnection(nn.Sequential):
    def forward(self, x):
        return torch.cat([super().forward(x), x], 1)


class Residual(nn.Sequential):
    def forward(self, x):
        return super().forward(x) + x


TWINS = {
    "Conv2d": nn.Conv2d,
    "TransposeConv2d": nn.ConvTranspose2d,
    "Upsampling": nn.ConvTranspose2d,
    "NearestUpsampling": lambda scale_factor: nn.UpsamplingNearest2d(scale_factor=scale_factor),
    "ReLU": nn.ReLU,
    "LeakyReLU": nn.LeakyReLU,
    "Sigmoid": nn.Sigmoid,
    "MaxPool2d": nn.MaxPool2d,
    "Sequential": nn.Sequential,
    "SkipConnection": SkipConnection,
    "Residual": Residual,
}
# Relative to the largest expected value, or to 1 if that is larger.
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}

# Network -> size (C, H, W) of its input. Odd sizes and asymmetric arguments wherever they can hide a mix-up.
CONV = {
    "Conv2d(3, 4, 3)": (3, 7, 9),
    "Conv2d(3, 3, 3)": (3, 5, 8),  # square in its channels: a transposed weight has the right shape
    "Conv2d(1, 1, 3, padding=1)": (1, 6, 5),
    "Conv2d(2, 1, 1)": (2, 5, 4),
    "Conv2d(1, 3, 2, 2, 1)": (1, 6, 9),
    "Conv2d(3, 5, 3, stride=2, padding=1)": (3, 8, 12),  # the paper's first layer
    "Conv2d(3, 5, 2, stride=2)": (3, 8, 6),  # kernel equals stride: a regrouping of pixels
    "Conv2d(3, 5, 2, stride=2, padding=1)": (3, 7, 9),
    "Conv2d(3, 5, (2, 3), stride=(2, 3))": (3, 7, 11),  # the same with rows and columns left over
    "Conv2d(2, 3, 4, stride=2, padding=1)": (2, 8, 10),
    "Conv2d(2, 3, 6, stride=2, padding=2)": (2, 12, 10),
    "Conv2d(2, 3, 3, stride=2)": (2, 8, 10),  # a stride that does not divide
    "Conv2d(2, 3, 3, stride=3, padding=1)": (2, 9, 11),
    "Conv2d(2, 3, 5, stride=3)": (2, 13, 10),
    "Conv2d(2, 3, 1, stride=2)": (2, 5, 6),  # stride beyond the kernel: pixels that nobody reads
    "Conv2d(2, 3, 2, stride=3, padding=1)": (2, 8, 9),
    "Conv2d(2, 3, 2, padding=3)": (2, 4, 3),  # padding beyond the kernel: outputs that see only zeros
    "Conv2d(2, 3, (3, 2), stride=(1, 2), padding=(0, 1))": (2, 7, 8),
    "Conv2d(2, 3, kernel_size=(1, 4), stride=(2, 1), padding=(2, 0), bias=False)": (2, 5, 9),
    "Conv2d(2, 3, 3, dilation=2)": (2, 9, 8),
    "Conv2d(2, 3, (2, 3), stride=2, padding=(1, 2), dilation=(3, 1))": (2, 8, 9),
    "Conv2d(2, 3, 3, 1, 0, 2, 1, False)": (2, 7, 7),  # every argument by position
    "Conv2d(4, 6, (5, 7))": (4, 5, 7),  # one output pixel
}
# Wide enough for minimal filtering, which works in tiles of 4×4: sizes that are and aren't a multiple, each padding.
FILTERED = {
    "Conv2d(16, 20, 3, padding=1)": (16, 8, 12),
    "Conv2d(17, 16, 3)": (17, 7, 9),
    "Conv2d(16, 17, 3, padding=(0, 2), bias=False)": (16, 5, 3),
    "Conv2d(16, 16, 3, padding=1)": (16, 1, 2),
    "Conv2d(20, 18, (3, 3), (1, 1), (2, 1))": (20, 4, 14),
}
CONV |= FILTERED
TRANSPOSED = {
    "TransposeConv2d(3, 4, 3)": (3, 4, 6),
    "TransposeConv2d(3, 3, 3, padding=1)": (3, 5, 4),
    "TransposeConv2d(2, 1, 1)": (2, 3, 4),
    "TransposeConv2d(1, 2, 2, 2, 1)": (1, 4, 3),
    "TransposeConv2d(4, 3, 2, stride=2)": (4, 3, 5),  # the paper's upsampling
    "Upsampling(4, 3, 2, stride=2)": (4, 5, 3),
    "TransposeConv2d(3, 3, (2, 3), stride=(2, 3), padding=(1, 0))": (3, 4, 3),
    "TransposeConv2d(3, 2, 2, stride=2, output_padding=1)": (3, 3, 4),
    "TransposeConv2d(3, 2, 3, stride=2, padding=1, output_padding=1)": (3, 4, 5),
    "TransposeConv2d(3, 2, 4, stride=2, padding=1)": (3, 4, 3),
    "TransposeConv2d(3, 2, 6, stride=2, padding=2)": (3, 3, 4),
    "TransposeConv2d(3, 2, 5, stride=3, padding=1)": (3, 3, 4),
    "TransposeConv2d(3, 2, 1, stride=2)": (3, 3, 4),  # stride beyond the kernel: pixels that nobody writes
    "TransposeConv2d(3, 2, 2, stride=3, output_padding=2)": (3, 2, 3),
    "TransposeConv2d(3, 2, 3, padding=2)": (3, 5, 6),
    "TransposeConv2d(3, 2, (3, 2), stride=(2, 1), padding=(1, 0), output_padding=(1, 0))": (3, 4, 5),
    "TransposeConv2d(3, 2, kernel_size=(1, 4), stride=(1, 3), padding=(0, 2), bias=False)": (3, 3, 4),
    "TransposeConv2d(2, 3, 3, dilation=2)": (2, 4, 3),
    "TransposeConv2d(2, 3, (2, 3), stride=2, padding=(1, 2), output_padding=1, dilation=(3, 2))": (2, 4, 5),
    "TransposeConv2d(2, 3, 3, 1, 1, 0, 1, False, 2)": (2, 5, 4),  # every argument by position
    "TransposeConv2d(3, 2, (3, 4), stride=2)": (3, 1, 1),  # one input pixel
}
POINTWISE = {
    "ReLU()": (3, 5, 4),
    "Sigmoid()": (3, 4, 5),
    "NearestUpsampling(2)": (3, 4, 5),
    "NearestUpsampling(scale_factor=(3, 2))": (2, 3, 5),
    "NearestUpsampling((1, 4))": (2, 5, 2),
    "NearestUpsampling(1)": (2, 4, 3),
    "LeakyReLU()": (3, 5, 4),
    "LeakyReLU(negative_slope=0.1)": (3, 4, 5),
    "LeakyReLU(0)": (2, 4, 3),
}
POOLING = {
    "MaxPool2d(2)": (3, 6, 8),
    "MaxPool2d((2, 3))": (2, 7, 8),  # rows and columns left over
    "MaxPool2d(3, 2)": (2, 7, 10),  # windows that overlap
    "MaxPool2d(3, stride=2, padding=1)": (3, 6, 7),
    "MaxPool2d((3, 2), (1, 3), (1, 0))": (2, 5, 9),
    "MaxPool2d(2, 3, dilation=(2, 1))": (2, 8, 9),
    "MaxPool2d(2, 3, 1, 2)": (2, 8, 9),
}
NETWORKS = {
    "Sequential(Conv2d(3, 8, 3, stride=2, padding=1), ReLU(), Conv2d(8, 12, 2, stride=2), ReLU(), "
    "Upsampling(12, 8, 2, stride=2), ReLU(), Upsampling(8, 3, 2, stride=2), Sigmoid())": (3, 8, 12),
    "Sequential(Conv2d(3, 6, 4, 2, 1), ReLU(), Conv2d(6, 8, 3, 2, 1), Sigmoid(), NearestUpsampling(2), "
    "Conv2d(8, 6, 3, padding=1, bias=False), ReLU(), TransposeConv2d(6, 3, 6, 2, 2))": (3, 12, 8),
}
# What works in place stands first or last, in another network, behind its like, or behind what only passes on.
NESTED = {
    "Sequential(ReLU(), Sequential(Conv2d(3, 4, 3), ReLU()), TransposeConv2d(4, 2, 3))": (3, 7, 9),
    "Sequential(Sequential(ReLU(), Conv2d(3, 2, 3)), Sequential(Upsampling(2, 3, 2, 2), Sigmoid()))": (3, 7, 9),
    "Sequential(Sequential(Sigmoid()), Conv2d(3, 2, 1), Sequential(ReLU()))": (3, 4, 5),
    "Sequential(NearestUpsampling(1), ReLU(), Conv2d(3, 2, 1), ReLU(), NearestUpsampling(1))": (3, 4, 5),
    "Sequential(Sequential(), Sigmoid(), Conv2d(3, 2, 1), ReLU(), Sequential())": (3, 4, 5),
    "Sequential(Conv2d(3, 2, 1))": (3, 4, 5),
    "Sequential(Conv2d(3, 4, 3), ReLU(), Sigmoid(), Conv2d(4, 2, 1))": (3, 5, 6),
    "Sequential(Sigmoid(), ReLU(), Sigmoid(), Upsampling(3, 2, 2, 2), ReLU(), ReLU())": (3, 3, 4),
}
# Connections around what works in place and what doesn't, at either end, at both, and at none for want of modules.
SKIPS = {
    "SkipConnection(Conv2d(3, 4, 3, padding=1))": (3, 5, 7),
    "SkipConnection(Conv2d(2, 3, 3, padding=1), LeakyReLU(0.1))": (2, 5, 4),
    "SkipConnection(Sigmoid(), Conv2d(3, 1, 1))": (3, 4, 5),
    "SkipConnection(ReLU(), Conv2d(2, 2, (1, 3), padding=(0, 1)), Sigmoid())": (2, 4, 5),
    "SkipConnection()": (2, 3, 4),
    "SkipConnection(Sequential(LeakyReLU(0.2)), NearestUpsampling(1))": (2, 3, 4),
    "Residual(Conv2d(3, 3, 3, padding=1))": (3, 5, 7),
    "Residual(LeakyReLU(0.1), Conv2d(2, 2, 3, padding=1), Sigmoid())": (2, 5, 4),
    "Residual(TransposeConv2d(3, 3, 3, padding=1), ReLU())": (3, 5, 4),
    "Residual()": (2, 3, 4),
    "Sequential(Residual(SkipConnection(ReLU()), Conv2d(6, 3, 1)), LeakyReLU(0.1), SkipConnection())": (3, 4, 5),
    "Sequential(LeakyReLU(0.1), SkipConnection(MaxPool2d(2), Conv2d(2, 3, 3, padding=1), ReLU(), "
    "NearestUpsampling(2)), ReLU(), Residual(Sigmoid()), Sigmoid())": (2, 6, 4),
    "Sequential(Conv2d(3, 4, 3), ReLU(), SkipConnection(Upsampling(4, 2, 2, 2), LeakyReLU(), MaxPool2d(2)), "
    "LeakyReLU(0.3), Conv2d(6, 2, 1))": (3, 7, 9),
    "unet((5, 4), (1, 2), entrance=2)": (3, 8, 12),
    "unet((4, 5, 6), (2, 1, 1), entrance=1)": (3, 12, 8),
    "unet((16, 17), (1, 2), entrance=2)": (3, 12, 20),
}
MODULES = {**CONV, **TRANSPOSED, **POINTWISE, **POOLING, **NETWORKS, **NESTED, **SKIPS}


def _unet(channels, convolutions, entrance):
    """The U-Net written down once more, from the smallest level outwards."""

    def convolved(before, here, number):
        layers = []
        while number:
            if number == 1 or before != here:
                layers += [nn.Conv2d(before, here, 3, padding=1), nn.LeakyReLU(0.1)]
                before, number = here, number - 1
            else:
                pair = nn.Conv2d(here, here, 3, padding=1), nn.Conv2d(here, here, 3, padding=1)
                layers.append(Residual(pair[0], nn.LeakyReLU(0.1), pair[1]))
                number -= 2
        return layers

    *outer, smallest = zip(channels, convolutions, strict=True)
    layers, below = convolved(smallest[0], *smallest), smallest[0]
    for here, number in outer[::-1]:
        down, up = nn.Conv2d(here, below, 2, 2), nn.ConvTranspose2d(below, here, 2, 2)
        skip = SkipConnection(down, nn.LeakyReLU(0.1), *layers, up)
        layers, below = [*convolved(here, here, number), skip, *convolved(2 * here, here, number)], here
    ends = nn.Conv2d(3, below, 3, padding=1), nn.Conv2d(below, 3, 3, padding=1)
    if entrance > 1:
        ends = nn.Conv2d(3, below, entrance, entrance), nn.ConvTranspose2d(below, 3, entrance, entrance)
    return Residual(ends[0], nn.LeakyReLU(0.1), *layers, ends[1])


TWINS["unet"] = _unet


def _sliced(x):
    """`x` as every second picture, row and column of a tensor that is NaN elsewhere."""
    n, c, h, w = x.shape
    return x.new_full((2 * n + 1, c + 2, 2 * h, 3 * w), torch.nan)[1::2, 1:-1, ::2, 1::3].copy_(x)


# The same tensor, laid out differently in memory ("expanded" and "requires grad" excepted, which say it).
LAYOUTS = {
    "contiguous": lambda x: x.contiguous(),
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "permuted": lambda x: x.permute(3, 1, 0, 2).contiguous().permute(2, 1, 3, 0),
    "sliced": _sliced,
    "expanded": lambda x: x[:1, :, :, :1].expand_as(x),
    "requires grad": lambda x: x.contiguous().requires_grad_(),
}


@contextlib.contextmanager
def poisoned():
    """Fresh memory (`empty`, `new_empty`, `resize_`, …) holds NaN."""
    torch.use_deterministic_algorithms(True, warn_only=True)  # it is what makes torch fill fresh memory
    try:
        assert torch.empty(3).isnan().all()
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def close(what, got, expected):
    """`got` is a plain tensor with the shape and (float64 or its own precision's) values of `expected`."""
    assert type(got) is torch.Tensor, f"{what}: expected a tensor, not {type(got).__name__}"
    assert not got.requires_grad, f"{what}: part of an autograd graph, which then grows with every step"
    assert got.shape == expected.shape, f"{what}: expected shape {[*expected.shape]}, not {[*got.shape]}"
    if expected.numel():
        got, tolerance = got.detach().double(), TOLERANCE[got.dtype]
        error = (got - expected.double()).abs().max() / max(1, expected.abs().max())
        assert error <= tolerance, f"{what}: relative error {error:.2g} is over {tolerance}"  # false for NaN too


def refusal(call, *errors):
    """The message with which `call` raises one of `errors`; an assertion fails if it returns."""
    try:
        result = call()
    except errors as error:
        return str(error)
    raise AssertionError(f"accepted what should be refused, and returned {type(result).__name__}")


def layers(network):
    """The modules of a network in order, nested ones flattened."""
    if not hasattr(network, "__iter__"):
        return [network]
    return [layer for child in network for layer in layers(child)]


def stages(fw, network):
    """The modules that hand their results on to each other in order: `layers`, connections around some as one."""
    if not hasattr(network, "__iter__") or isinstance(network, (fw.SkipConnection, fw.Residual)):
        return [network]
    return [stage for child in network for stage in stages(fw, child)]


def gradients(module):
    return [grad for _, grad in module.param()]


def build(fw, spec, dtype=torch.float32):
    """The network `spec` of `fw` and its float64 twin of torch.nn, with the same weights (assigned)."""
    ours, twin = eval(spec, dict(vars(fw))), eval(spec, dict(TWINS)).double()
    assert len(layers(ours)) == len(layers(twin))
    for mine, theirs in zip(layers(ours), layers(twin), strict=True):
        for name in ("weight", "bias") if hasattr(theirs, "weight") else ():
            value = getattr(theirs, name)
            if value is None:
                assert getattr(mine, name) is None, f"{spec}: expected {name} None"
            else:
                value.data = value.data.to(dtype).double()
                setattr(mine, name, value.detach().to(dtype))
    return ours, twin


class Trial:
    """A network of `fw` beside its twin: each pass is compared, and all that crossed the border is watched.

    `held` keeps a copy of every tensor the caller gave or got: none of them may ever change. Trials that
    share one list watch each other.
    """

    def __init__(self, fw, spec, dtype=torch.float32, held=None):
        self.ours, self.twin = build(fw, spec, dtype)
        self.size, self.dtype = MODULES[spec], dtype
        self.held = [] if held is None else held

    def hold(self, what, tensor):
        self.held.append((what, tensor, tensor.detach().clone()))
        return tensor

    def check_held(self, when):
        for what, tensor, copy in self.held:
            assert torch.equal(tensor, copy), f"{when} changed {what}, which the caller holds"

    def forward(self, n, layout="contiguous", grow=0):
        """Compare on `n` random pictures, `grow` pixels larger than usual."""
        c, h, w = self.size
        x = torch.randn(n, c, h + grow, w + grow, dtype=self.dtype)
        x[x.abs() < 0.1] = 0  # where ReLU has its kink
        x = self.hold("x", LAYOUTS[layout](x))
        y = self.ours.forward(x)
        self.x = x.detach().double().requires_grad_()
        with torch.enable_grad():
            self.expected = self.twin(self.x)
        close("forward", y, self.expected)
        assert y.dtype == x.dtype, f"forward: expected {x.dtype}, not {y.dtype}"
        self.hold("y", y)
        self.check_held("forward")
        return y

    def backward(self, layout="contiguous"):
        """Compare the gradients of the last forward, and that they were added to what was there."""
        grad_y = LAYOUTS[layout](torch.randn_like(self.expected, dtype=self.dtype))
        self.hold("grad_y", grad_y)
        before = [grad.clone() for grad in gradients(self.ours)]
        grad_x = self.ours.backward(grad_y)
        expected, *added = torch.autograd.grad(
            self.expected, [self.x, *self.twin.parameters()], grad_y.double(), retain_graph=True
        )
        close("grad_x", grad_x, expected)
        assert grad_x.dtype == self.dtype, f"grad_x: expected {self.dtype}, not {grad_x.dtype}"
        assert len(self.ours.param()) == len(added), f"param: expected {len(added)}, not {len(before)}"
        pairs = zip(self.ours.param(), self.twin.named_parameters(), before, added, strict=True)
        for (value, grad), (name, value_twin), old, new in pairs:
            close(name, value, value_twin)
            close(f"gradient of {name}", grad, old + new)
            assert grad.dtype == value.dtype == self.dtype
        self.hold("grad_x", grad_x)
        self.check_held("backward")
        return grad_x


def check_module(fw, spec, dtype=torch.float32, layout="contiguous"):
    """Forward, and backward twice in a row, for batches of 2, 1 and 3, on one instance."""
    trial = Trial(fw, spec, dtype)
    for grad in gradients(trial.ours):
        assert not grad.any(), "gradients start at zero"
    for n in (2, 1, 3):
        trial.forward(n, layout)
        trial.backward(layout)
        trial.backward()


def check_scratch(fw, spec):
    """As training calls it: arguments given away, results good until the next call, or no grad_x at all."""
    ours, twin = build(fw, spec)
    for n in (3, 1, 3):
        for last_call in (lambda grad_y: ours.backward(grad_y, scratch=True), ours.accumulate):
            x = torch.randn(n, *MODULES[spec])
            reference, before = x.double().requires_grad_(), [grad.clone() for grad in gradients(ours)]
            close("forward", ours.forward(x, scratch=True), expected := twin(reference))
            grad_y = torch.randn_like(expected)
            expected, *added = torch.autograd.grad(expected, [reference, *twin.parameters()], grad_y)
            grad_x = last_call(grad_y.float())
            if last_call != ours.accumulate:
                close("grad_x", grad_x, expected)
            for grad, old, new in zip(gradients(ours), before, added, strict=True):
                close("gradient", grad, old + new)


def check_bfloat16(fw, spec):
    """Passes in bfloat16, with the parameters in float32 as training has it: near the float64 twin on the same
    numbers, and of the type that came in.
    """
    ours, twin = build(fw, spec)
    for n in (3, 1):
        x = torch.randn(n, *MODULES[spec]).bfloat16()
        reference = x.double().requires_grad_()
        expected = twin(reference)
        grad_y = torch.randn_like(expected).bfloat16()
        expected_grad, *added = torch.autograd.grad(expected, [reference, *twin.parameters()], grad_y.double())
        before = [grad.clone() for grad in gradients(ours)]
        pairs = {"forward": (ours.forward(x), expected), "grad_x": (ours.backward(grad_y), expected_grad)}
        for what, (got, wanted) in pairs.items():
            assert got.dtype == torch.bfloat16, f"{what}: expected bfloat16, not {got.dtype}"
            # A rounding or an activation that falls the other way moves single values by more.
            error = (got.double() - wanted).norm() / wanted.norm()
            assert error < 0.03, f"{what}: relative error {error:.2g}"
        assert all(grad.dtype == torch.float32 for grad in gradients(ours))
        if added:
            differences = [grad - old - new for grad, old, new in zip(gradients(ours), before, added, strict=True)]
            error, size = (torch.cat([x.flatten() for x in each]).norm() for each in (differences, added))
            assert error < 0.15 * size, f"gradients of the parameters: relative error {error / size:.2g}"


def check_buffers(fw, spec):
    """Two instances, three batch sizes and two picture sizes, interleaved: nobody disturbs anybody."""
    held = []
    a, b = Trial(fw, spec, held=held), Trial(fw, spec, held=held)
    for n in (3, 1):
        a.forward(3), b.forward(n), a.backward(), b.backward(), a.backward()
    a.forward(3), a.forward(1), a.backward(), a.forward(3), a.backward()
    a.forward(2, grow=4), b.forward(3), a.backward(), b.backward(), a.forward(3), a.backward()
    for layer in stages(fw, a.ours):  # by hand too, between and after passes of the whole network
        assert isinstance(layer.param(), list)
    x = torch.randn(3, *a.size)
    for _ in range(2):
        y = x
        for layer in stages(fw, a.ours):
            y = a.hold(f"the output of {type(layer).__name__}", layer.forward(y))
        a.check_held("a forward layer by layer")
        a.forward(3), a.backward()


def check_scribbling(fw, spec):
    """What a caller writes into an output or a gradient they were given does not reach the next backward."""
    trial = Trial(fw, spec)
    for _ in range(2):
        y = trial.forward(3)
        trial.held.clear()
        y.fill_(torch.nan)
        trial.backward().fill_(torch.nan)
        trial.held.clear()
        trial.backward()
        trial.held.clear()


def check_weights(fw, spec, optimiser="SGD"):
    """Weights assigned, written in place or loaded count at once: in forward, in `param()`, in the optimiser."""
    trial = Trial(fw, spec)
    optimiser = getattr(fw, optimiser)(trial.ours.param(), lr=0.01)
    # A method: assigned plain, assigned as another network's nn.Parameter, written in place.
    for method in ("assign", "parameter", "in place"):
        trial.forward(2), trial.backward()
        for mine, theirs in zip(layers(trial.ours), layers(trial.twin), strict=True):
            for name, theirs_value in theirs.named_parameters():
                new = 0.3 * torch.randn_like(theirs_value).float()
                theirs_value.data = new.double()
                if method == "in place":
                    getattr(mine, name).copy_(new)
                    continue
                new = nn.Parameter(new) if method == "parameter" else new
                setattr(mine, name, trial.hold(f"the assigned {name}", new))
        optimiser.zero_grad()
        assert not any(grad.any() for grad in gradients(trial.ours)), "zero_grad clears every gradient"
        trial.forward(3), trial.backward()
        before = [value.detach().clone() for value, _ in trial.ours.param()]
        optimiser.step()
        trial.check_held("step")
        for (value, grad), old, theirs in zip(trial.ours.param(), before, trial.twin.parameters(), strict=True):
            assert not (grad.any() and torch.equal(value, old)), f"{method}: step() left a parameter unchanged"
            theirs.data = value.detach().double()
        trial.forward(1), trial.backward()  # the stepped values are what the modules use


def check_loss(fw, shape, dtype=torch.float32):
    """MSE against torch's, values and gradient; inputs and earlier gradients stay as they are."""
    mse, held = fw.MSE(), []
    for n in (shape[0], 1, shape[0]):
        for layout in ("contiguous", "permuted", "expanded") if len(shape) == 4 else ("contiguous",):
            pair = [LAYOUTS[layout](torch.randn(n, *shape[1:], dtype=dtype)) for _ in range(2)]
            held += [(tensor, tensor.clone()) for tensor in pair]
            prediction, target = (tensor.detach().double().requires_grad_() for tensor in pair)
            with torch.enable_grad():
                expected = nn.functional.mse_loss(prediction, target)
            (expected_grad,) = torch.autograd.grad(expected, prediction)
            close("loss", torch.as_tensor(mse.forward(*pair), dtype=dtype), expected)
            for _ in range(2):
                grad = mse.backward()
                close("gradient of the loss", grad * grad.numel(), expected_grad * grad.numel())
                assert grad.dtype == dtype
                held.append((grad, grad.clone()))
            for tensor, copy in held:
                assert torch.equal(tensor, copy), "MSE changed a tensor that the caller holds"


def check_saturation(fw, dtype=torch.float32):
    """Sigmoid at values where a careless formula overflows, forward and backward."""
    magnitudes = [0, 1e-30, 1, 17, 50, 87, 88, 89, 104, 709, 710, 746, 1e4]
    x = torch.tensor([sign * m for m in magnitudes for sign in (-1, 1)], dtype=dtype).view(1, 1, 2, -1)
    sigmoid, reference = fw.Sigmoid(), x.detach().double().requires_grad_()
    with torch.enable_grad():
        expected = reference.sigmoid()
    grad_y = torch.randn_like(x)
    close("forward", sigmoid.forward(x), expected)
    for _ in range(2):
        close(
            "grad_x",
            sigmoid.backward(grad_y),
            torch.autograd.grad(expected, reference, grad_y.double(), retain_graph=True)[0],
        )


def check_signature(fw, name):
    """Argument names, order and defaults of torch's twin, as far as the assignment asks for them."""
    twin = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}.get(name) or TWINS[name]
    extras = {"self", "padding_mode", "device", "dtype", "amsgrad", "maximize", "foreach", "capturable"}
    extras |= {"differentiable", "fused", "decoupled_weight_decay"}
    expected, got = (
        [(p.name, p.default) for p in inspect.signature(c).parameters.values() if p.name not in extras]
        for c in (twin, getattr(fw, name))
    )
    if name == "SGD":  # the course passes lr; whether it has a default is free
        expected[1] = got[1] = ("lr", None)
    assert got == expected, f"{name}: expected {expected}, not {got}"


def check_initial_weights(fw, spec):
    """U(−b, b) with torch's own bound b = 1/√fan_in for weight and bias; afresh for each instance, seeded."""
    torch.manual_seed(1)
    ours = eval(spec, dict(vars(fw)))
    other = eval(spec, dict(vars(fw)))
    torch.manual_seed(1)
    again, twin = eval(spec, dict(vars(fw))), eval(spec, dict(TWINS))
    bound = nn.init._calculate_fan_in_and_fan_out(twin.weight)[0] ** -0.5
    for name in ("weight", "bias"):
        value, theirs = getattr(ours, name), getattr(twin, name)
        assert value.shape == theirs.shape
        assert value.dtype == torch.get_default_dtype()
        assert torch.equal(value, getattr(again, name)), f"{name}: the seed does not decide it"
        assert not torch.equal(value, getattr(other, name)), f"{name}: the same in every instance"
        for sample in (theirs, value):  # torch's own first: the bound is right
            assert sample.abs().max() <= bound * (1 + 1e-6), f"{name}: beyond 1/√fan_in = {bound:.4g}"
            assert sample.max() > 0.8 * bound, f"{name}: narrower than U(−b, b)"
            assert sample.min() < -0.8 * bound, f"{name}: narrower than U(−b, b)"
        deviation = value.std() / bound * 3**0.5
        assert name == "bias" or 0.95 < deviation < 1.05, f"{name}: not uniform"


def check_optimiser(fw, name, options, steps=6, dtype=torch.float64):
    """Train ours and torch's twin side by side; parameters agree after every step, gradients are left alone."""
    spec = "Sequential(Conv2d(3, 6, 4, 2, 1), ReLU(), Upsampling(6, 3, 2, 2, bias=False), Sigmoid())"
    ours, twin = build(fw, spec, dtype)
    mse = fw.MSE()
    optimiser = getattr(fw, name)(ours.param(), **options)
    reference = getattr(torch.optim, name)(twin.parameters(), **options)
    for step in range(steps):
        x, target = torch.rand(2, 4, 3, 8, 6, dtype=dtype)
        if step != 2:  # once without: the gradients of two steps add up
            optimiser.zero_grad(), reference.zero_grad()
        mse.forward(ours.forward(x), target)
        ours.backward(mse.backward())
        with torch.enable_grad():
            nn.functional.mse_loss(twin(x.double()), target.double()).backward()
        before = [grad.clone() for grad in gradients(ours)]
        optimiser.step(), reference.step()
        for (value, grad), old, theirs in zip(ours.param(), before, twin.parameters(), strict=True):
            close(f"{name} {options}, parameter after step {step}", value, theirs.detach())
            assert torch.equal(grad, old), "step() changed a gradient"


def check_sequential(fw):
    """append and appendLayer, indexing, len, iteration; a forward and backward through what was built."""
    conv, relu, up = fw.Conv2d(2, 3, 3), fw.ReLU(), fw.Upsampling(3, 2, 2, stride=2)
    net = fw.Sequential(conv)
    net.append(relu)
    net.appendLayer(up)
    assert len(net) == 3
    assert [*net] == [conv, relu, up]
    assert [net[i] for i in (0, 1, 2, -1)] == [conv, relu, up, up]
    assert len(net.param()) == 4
    x = torch.randn(2, 2, 6, 5)
    y = net.forward(x)
    close("forward", y, up.forward(relu.forward(conv.forward(x))))
    grad_y = torch.randn_like(y)
    net.zero_grad()
    close("grad_x", net.backward(grad_y), conv.backward(relu.backward(up.backward(grad_y))))
    assert all(grad.any() for grad in gradients(net))
    net.zero_grad()
    assert not any(grad.any() for grad in gradients(net)), "zero_grad clears every gradient"


def check_state_dict(fw, spec):
    """Keys, shapes and values of the same nn.Sequential, both ways; loading copies into what is there."""
    (ours, twin), (other, _) = build(fw, spec), build(fw, spec)
    expected = {key: value.float() for key, value in twin.state_dict().items()}
    state = ours.state_dict()
    assert [*state] == [*expected], f"expected the keys {[*expected]}, not {[*state]}"
    for key in expected:
        close(key, state[key], expected[key])
    twin.load_state_dict(state)
    optimiser, steps = fw.SGD(other.param(), lr=0.1), [value for value, _ in other.param()]
    other.load_state_dict(expected)
    for (value, _), held, key in zip(other.param(), steps, expected, strict=True):
        close(key, value, expected[key])
        assert held.data_ptr() == value.data_ptr(), f"{key}: loading replaced the tensor an optimiser holds"
    copies = {key: value.clone() for key, value in expected.items()}
    x = torch.randn(2, *MODULES[spec])
    y = other.forward(x)
    close("forward after loading", y, twin(x.double()).detach())
    other.backward(torch.randn_like(y))
    optimiser.step()
    assert all(torch.equal(expected[key], copies[key]) for key in copies), "step() changed the loaded dict"
    for (value, grad), key in zip(other.param(), expected, strict=True):
        stuck = grad.any() and torch.equal(value, expected[key])
        assert not stuck, f"an optimiser built before loading no longer moves {key}"


def check_foreign_state_dict(fw):
    """A state dict that does not fit is refused in words, and changes nothing."""
    net = fw.Sequential(fw.Conv2d(2, 3, 3), fw.ReLU(), fw.Upsampling(3, 2, 2))
    good = {key: value.clone() for key, value in net.state_dict().items()}
    foreign = [
        {},
        {key: value + 1 for key, value in good.items() if key != "2.bias"},
        {**{key: value + 1 for key, value in good.items()}, "3.weight": torch.zeros(1)},
        {**{key: value + 1 for key, value in good.items()}, "2.bias": torch.zeros(3)},
        {**{key: value + 1 for key, value in good.items()}, "2.weight": torch.zeros(2, 3, 2, 2)},
    ]
    for state in foreign:
        message = refusal(lambda state=state: net.load_state_dict(state), ValueError, KeyError, RuntimeError)
        assert len(message) > 20, f"expected a sentence, not {message!r}"
        for key, value in net.state_dict().items():
            assert torch.equal(value, good[key]), f"a refused state dict changed {key}"


def replaced(fw, **names):
    """`fw` with some names replaced: a defective framework for the mutation harness."""
    return SimpleNamespace(**{**vars(fw), **names})
