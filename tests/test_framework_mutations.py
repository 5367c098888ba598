"""The checks have teeth: each must accept our framework and reject it with one known defect put in.

The defects are those seen in public submissions to the course, as subclasses that go through the public
interface only, so that they fit whatever is inside.
"""

import functools
import inspect
import math

import oracle
import pytest
import torch
from oracle import replaced

from Proj_2.others.container import Sequential


def run_all(specs, **options):
    def check(fw):
        for spec in specs:
            oracle.check_module(fw, spec, **options)

    return check


conv, transposed, pointwise, pooling, networks, skips = (
    run_all(specs)
    for specs in (
        oracle.CONV,
        oracle.TRANSPOSED,
        oracle.POINTWISE,
        oracle.POOLING,
        oracle.NETWORKS,
        [spec for spec in oracle.SKIPS if "unet" not in spec],  # whose modules are not those of `fw`
    )
)


# --- how a defect is put in ---------------------------------------------------------------------------------


def grads(change):
    """backward leaves `change(before, added, grad_y)` in a gradient instead of before + added."""

    def mutate(base):
        class Mutant(base):
            def backward(self, grad_y, *args, **kwargs):
                n, before = len(grad_y), [grad.clone() for _, grad in self.param()]
                grad_x = super().backward(grad_y, *args, **kwargs)
                for (_, grad), old in zip(self.param(), before, strict=True):
                    grad.copy_(change(old, grad - old, n))
                return grad_x

        return Mutant

    return mutate


def grad_x(change):
    """backward returns `change(self, grad_x)`."""

    def mutate(base):
        class Mutant(_remembering(base)):
            def backward(self, *args, **kwargs):
                return change(self, super().backward(*args, **kwargs))

        return Mutant

    return mutate


def output(change):
    """forward returns `change(self, y)`."""

    def mutate(base):
        class Mutant(_remembering(base)):
            def forward(self, *args, **kwargs):
                return change(self, super().forward(*args, **kwargs))

        return Mutant

    return mutate


def inputs(change):
    """forward sees `change(x)`."""

    def mutate(base):
        class Mutant(base):
            def forward(self, x, *args, **kwargs):
                return super().forward(change(x), *args, **kwargs)

        return Mutant

    return mutate


def grad_inputs(change):
    """backward sees `change(self, grad_y)`."""

    def mutate(base):
        class Mutant(_remembering(base)):
            def backward(self, grad_y, *args, **kwargs):
                return super().backward(change(self, grad_y), *args, **kwargs)

        return Mutant

    return mutate


def options(**changes):
    """The constructor takes its arguments by torch's names and makes something else of some of them."""

    def mutate(base):
        class Mutant(base):
            def __init__(self, *args, **kwargs):
                bound = inspect.signature(base).bind(*args, **kwargs)
                bound.apply_defaults()
                for name, change in changes.items():
                    bound.arguments[name] = change(bound.arguments[name])
                super().__init__(*bound.args, **bound.kwargs)

        return Mutant

    return mutate


