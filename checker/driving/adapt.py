"""Build and use a submission's modules as the assignment says, and where that fails in the ways that submissions
commonly chose instead: so the mathematics is judged, and the difference in the interface is reported once, by
`api.names`, `modules.signatures` or `modules.param_pairs`."""

from torch import Tensor

from ..sandbox.child import Raised
from ..sandbox.session import Remote, Session

UPSAMPLING = "Upsampling"  # the source paper's name; some submissions mean by it the one kind, some the other
RENAMED = (  # torch's name of an argument → what submissions called it
    {
        "in_channels": "input_channels",
        "out_channels": "output_channels",
        "kernel_size": "kernel",
        "scale_factor": "scale",
    },
    {"in_channels": "in_channel", "out_channels": "out_channel", "scale_factor": "factor"},
    {"in_channels": "channels_in", "out_channels": "channels_out", "scale_factor": "upscale_factor"},
    {"in_channels": "input_channels", "out_channels": "output_channels"},
)
POSITIONAL = {
    "Conv2d": ("in_channels", "out_channels", "kernel_size"),
    "TransposeConv2d": ("in_channels", "out_channels", "kernel_size"),
    "NearestUpsampling": ("scale_factor",),
}
ATTRIBUTES = {
    "weight": ("weight", "weights", "w", "W", "kernel", "kernels", "filters"),
    "bias": ("bias", "biases", "b"),
}


def name_of(session: Session, name: str) -> str | None:
    """What the submission calls the graded module `name`; None if it has none."""
    loaded = session.loaded or ()
    if name in loaded:
        return name
    kinds = {"TransposeConv2d", "NearestUpsampling"}
    if name in kinds and UPSAMPLING in loaded and not kinds & set(loaded) and name == kind_of_upsampling(session):
        return UPSAMPLING
    return None


def kind_of_upsampling(session: Session) -> str:
    """What a submission means whose only upsampling is called Upsampling: it takes channels, or one factor."""
    try:
        session.new(UPSAMPLING, 2)
    except Raised:
        return "TransposeConv2d"
    return "NearestUpsampling"


def new(session: Session, name: str, *args, **kwargs) -> Remote:
    """A module of the submission, by its graded name. Raises what the assignment's own way of building it raised."""
    own = name_of(session, name) or name
    by_name = dict(zip(POSITIONAL.get(name, ()), args, strict=False)) | kwargs
    renamed = [{names.get(key, key): value for key, value in by_name.items()} for names in RENAMED]
    return first(
        lambda: session.new(own, *args, **kwargs),
        lambda: session.new(own, **by_name),
        *(lambda options=options: session.new(own, **options) for options in renamed if options != by_name),
    )


# Weights and gradients --------------------------------------------------------------------------------


def attribute(session: Session, module: Remote, name: str) -> tuple[str, Tensor | None]:
    """What a module calls its `weight` or `bias`, and the value; the value is None if it has none."""
    for own in ATTRIBUTES[name]:
        try:
            value = session.get(module, own)
        except Raised:
            continue
        if isinstance(value, Tensor):
            return own, value
    return name, None


def pairs(value) -> list[tuple[Tensor, object]]:
    """(parameter, gradient) pairs of what param() returned: pairs as asked for, nested by layer, one flat list
    of parameter, gradient, parameter, …, or a list of parameters and a list of gradients.
    """
    if not isinstance(value, list | tuple):
        return []
    items = list(value)
    if (
        len(items) == 2
        and isinstance(items[0], Tensor)
        and (items[1] is None or shapes(items[:1]) == shapes(items[1:]))
    ):
        return [(items[0], items[1])]
    if items and shapes(items) and shapes(items[::2]) == shapes(items[1::2]):
        return list(zip(items[::2], items[1::2], strict=True))
    if len(items) == 2 and (own := shapes(items[0])) and own == shapes(items[1]) and len(set(own)) == len(own) > 1:
        return list(zip(*items, strict=True))
    return [pair for item in items for pair in pairs(item)]


def shapes(value) -> list | None:
    """The shapes of a list of tensors; None if it is anything else."""
    if isinstance(value, list | tuple) and all(isinstance(item, Tensor) for item in value):
        return [tuple(item.shape) for item in value]
    return None


# Containers, optimisers, losses -----------------------------------------------------------------------


def sequential(session: Session, *layers: Remote) -> Remote:
    return first(
        lambda: session.new("Sequential", *layers),
        lambda: session.new("Sequential", list(layers)),
    )


OPTIMISERS = 6  # the ways of `optimiser`


def optimiser(session: Session, way: int, net: Remote, lr: float, **more) -> Remote:
    """The SGD for `net`, in the assignment's own way (0), or in another in which submissions build theirs."""
    if way in (0, 1, 2):
        params = session.keep(net, "param")
    return (
        lambda: session.new("SGD", params, lr=lr, **more),
        lambda: session.new("SGD", params, lr, **more),
        lambda: session.new("SGD", lr, params, **more),
        lambda: session.new("SGD", net, lr, **more),
        lambda: session.new("SGD", [net], lr, **more),
        lambda: session.new("SGD", lr, net, **more),
    )[way]()


def loss_backward(loss: Remote, prediction, target):
    """The gradient that a loss returns, after its forward: called without an argument, or as variants want it."""
    return first(
        lambda: loss.backward(),
        lambda: loss.backward(1.0),
        lambda: loss.backward(prediction, target),
    )


def first(*ways):
    """The result of the first way that does not raise inside the submission; else what the first one raised."""
    problem = None
    for way in ways:
        try:
            return way()
        except Raised as raised:
            problem = problem or raised
    raise problem
