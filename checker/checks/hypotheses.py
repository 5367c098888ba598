"""The values that a known mistake gives, for one part of a module's case, each with the sentence that names it."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from .cases import Outcome, part_of, reference
from .patterns import rest


def hypotheses(outcome: Outcome, part: str) -> Iterator[tuple[str, Tensor]]:
    """(sentence, the values that this mistake would give) for one part of one case."""
    case, given, expected = outcome.case, outcome.given, outcome.expected[part]
    if part == "grad_input" and rest_of(case):
        yield from without_the_rest(expected)
    yield NEVER.get(part, "All values are 0: is it ever computed?"), torch.zeros_like(expected)
    yield from some_pictures(outcome, part)
    if part == "grad_bias" and case.module == "TransposeConv2d":
        yield WINDOWS, of_windows(case, given)
    if given.weight is not None:
        yield from weights(outcome, part)
    if part != "forward":
        for cotangent in other_orders(given.cotangent):
            yield ORDER_OF_GRADIENT, reference(case, replace(given, cotangent=cotangent))[part]
    if part != "forward" and given.weight is not None and (padding := case.option("padding", 0)):
        yield from at_one_side(outcome, part, padding)
    if part == "grad_input" and case.module in ("NearestUpsampling", "NearestConv"):
        yield from corners(outcome)
    if expected.dim() == 4 and part in ("forward", "grad_input"):
        yield "Rows and columns of the result are exchanged: which of them does view take first?", expected.mT
        for values in (expected.transpose(1, 2), *map(expected.permute, ORDERS)):
            yield ORDER_OF_RESULT, values.reshape(expected.shape)
    if part == "forward" and isinstance(outcome.got[part], Tensor):
        yield from shifted(outcome)
    if case.module in ("ReLU", "Sigmoid") and part == "grad_input":
        yield "Is the incoming gradient multiplied in?", derivative(case, given)
        yield "Is the incoming gradient passed through as it is?", given.cotangent.double()
    if case.module == "ReLU" and part == "grad_input":
        masked = given.cotangent.double().clamp(min=0)
        yield "The mask looks at the gradient's sign: should it be the input's?", masked
        x, grad_y = given.x.double(), given.cotangent.double()
        yield (
            "It is multiplied with the input's sign: should that be 0, not −1, where the input is negative?",
            grad_y * x.sign(),
        )
        yield (
            "It is multiplied with the output: should it be with 1 where the input is positive?",
            grad_y * x.clamp(min=0),
        )
    if case.module == "Sigmoid" and part == "grad_input":
        x, grad_y = given.x.double(), given.cotangent.double()
        yield "Is x·(1 − x) taken where y·(1 − y) with y = sigmoid(x) is meant?", grad_y * x * (1 - x)


ORDER_OF_RESULT = "The result's values are in another order: is view used where a transpose is needed?"
ORDER_OF_GRADIENT = (
    "The gradient that backward is given is read in another order: is view or reshape used where a permute is needed "
    "first?"
)
ORDERS = (1, 0, 2, 3), (0, 2, 3, 1), (1, 2, 3, 0)  # of N, C, H, W


def other_orders(y: Tensor) -> Iterator[Tensor]:
    """N×C×H×W as it is read by who takes its memory for that of another order, say a matrix with a row a pixel."""
    for order in ORDERS:
        back = [order.index(i) for i in range(4)]
        yield y.reshape([y.shape[i] for i in order]).permute(back)


def at_one_side(outcome: Outcome, part: str, padding: int) -> Iterator[tuple[str, Tensor]]:
    """What is padded is taken off, or put on, at the right and at the bottom alone."""
    case, given = outcome.case, outcome.given
    plain = replace(case, options=tuple(pair for pair in case.options if pair[0] != "padding"))
    if case.module == "Conv2d" and part == "grad_input":
        padded = replace(given, x=torch.nn.functional.pad(given.x, [padding] * 4))
        height, width = given.x.shape[2:]
        yield ONE_SIDE, reference(plain, padded)[part][:, :, :height, :width]
    if case.module == "TransposeConv2d":
        shifted = torch.nn.functional.pad(given.cotangent, [0, 2 * padding] * 2)
        yield ONE_SIDE, reference(plain, replace(given, cotangent=shifted))[part]


ONE_SIDE = "What the padding adds is taken to be at one side alone: is there as much at the top and at the left?"


def corners(outcome: Outcome) -> Iterator[tuple[str, Tensor]]:
    """One pixel's gradient alone of those that a pixel was repeated to."""
    case, given, gradient = outcome.case, outcome.given, outcome.given.cotangent.double()
    if case.module == "NearestConv":
        padding = dict(case.inferred).get("padding", 0)
        gradient = torch.nn.functional.conv_transpose2d(gradient, given.weight.double(), padding=padding)
    height, width = (a // b for a, b in zip(gradient.shape[2:], given.x.shape[2:], strict=True))
    for i, j in ((0, 0), (height - 1, width - 1)):
        yield CORNER, gradient[:, :, i::height, j::width]


CORNER = "Only one of the pixels that a pixel is repeated to counts: is the gradient summed over all of them?"
ROOTS = (ORDER_OF_GRADIENT,)  # mistakes that show in several parts, and are one


NEVER = dict.fromkeys(
    ("grad_weight", "grad_bias"),
    "All values are 0: is it ever computed, and does param() list the tensor that it is added to?",
)


def some_pictures(outcome: Outcome, part: str) -> Iterator[tuple[str, Tensor]]:
    """Only one picture of the batch counts."""
    case, given, expected = outcome.case, outcome.given, outcome.expected[part]
    n = given.x.shape[0]
    if n == 1:
        return
    for which, one in (("last", slice(n - 1, n)), ("first", slice(0, 1))):
        values = reference(case, part_of(given, one))[part]
        if part not in ("grad_weight", "grad_bias"):
            values = torch.zeros_like(expected).index_copy_(0, torch.arange(n)[one], values)
        yield f"Only the {which} picture of the batch counts: is something saved or assigned in a loop?", values


def weights(outcome: Outcome, part: str) -> Iterator[tuple[str, Tensor]]:
    """The weight or the bias is used in another way, or is another one."""
    case, given, expected = outcome.case, outcome.given, outcome.expected[part]
    if part == "grad_weight":
        transposed = expected.flatten(1)
        yield (
            REVIEWED,
            (transposed.t() if transposed.shape[0] != transposed.shape[1] else transposed.mT).reshape(expected.shape),
        )
        yield "The kernel's gradient is flipped: in which order are its rows and columns?", expected.flip(2, 3)
        yield "The kernel's gradient has rows and columns exchanged: is there a transpose too many?", expected.mT
        layout = "The layout is another one, with input and output channels exchanged: is a transpose missing?"
        for values in (*other_layouts(expected), *map(expected.permute, itertools.permutations(range(4)))):
            yield layout, values.reshape(expected.shape)
    elif part != "grad_bias":
        for sentence, weight in (
            ("The kernel is used flipped: is it a cross-correlation, as torch's?", given.weight.flip(2, 3)),
            ("The kernel is used with rows and columns exchanged: is there a transpose too many?", given.weight.mT),
            *((LAYOUT, weight) for weight in other_layouts(given.weight)),
        ):
            if weight.shape == given.weight.shape:
                yield sentence, reference(case, replace(given, weight=weight))[part]
        fitting = {k: v.float() for k, v in outcome.built.items() if v.shape == getattr(given, k).shape}
        for used in (fitting, {name: value for name, value in fitting.items() if name == "weight"}):
            built = reference(case, replace(given, **used))
            yield BUILT, built[part]
    if given.bias is not None and part == "forward":
        without = replace(given, bias=torch.zeros_like(given.bias))
        yield "The bias is not added: is it forgotten?", reference(case, without)[part]


OFF = "Every channel is off by a constant: is the bias the right one, and none added if bias=False?"
BUILT = "The weights it was built with are used: is a copy of them kept, so that new ones go unused?"
LAYOUT = "The weight is read in another layout: is view used where a transpose is needed?"


def other_layouts(weight: Tensor) -> Iterator[Tensor]:
    """A weight C×D×kh×kw as it is read, in the same shape, by who takes D, or the kernel, for its first dimension."""
    c, d, *kernel = weight.shape
    yield weight.transpose(0, 1).reshape(weight.shape)
    yield weight.reshape(d, c, *kernel).transpose(0, 1)
    yield weight.flatten(1).t().reshape(weight.shape)
    yield weight.reshape(-1, c).t().reshape(weight.shape)
    yield weight.permute(0, 2, 3, 1).reshape(weight.shape)


REVIEWED = (
    "The weight's gradient is computed in its transposed layout and then viewed in the weight's shape, which puts "
    "the right numbers in wrong places: is it XᵀP where PᵀX stands, or a permute in place of the view?"
)


WINDOWS = "Each pixel counts as often as windows cover it: is the sum taken over the gradient once it is unfolded?"


def of_windows(case, given) -> Tensor:
    """The bias's gradient as the sum over the patches of the gradient that is given, rather than over its pixels."""
    kernel, n, channels = case.args[2], *given.cotangent.shape[:2]
    stride, padding = case.option("stride", 1), case.option("padding", 0)
    patches = torch.nn.functional.unfold(given.cotangent.double(), kernel, padding=padding, stride=stride)
    return patches.view(n, channels, -1).sum((0, 2))


def without_the_rest(expected: Tensor) -> Iterator[tuple[str, Tensor]]:
    """The last rows and columns are left out, as many as a stride may leave over."""
    for rows in (0, 1, 2):
        for columns in (0, 1, 2):
            if rows or columns:
                values = expected.clone()
                values[:, :, expected.shape[2] - rows :] = 0
                values[:, :, :, expected.shape[3] - columns :] = 0
                yield LEFT_OVER, values


LEFT_OVER = "The last rows or columns are 0: do those count that the stride leaves over?"


def rest_of(case) -> bool:
    return case.module == "Conv2d" and rest(case)


def shifted(outcome: Outcome) -> Iterator[tuple[str, Tensor]]:
    """Each channel is off by a constant of its own."""
    got, expected = outcome.got["forward"].double(), outcome.expected["forward"]
    if got.shape == expected.shape and expected.shape[2:].numel() > 1:
        offsets = (got - expected).mean((0, 2, 3), keepdim=True)
        yield OFF, expected + offsets


def derivative(case, given) -> Tensor:
    return reference(case, replace(given, cotangent=torch.ones_like(given.cotangent)))["grad_input"]
