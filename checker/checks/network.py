"""The network of a submission, found again from what a step of its training computes: layers, weights, cotangents.

Nothing of it is asked for module by module. From the pictures on, every layer is tried that could come next, with the
weights that are there, and is one if torch's output of it was computed, until the difference to the targets was, too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from . import cases
from .watched import Parameter, Seen

ALIKE = 0.9999  # correlation of a picture with the one that it was made from
SLOPES = 0.01, 0.05, 0.1, 0.2, 0.3
KERNELS, STRIDES, FACTORS = range(1, 8), (1, 2, 3, 4), (2, 3, 4)
MOST_LAYERS = 40
ACTIVATIONS = "ReLU", "Sigmoid", "LeakyReLU"
ORDERS = (0, 1, 2, 3), (1, 0, 2, 3), (3, 2, 0, 1), (2, 3, 0, 1), (0, 3, 1, 2), (3, 0, 1, 2), (2, 3, 1, 0)


@dataclass(frozen=True)
class Kept:
    """A parameter as torch has it, whatever layout it is kept in."""

    parameter: Parameter
    torchs: Callable[[Tensor], Tensor]

    @property
    def value(self) -> Tensor:
        return self.torchs(self.parameter.before.double())

    def stepped(self) -> "Kept":
        after = self.parameter.after
        return Kept(Parameter(self.parameter.name, after, after), self.torchs)


@dataclass(frozen=True)
class Layer:
    """One layer and its input; `case` is torch's counterpart of it."""

    case: cases.Case
    x: Tensor
    weight: Kept | None = None
    bias: Kept | None = None

    @property
    def kept(self) -> dict[str, Kept]:
        """The weight and the bias by these names, those that there are."""
        return {name: one for name, one in (("weight", self.weight), ("bias", self.bias)) if one}


@dataclass(frozen=True)
class Network:
    """`output` is what the loss is given: `gain` times what the last layer gives, and something besides."""

    layers: tuple[Layer, ...]
    output: Tensor
    target: Tensor
    gain: float
    last: Tensor  # what the last layer gives


