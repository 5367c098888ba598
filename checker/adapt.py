"""Build a submission's modules as the assignment says, and where that fails in the ways that submissions commonly
chose instead: so the mathematics is judged, and the difference in the interface is reported once, by
`modules.signatures`."""

from .sandbox import Raised
from .session import Remote, Session

NAMES = {"TransposeConv2d": ("TransposeConv2d", "Upsampling")}  # graded name → names that count as it
RENAMED = {
    "in_channels": "input_channels",
    "out_channels": "output_channels",
    "kernel_size": "kernel",
    "scale_factor": "scale",
}
POSITIONAL = {
    "Conv2d": ("in_channels", "out_channels", "kernel_size"),
    "TransposeConv2d": ("in_channels", "out_channels", "kernel_size"),
    "NearestUpsampling": ("scale_factor",),
}


def name_of(session: Session, name: str) -> str | None:
    """What the submission calls the graded module `name`; None if it has none."""
    return next((n for n in NAMES.get(name, (name,)) if n in (session.loaded or ())), None)


def new(session: Session, name: str, *args, **kwargs) -> Remote:
    """A module of the submission, by its graded name. Raises what the assignment's own way of building it raised."""
    own = name_of(session, name) or name
    by_name = dict(zip(POSITIONAL.get(name, ()), args, strict=False)) | kwargs
    renamed = {RENAMED.get(key, key): value for key, value in by_name.items()}
    return first(
        lambda: session.new(own, *args, **kwargs),
        lambda: session.new(own, **by_name),
        lambda: session.new(own, **renamed),
    )


def sequential(session: Session, *layers: Remote) -> Remote:
    return first(
        lambda: session.new("Sequential", *layers),
        lambda: session.new("Sequential", list(layers)),
    )


def sgd(session: Session, net: Remote, **options) -> Remote:
    params = session.keep(net, "param")
    lr = options.pop("lr")
    return first(
        lambda: session.new("SGD", params, lr=lr, **options),
        lambda: session.new("SGD", params, lr, **options),
        lambda: session.new("SGD", lr, params, **options),
        lambda: session.new("SGD", net, lr, **options),
        lambda: session.new("SGD", [net], lr, **options),
    )


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