def _remembering(base):
    """`base` with its constructor's arguments by name as `options`."""

    class Remembering(base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            bound = inspect.signature(base).bind(*args, **kwargs)
            bound.apply_defaults()
            self.options = bound.arguments

    return Remembering


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def halves_swapped(module, y):
    return torch.cat([y[:, module.channels :], y[:, : module.channels]], 1)


def shares(base):
    """Pooling whose gradient goes to all the largest values of a window, as a comparison with the result gives it."""

    class Mutant(base):
        def forward(self, x, *args, **kwargs):
            self.x = x.detach()
            return super().forward(x, *args, **kwargs)

        def backward(self, grad_y, *args, **kwargs):
            with torch.enable_grad():
                x = self.x.clone().requires_grad_()
                views = self._views(x.permute(0, 2, 3, 1), self.y_shape[2:])
                y = torch.stack(views).amax(0).permute(0, 3, 1, 2)
            if y.shape == self.y_shape and not any(self.padding):
                return torch.autograd.grad(y, x, grad_y)[0]
            return super().backward(grad_y, *args, **kwargs)

    return Mutant


def in_order(base, *passes):
    """The named passes go through the modules and past nothing."""

    def through(name):
        return lambda self, x, scratch=False: getattr(Sequential(*self.modules), name)(x, scratch)

    return type("Mutant", (base,), {name: through(name) for name in passes})


# --- the defects --------------------------------------------------------------------------------------------


def last_picture_only(base):
    """Saves its input picture by picture, so that the parameters' gradients see the last one only."""

    class Mutant(base):
        def backward(self, grad_y, *args, **kwargs):
            before = [grad.clone() for _, grad in self.param()]
            result = super().backward(grad_y.clone())
            for (_, grad), old in zip(self.param(), before, strict=True):
                grad.copy_(old)
            alone = torch.zeros_like(grad_y)
            alone[-1] = grad_y[-1]
            super().backward(alone)
            return result

    return Mutant


def half_padded_only(module, grad):
    """Right only for padding (k − 1)/2: elsewhere off by a pixel."""
    kernel, padding = pair(module.options["kernel_size"]), pair(module.options["padding"])
    return grad if all(2 * p == k - 1 for k, p in zip(kernel, padding, strict=True)) else grad.roll(1, 2)


def stride_one_only(module, grad):
    return grad if pair(module.options["stride"]) == (1, 1) else grad * 0.5


def dividing_strides_only(module, grad):
    """Returns the gradient without the rows that no window reached."""
    kernel, stride, padding = (pair(module.options[name])[0] for name in ("kernel_size", "stride", "padding"))
    return grad[:, :, : grad.shape[2] - (grad.shape[2] + 2 * padding - kernel) % stride]


def size_of_the_first_call(module, y):
    module.first = getattr(module, "first", len(y))
    return y[: module.first]


def reused(per_class):
    """A result is written into the memory of the last one of its shape."""

    def change(module, y):
        owner = type(module) if per_class else module
        kept = owner.__dict__.get("kept")
        if kept is None or kept.shape != y.shape:
            owner.kept = y
            return y
        return kept.copy_(y)

    return change


def assigned_weights_ignored(base):
    class Mutant(base):
        def forward(self, x, *args, **kwargs):
            if not hasattr(self, "first"):
                self.first = [value.clone() for value, _ in self.param()]
            for (value, _), first in zip(self.param(), self.first, strict=True):
                value.detach().copy_(first)
            return super().forward(x, *args, **kwargs)

    return Mutant


def stale_param(base):
    """Lists the tensors of the first call, whatever was assigned since."""

    class Mutant(base):
        def param(self):
            if "pairs" not in self.__dict__:
                self.pairs = [(value.clone(), grad) for value, grad in super().param()]
            return list(self.pairs)

    return Mutant


def stale_optimiser(base):
    class Mutant(base):
        def __init__(self, params, *args, **kwargs):
            super().__init__([(value.clone(), grad) for value, grad in params], *args, **kwargs)

    return Mutant


def destroys_what_it_saved(base):
    class Mutant(base):
        def forward(self, *args, **kwargs):
            self.calls = 0
            return super().forward(*args, **kwargs)

        def backward(self, *args, **kwargs):
            self.calls += 1
            return super().backward(*args, **kwargs) * (self.calls == 1)

    return Mutant


def overwrites_grad_y(base):
    class Mutant(base):
        def backward(self, grad_y, *args, **kwargs):
            result = super().backward(grad_y, *args, **kwargs).clone()
            grad_y.zero_()
            return result

    return Mutant


def reads_the_output_it_gave_away(base):
    class Mutant(base):
        def forward(self, *args, **kwargs):
            self.given = super().forward(*args, **kwargs)
            return self.given

        def backward(self, grad_y, *args, **kwargs):
            return grad_y * self.given * (1 - self.given)

    return Mutant


def naive_sigmoid(base):
    """The textbook formulas, which overflow; right for moderate values."""

    class Mutant(base):
        def forward(self, x, *args, **kwargs):
            self.x = x.clone()
            return 1 / (1 + (-x).exp())

        def backward(self, grad_y, *args, **kwargs):
            e = (-self.x).exp()
            return grad_y * e / (1 + e) ** 2

    return Mutant


def loss_gradient(change):
    def mutate(base):
        class Mutant(base):
            def forward(self, prediction, *args):
                self.shape = prediction.shape
                return super().forward(prediction, *args)

            def backward(self):
                return change(super().backward(), *self.shape)

        return Mutant

    return mutate


def returns_nothing(base):
    class Mutant(base):
        def backward(self, *args, **kwargs):
            super().backward(*args, **kwargs)

    return Mutant


def step_wrong(change):
    """An optimiser whose step moves a parameter by `change(steps so far, move)`."""

    def mutate(base):
        class Mutant(base):
            count = 0

            def __init__(self, params, *args, **kwargs):
                self.pairs = list(params)
                super().__init__(self.pairs, *args, **kwargs)

            def step(self):
                before = [value.clone() for value, _ in self.pairs]
                super().step()
                self.count += 1
                for (value, _), old in zip(self.pairs, before, strict=True):
                    value.copy_(old + change(self.count, value - old))

        return Mutant

    return mutate


def optimiser_with(**changes):
    return options(**{name: (lambda _, value=value: value) for name, value in changes.items()})


def no_zero_grad(base):
    return type("Mutant", (base,), {"zero_grad": lambda self: None})


def loading_replaces(base):
    """load_state_dict puts new tensors in place of the ones that an optimiser holds."""

    class Mutant(base):
        replaced = None

        def load_state_dict(self, state):
            super().load_state_dict(state)
            self.replaced = [(value.clone(), grad) for value, grad in super().param()]

        def param(self):
            return self.replaced or super().param()

    return Mutant


def loading_ignored(base):
    return type("Mutant", (base,), {"load_state_dict": lambda self, state: None})


def torch_less_keys(base):
    class Mutant(base):
        def state_dict(self):
            return {f"layer{key}": value for key, value in super().state_dict().items()}

    return Mutant


def wider_weights(factor):
    """U(−b, b) with another b: the source paper prints it without the root."""

    def mutate(base):
        class Mutant(base):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                for value, _ in self.param():
                    value.mul_(factor(math.prod(self.weight.shape[1:])))

        return Mutant

    return mutate


def same_weights(base):
    class Mutant(base):
        def __init__(self, *args, **kwargs):
            with torch.random.fork_rng():
                torch.manual_seed(0)
                super().__init__(*args, **kwargs)

    return Mutant


def poisoned(check):
    def poisoned_check(fw):
        with oracle.poisoned():
            check(fw)

    return poisoned_check


def every(check, specs):
    return lambda fw: [check(fw, spec) for spec in specs]


def loss(fw):
    oracle.check_loss(fw, (3, 2, 5, 4))


def optimisers(name, **options):
    return lambda fw: oracle.check_optimiser(fw, name, options)


BOTH = [("Conv2d", conv), ("TransposeConv2d", transposed)]
ANY = [*BOTH, ("NearestUpsampling", pointwise), ("ReLU", pointwise), ("Sigmoid", pointwise)]
ANY += [("Sequential", networks), ("LeakyReLU", pointwise), ("MaxPool2d", pooling)]
ANY += [("SkipConnection", skips), ("Residual", skips)]
SIMPLE = ["Conv2d(3, 4, 3)", "TransposeConv2d(3, 4, 3)", *oracle.POINTWISE, *oracle.POOLING]
BUFFERS = every(oracle.check_buffers, [*SIMPLE, *oracle.NETWORKS, *oracle.SKIPS])
SCRIBBLING = every(oracle.check_scribbling, oracle.POINTWISE)
WEIGHTS = every(oracle.check_weights, ["Conv2d(3, 4, 3)", "TransposeConv2d(3, 4, 3)", next(iter(oracle.NETWORKS))])
STATE = every(oracle.check_state_dict, oracle.NETWORKS)
INITIAL = every(oracle.check_initial_weights, ["Conv2d(20, 200, 3)", "TransposeConv2d(10, 200, 3)"])
# Defect -> how it is put in -> the names it is put into, each with the check that must reject it.
DEFECTS = [
    # gradients of the parameters
    ("gradients of the last picture only", last_picture_only, BOTH),
    ("gradients scaled by the batch", grads(lambda old, new, n: old + new * n), BOTH),
    ("gradients divided by the batch", grads(lambda old, new, n: old + new / n), BOTH),
    ("gradients right for one picture only", grads(lambda old, new, n: old + new * (n == 1)), BOTH),
    ("gradients overwritten", grads(lambda old, new, n: new), BOTH),
    ("gradients negated", grads(lambda old, new, n: old - new), BOTH),
    (
        "weight gradient in the wrong layout",
        grads(lambda old, new, n: old + (new.transpose(0, 1).reshape(new.shape) if new.dim() == 4 else new)),
        BOTH,
    ),
    (
        "weight gradient flipped",
        grads(lambda old, new, n: old + (new.flip(2, 3) if new.dim() == 4 else new)),
        BOTH,
    ),
    ("bias gradient missing", grads(lambda old, new, n: old + (new if new.dim() == 4 else 0)), BOTH),
    (
        "gradients added to fresh memory",
        grads(lambda old, new, n: old + new + 0 * torch.empty_like(new)),
        [(name, poisoned(check)) for name, check in BOTH],
    ),
    # gradient of the input
    ("grad_x only for padding (k − 1)/2", grad_x(half_padded_only), BOTH),
    ("grad_x only for stride 1", grad_x(stride_one_only), BOTH),
    ("grad_x only for strides that divide", grad_x(dividing_strides_only), [("Conv2d", conv)]),
    ("grad_x scaled by the batch", grad_x(lambda self, grad: grad * len(grad)), ANY),
    ("grad_x of the first picture only", grad_x(lambda self, grad: torch.cat([grad[:1], 0 * grad[1:]])), ANY),
    ("backward returns nothing", returns_nothing, ANY),
    ("backward destroys what was saved", destroys_what_it_saved, ANY),
    (
        "backward in float32",
        grad_x(lambda self, grad: grad.float()),
        [("Conv2d", run_all(oracle.CONV, dtype=torch.float64))],
    ),
    (
        "grad_x from fresh memory",
        grad_x(lambda self, grad: grad + 0 * torch.empty_like(grad)),
        [("ReLU", poisoned(pointwise))],
    ),
    ("backward writes into grad_y", overwrites_grad_y, ANY),
    # shapes and memory
    ("batch of one squeezed", output(lambda self, y: y.squeeze(0)), ANY),
    ("size cached from the first call", output(size_of_the_first_call), ANY),
    ("writes into its input", inputs(lambda x: x.clamp_(min=0)), [("ReLU", pointwise)]),
    (
        "takes any input for contiguous",
        inputs(lambda x: torch.empty(0, dtype=x.dtype).set_(x.untyped_storage(), x.storage_offset(), x.shape)),
        [
            ("Conv2d", run_all(oracle.CONV, layout="sliced")),
            ("Sigmoid", run_all(oracle.POINTWISE, layout="permuted")),
        ],
    ),
    (
        "forward in float32",
        output(lambda self, y: y.float().to(y.dtype)),
        [("Conv2d", run_all(oracle.CONV, dtype=torch.float64))],
    ),
    ("output in memory of its own", output(reused(per_class=False)), [(name, BUFFERS) for name, _ in ANY]),
    ("output in memory of the class", output(reused(per_class=True)), [(name, BUFFERS) for name, _ in ANY]),
    ("grad_x in memory of its own", grad_x(reused(per_class=False)), [(name, BUFFERS) for name, _ in ANY]),
    ("output in an autograd graph", output(lambda self, y: y.requires_grad_()), ANY),
    ("output given away and read again", reads_the_output_it_gave_away, [("Sigmoid", SCRIBBLING)]),
    (
        "mask taken from the gradient",
        grad_inputs(lambda self, grad: grad.clamp(min=0)),
        [("ReLU", pointwise)],
    ),
    ("slope ignored", options(negative_slope=lambda _: 0.01), [("LeakyReLU", pointwise)]),
    ("slope the wrong way", grad_inputs(lambda self, grad: grad * 0.1), [("LeakyReLU", pointwise)]),
    # connections
    ("input first", output(halves_swapped), [("SkipConnection", skips)]),
    ("gradient of the way around lost", lambda base: in_order(base, "backward"), [("Residual", skips)]),
    ("no way around", lambda base: in_order(base, "forward", "backward"), [("Residual", skips)]),
    ("equal values share the gradient", shares, [("MaxPool2d", pooling)]),
    ("right only for factor 2", options(scale_factor=lambda _: 2), [("NearestUpsampling", pointwise)]),
    # options accepted and ignored
    ("bias=False ignored", options(bias=lambda _: True), BOTH),
    ("dilation ignored", options(dilation=lambda _: 1), [*BOTH, ("MaxPool2d", pooling)]),
    ("padding ignored", options(padding=lambda _: 0), [*BOTH, ("MaxPool2d", pooling)]),
    (
        "padding with zeros",
        output(lambda self, y: y.clamp(min=0) if pair(self.options["padding"]) != (0, 0) else y),
        [("MaxPool2d", pooling)],
    ),
    ("output_padding ignored", options(output_padding=lambda _: 0), [("TransposeConv2d", transposed)]),
    ("stride of rows for both", options(stride=lambda s: pair(s)[0]), BOTH),
    ("stride ignored", options(stride=lambda _: None), [("MaxPool2d", pooling)]),
    ("stride swapped", options(stride=lambda s: pair(s)[::-1]), BOTH),
    ("padding of rows for both", options(padding=lambda p: pair(p)[0]), BOTH),
    # activations and loss
    ("sigmoid overflows", naive_sigmoid, [("Sigmoid", oracle.check_saturation)]),
    ("loss gradient times N", loss_gradient(lambda grad, n, c, h, w: grad * n), [("MSE", loss)]),
    (
        "loss gradient times C·H·W",
        loss_gradient(lambda grad, n, c, h, w: grad * (c * h * w)),
        [("MSE", loss)],
    ),
    ("loss gradient negated", loss_gradient(lambda grad, n, c, h, w: -grad), [("MSE", loss)]),
    ("loss gradient halved", loss_gradient(lambda grad, n, c, h, w: grad / 2), [("MSE", loss)]),
    ("loss gradient in memory of its own", grad_x(reused(per_class=False)), [("MSE", loss)]),
    # parameters
    (
        "assigned weights ignored",
        assigned_weights_ignored,
        [("Conv2d", WEIGHTS), ("TransposeConv2d", WEIGHTS)],
    ),
    ("param() stale", stale_param, [("Conv2d", WEIGHTS), ("TransposeConv2d", WEIGHTS)]),
    ("param() empty", lambda base: type("Mutant", (base,), {"param": lambda self: []}), BOTH),
    ("optimiser stale", stale_optimiser, [("SGD", WEIGHTS), ("SGD", STATE)]),
    ("initial weights without the root", wider_weights(lambda fan: fan**-0.5), [("Conv2d", INITIAL)]),
    ("initial weights of another fan", wider_weights(lambda fan: 1.1), [("TransposeConv2d", INITIAL)]),
    ("initial weights always the same", same_weights, [("Conv2d", INITIAL)]),
    # container
    ("state dict with its own keys", torch_less_keys, [("Sequential", STATE)]),
    ("loading replaces the tensors", loading_replaces, [("Sequential", STATE)]),
    (
        "loading ignored",
        loading_ignored,
        [("Sequential", STATE), ("Sequential", oracle.check_foreign_state_dict)],
    ),
    ("zero_grad does nothing", no_zero_grad, [("Sequential", oracle.check_sequential), ("SGD", WEIGHTS)]),
    # optimisers
    ("momentum ignored", optimiser_with(momentum=0), [("SGD", optimisers("SGD", lr=0.1, momentum=0.9))]),
    (
        "dampening ignored",
        optimiser_with(dampening=0),
        [("SGD", optimisers("SGD", lr=0.1, momentum=0.9, dampening=0.5))],
    ),
    (
        "nesterov ignored",
        optimiser_with(nesterov=False),
        [("SGD", optimisers("SGD", lr=0.1, momentum=0.9, nesterov=True))],
    ),
    (
        "weight_decay ignored",
        optimiser_with(weight_decay=0),
        [
            ("SGD", optimisers("SGD", lr=0.1, weight_decay=0.1)),
            ("Adam", optimisers("Adam", weight_decay=0.1)),
        ],
    ),
    ("betas ignored", optimiser_with(betas=(0.9, 0.999)), [("Adam", optimisers("Adam", betas=(0.5, 0.9)))]),
    ("eps ignored", optimiser_with(eps=1e-8), [("Adam", optimisers("Adam", eps=1e-2))]),
    ("no bias correction", step_wrong(lambda t, move: move * (1 - 0.9**t)), [("Adam", optimisers("Adam"))]),
    (
        "first step dampened too",
        step_wrong(lambda t, move: move * (0.5 if t == 1 else 1)),
        [("SGD", optimisers("SGD", lr=0.1, momentum=0.9, dampening=0.5))],
    ),
]


@pytest.fixture(scope="module")
def accepted(fw):
    """Whether a check accepts the framework as it is: a check that rejects everything proves nothing."""
    return functools.cache(lambda check: check(fw) or True)


@pytest.mark.parametrize(
    ("mutate", "name", "check"),
    [
        pytest.param(mutate, name, check, id=f"{name}: {title}")
        for title, mutate, places in DEFECTS
        for name, check in places
    ],
)
def test_defect_is_rejected(fw, accepted, mutate, name, check):
    accepted(check)
    defective = replaced(fw, **{name: mutate(getattr(fw, name))})
    with pytest.raises(AssertionError):
        check(defective)