def pairs(seen: Seen, noisy: Tensor, target: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """(pictures, targets) as the network and the loss are given them: scaled in whatever way, in whatever order."""
    found = [(one, order_of(one, noisy)) for one in seen.whole if one.numel() == noisy.numel()]
    goals = [(one, order_of(one, target)) for one in seen.whole if one.numel() == target.numel()]
    for x, order in found:
        for t, other in goals:
            if order is not None and order == other:
                yield x.double().view(noisy.shape), t.double().view(target.shape)


def order_of(value: Tensor, pictures: Tensor) -> list[int] | None:
    """Which picture each of these was made from by scaling its channels, mirrored or turned perhaps; None if they are
    other ones.
    """
    a, b = (one.double().reshape(pictures.shape) for one in (value, pictures))
    turned = orientations(b)
    if bool((b == b[:1]).all()):  # the same picture again and again
        same = torch.stack([(standard(a) * standard(one[:1])).sum(2).amin(1) for one in turned]).amax(0)
        return list(range(len(a))) if bool((same > ALIKE).all()) else None
    alike = [torch.einsum("ncp,mcp->cnm", standard(a), standard(one)).amin(0) for one in turned]  # of all channels
    best, order = torch.stack(alike).amax(0).max(1)
    return order.tolist() if bool((best > ALIKE).all()) and len(set(order.tolist())) == len(order) else None


def orientations(x: Tensor) -> list[Tensor]:
    """Pictures mirrored, and turned as well where they are square: four or eight."""
    turned = [x, x.transpose(2, 3)] if x.shape[2] == x.shape[3] else [x]
    return [one.flip(axes) for one in turned for axes in ((), (2,), (3,), (2, 3))]


def standard(x: Tensor) -> Tensor:
    x = x.flatten(2) - x.flatten(2).mean(2, keepdim=True)
    return x / x.norm(dim=2, keepdim=True).clamp(min=1e-12)


def find(seen: Seen, noisy: Tensor, target: Tensor) -> Network | None:
    """The network that the step was one of; None if it is not to be found. The pictures of a batch may have been put
    in another order, which the difference to the targets tells, if it was computed in one piece.
    """
    starts, tried, first = list(pairs(seen, noisy, target)), [], None
    for x, _ in starts:
        if any(torch.equal(x, other) for other in tried):
            continue
        tried.append(x)
        found = grow(seen, x, (), [t for other, t in starts if torch.equal(other, x)])
        if found and any(is_multiple(one, found.output - found.target) for one in seen.whole):
            return found
        first = first or found
    return first


def is_multiple(one: Tensor, value: Tensor) -> bool:
    if one.numel() != value.numel():
        return False
    one, value = one.double().flatten(), value.flatten()
    factor = float(one @ value) / (float(value @ value) or 1.0)
    return factor != 0 and float((one / factor - value).abs().max()) < 1e-4 * float(value.abs().max())


def grow(seen: Seen, y: Tensor, layers: tuple[Layer, ...], targets: list[Tensor]) -> Network | None:
    """The first network that begins with these layers, of which y is the output."""
    ends = layers and y.shape == targets[0].shape
    if ends and (found := compared(seen, Network(layers, y, y, 1.0, y), targets)):
        return found
    for layer, output in steps(seen, y, layers) if len(layers) < MOST_LAYERS else ():
        if found := grow(seen, output, (*layers, layer), targets):
            return found
    for gain, output in outputs(seen, y, layers[0].x) if ends else ():
        if found := compared(seen, Network(layers, output, output, gain, y), targets):
            return found
    return None


def compared(seen: Seen, network: Network, targets: list[Tensor]) -> Network | None:
    """The network with the targets that its output was compared with; None if it was with none."""
    for target in targets:
        if seen.has(network.output - target) or seen.has(target - network.output):
            return replace(network, target=target)
    return None


def outputs(seen: Seen, y: Tensor, x: Tensor) -> Iterator[tuple[float, Tensor]]:
    """(gain, output) of what was computed of y by a gain, an offset and the pictures: values up to 255, for instance,
    or the pictures less the noise.
    """
    parts = torch.stack([y.flatten(), x.flatten(), torch.ones_like(x).flatten()], 1)
    for one in seen.whole:
        if one.numel() == y.numel():
            value = one.double().flatten()
            share = torch.linalg.lstsq(parts, value[:, None]).solution
            close = float((parts @ share - value[:, None]).abs().max()) < 1e-5 * float(value.abs().max())
            if close and float(share[0].abs()) > 1e-3 * float(share.abs().max()):
                yield float(share[0]), (parts @ share).view(y.shape)


def steps(seen: Seen, x: Tensor, layers: tuple[Layer, ...]) -> Iterator[tuple[Layer, Tensor]]:
    """The layers that may come next, each with its output, which was computed."""
    shape = tuple(x.shape)
    sizes = seen.sizes()
    last = layers[-1].case.module if layers else ""
    if layers and last not in ACTIVATIONS:
        leaky = [(cases.case("LeakyReLU", shape, slope), F.leaky_relu(x, slope)) for slope in SLOPES]
        # A sigmoid may be computed from the positive and the negative part, so that it comes first.
        for case, y in ((cases.case("Sigmoid", shape), x.sigmoid()), (cases.case("ReLU", shape), x.relu()), *leaky):
            if y.any() and seen.has(y) and not torch.equal(x, y):  # zeros may be there for anything
                yield Layer(case, x), y
    used = {id(kept.parameter) for layer in layers for kept in layer.kept.values()}
    left = [one for one in seen.parameters if id(one) not in used]
    for case, weight in convolutions(shape, left):
        y = output(case, x, weight.value, sizes)
        if y is None:
            continue
        for bias in (one for one in left if one.before.numel() == y.shape[1] and one is not weight.parameter):
            kept = Kept(bias, torch.flatten)
            if seen.has(z := y + kept.value.view(-1, 1, 1)):
                yield Layer(case, x, weight, kept), z
        if seen.has(y):
            options = (*case.options, ("bias", False))
            yield Layer(cases.Case(case.module, shape, case.args, options), x, weight), y
    if last != "NearestUpsampling":
        for factor in FACTORS:
            y = x.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
            if y.numel() in sizes and seen.has(y):
                yield Layer(cases.case("NearestUpsampling", shape, factor), x), y


def output(case: cases.Case, x: Tensor, weight: Tensor, sizes: set[int]) -> Tensor | None:
    """What the layer gives without its bias; None if nothing of that size was computed."""
    stride, padding = case.option("stride", 1), case.option("padding", 0)
    more = case.option("output_padding", 0)
    h, w = (
        (n + 2 * padding - k) // stride + 1 if case.module == "Conv2d" else (n - 1) * stride + k - 2 * padding + more
        for n, k in zip(x.shape[2:], weight.shape[2:], strict=True)
    )
    channels = weight.shape[0 if case.module == "Conv2d" else 1]
    if h < 1 or w < 1 or len(x) * channels * h * w not in sizes:
        return None
    if case.module == "Conv2d":
        return F.conv2d(x, weight, stride=stride, padding=padding)
    return F.conv_transpose2d(x, weight, stride=stride, padding=padding, output_padding=more)


def convolutions(shape: tuple, left: list[Parameter]) -> Iterator[tuple[cases.Case, Kept]]:
    """Either convolution with every weight that has the channels for it, in every layout, stride and padding."""
    for one in left:
        for transposed in (False, True):
            for torchs in layouts(one.before, shape[1], transposed):
                rows = torchs(one.before).shape
                kernel = rows[2] if rows[2] == rows[3] else tuple(rows[2:])
                args = shape[1], rows[1] if transposed else rows[0], kernel
                for stride in STRIDES:
                    for padding in range(max(rows[2:])):
                        for more in range(stride) if transposed else (0,):
                            options = {"stride": stride, "padding": padding} | (
                                {"output_padding": more} if more else {}
                            )
                            role = "TransposeConv2d" if transposed else "Conv2d"
                            yield cases.case(role, shape, *args, **options), Kept(one, torchs)


def layouts(value: Tensor, channels: int, transposed: bool) -> Iterator[Callable[[Tensor], Tensor]]:
    """The ways to read a tensor as torch's weight for an input of so many channels."""
    place = 0 if transposed else 1  # of the input's channels
    squeezed = tuple(n for n in value.shape if n > 1) if value.dim() > 4 else tuple(value.shape)
    if len(squeezed) == 4:
        for order in ORDERS:
            shape = [squeezed[i] for i in order]
            if shape[place] == channels and max(shape[2:]) in KERNELS:
                yield lambda t, order=order: t.reshape(squeezed).permute(order)
                if transposed:
                    yield lambda t, order=order: t.reshape(squeezed).permute(order).flip(2, 3)
        return
    for k in KERNELS:
        others = value.numel() // (channels * k * k)
        if value.dim() < 2 or others * channels * k * k != value.numel():
            continue
        shape = (channels, others, k, k) if transposed else (others, channels, k, k)
        for rows in (*ORDERS[:2], (1, 2, 3, 0), (0, 2, 3, 1), (2, 3, 1, 0)):
            back = [rows.index(i) for i in range(4)]
            yield lambda t, shape=shape, rows=rows, back=back: t.reshape([shape[i] for i in rows]).permute(back)


def stepped(network: Network, layers: list[Layer]) -> tuple[list[Layer], Network]:
    """The same layers after the step that their weights took, each with the input that it has then."""
    x, after = layers[0].x, []
    for layer in layers:
        weight, bias = (kept and kept.stepped() for kept in (layer.weight, layer.bias))
        after.append(Layer(layer.case, x, weight, bias))
        values = (kept.value if kept else None for kept in (weight, bias))
        with torch.no_grad():
            y = x = layer.case.counterpart_of(*values)(x)
    output = network.output + network.gain * (y - network.last)
    return after, Network(tuple(after), output, network.target, network.gain, y)
