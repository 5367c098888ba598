"""The Model: it can be imported and built, and predict and load do what the assignment says."""

import torch
from torch import Tensor

from ..context import Grading
from ..registry import Failed, check
from ..sandbox.child import Raised
from ..sandbox.session import Remote
from .compare import size

LFS_POINTER = b"version https://git-lfs"
MANY = 107  # pictures: not a multiple of any usual batch


def load(g: Grading) -> list[str]:
    return g.session.load()


@check("api", needs=("structure.files",))
def imports(g: Grading):
    """model.py can be imported from its package"""
    try:
        names = g.once(load)
    except Raised as raised:
        try:
            g.session.load(inside=True)
        except Raised:
            raise Failed(f"importing {g.submission.package}.model {raised}") from None
        g.warn(
            f"importing {g.submission.package}.model {raised}; it works only with its own folder on the "
            "path: write `from .others …` instead of `from others …`"
        )
        names = g.session.loaded
    if not names:
        raise Failed("model.py defines nothing")


@check("api", needs=("api.imports",))
def constructs(g: Grading):
    """Model() takes no argument"""
    if "Model" not in g.session.loaded:
        raise Failed("model.py defines no Model")
    g.session.new("Model")


def pretrained(g: Grading) -> Remote:
    """A model with the pretrained weights, loaded in a working directory where that works."""
    go_to(g, g.once(place_to_load))
    return loaded(g)


def go_to(g: Grading, place: str) -> None:
    g.session.chdir("")  # a place may be relative to the copy's folder
    g.session.chdir(place)


def loaded(g: Grading) -> Remote:
    model = g.session.new("Model")
    model.load_pretrained_model()
    return model


def place_to_load(g: Grading) -> str:
    """The working directory in which load_pretrained_model() works: "/" if it does anywhere, else the copy's folder
    or the package's. Raises what it raised in the copy's folder if it works nowhere.
    """
    first = None
    for place in ("/", "", g.submission.package):
        try:
            go_to(g, place)
            loaded(g)
            return place
        except Raised as raised:
            first = raised if place == "" else first
    g.session.chdir("")
    raise first


@check("api", needs=("api.constructs",))
def loads_pretrained(g: Grading):
    """load_pretrained_model() reads bestmodel.pth"""
    path = g.files / "bestmodel.pth"
    if not path.is_file():
        raise Failed("there is no bestmodel.pth")
    with path.open("rb") as file:
        begins = file.read(len(LFS_POINTER))
    if begins == LFS_POINTER:
        raise Failed(
            f"bestmodel.pth is a pointer of git-LFS ({path.stat().st_size} bytes of text) in place of the weights",
            "Run `git lfs pull` before the folder is handed in, or commit the file itself: `git lfs untrack`.",
        )
    pretrained(g)
    for note in sorted(note for note in g.session.notes if note.startswith("loading: ")):
        g.warn(note.removeprefix("loading: "))


@check("api", needs=("api.loads_pretrained",))
def loads_from_anywhere(g: Grading):
    """load_pretrained_model() works from any working directory"""
    place = g.once(place_to_load)
    if place != "/":
        try:
            g.session.chdir("/")
            loaded(g)
        except Raised as raised:
            where = f"the folder {place}" if place else f"the folder that holds {g.submission.package}"
            message = f"it works in {where} only; from another working directory it {raised}"
            raise Failed(message, "Is the path built from __file__?") from None
        finally:
            g.session.chdir("")


@check("api", needs=("api.loads_pretrained",))
def loads_its_weights(g: Grading):
    """load_pretrained_model() replaces every weight: two models agree after it"""
    x = pictures(g, 2, 32, 32)
    outputs = []
    for seed in (g.seed + 1, g.seed + 2):
        g.session.seed(seed)
        outputs.append(predict(g, pretrained(g), x))
    difference = (outputs[0] - outputs[1]).abs().max().item()
    if difference > 0.1:
        raise Failed(
            f"two models built after different seeds differ by up to {difference:.3g} (of 255) after loading",
            "Are all parameters in bestmodel.pth, and copied to where forward reads them?",
        )


def pictures(g: Grading, *shape: int) -> Tensor:
    """Random pictures N×3×H×W as uint8: smooth ones with noise, of any size."""
    n, h, w = shape
    generator = torch.Generator().manual_seed(g.seed)
    coarse = torch.rand(n, 3, max(1, h // 8), max(1, w // 8), generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (h, w), mode="nearest")
    noisy = smooth + 0.1 * torch.randn(n, 3, h, w, generator=generator)
    return (noisy.clamp(0, 1) * 255).to(torch.uint8)


def default_type(g: Grading) -> str:
    return g.session.facts()["dtype"]


def in_its_type(g: Grading, x: Tensor) -> Tensor:
    """Pictures in the submission's default type of floating-point numbers, if that is what they are."""
    return x.double() if x.is_floating_point() and g.once(default_type) == "float64" else x


def predict(g: Grading, model: Remote, x: Tensor) -> Tensor:
    """What the model makes of pictures, as float64; Failed unless it is N×3×H×W with finite values in 0–255."""
    x = in_its_type(g, x)
    y = g.session.call(model, "predict", x, seconds=g.config["limits"]["predict_seconds"])
    if not isinstance(y, Tensor):
        raise Failed(f"predict returned {type(y).__name__}; expected a tensor")
    if y.shape != x.shape:
        raise Failed(f"predict returned the shape {size(y.shape)} for {size(x.shape)}")
    y = y.double()
    if not y.isfinite().all():
        raise Failed(f"predict returned {int((~y.isfinite()).sum())} values that are not finite")
    if y.min() < 0 or y.max() > 255:
        raise Failed(f"predict returned values from {y.min():.4g} to {y.max():.4g}; expected 0–255")
    return y


def model(g: Grading) -> Remote:
    """The model to try predict with: the pretrained one, or a fresh one if that can't be loaded."""
    try:
        return pretrained(g)
    except Raised:
        return g.session.new("Model")


@check("api", needs=("api.constructs",))
def shape_and_range(g: Grading):
    """predict returns N×3×H×W with values in 0–255"""
    y = predict(g, model(g), pictures(g, 3, 32, 32).float())
    if y.max() <= 1:
        g.warn(f"the largest value that predict returned is {y.max():.3g}: is the result in 0–1, not in 0–255?")


@check("api", needs=("api.constructs",))
def large_picture(g: Grading):
    """predict takes a picture of 1×3×512×512"""
    predict(g, model(g), pictures(g, 1, 512, 512).float())


@check("api", needs=("api.shape_and_range",))
def dtypes(g: Grading):
    """predict takes uint8 and float pictures, with the same result"""
    subject, x = model(g), pictures(g, 2, 32, 32)
    difference = (predict(g, subject, x) - predict(g, subject, x.float())).abs().max().item()
    if difference > 1:
        raise Failed(
            f"the results for uint8 and for float32 differ by up to {difference:.4g} (of 255)",
            "Are both divided by 255?",
        )


@check("beyond", needs=("api.shape_and_range",))
def any_size(g: Grading):
    """predict takes any height and width"""
    subject = model(g)
    for h, w in ((31, 33), (48, 20), (1, 5)):
        try:
            predict(g, subject, pictures(g, 1, h, w).float())
        except (Failed, Raised) as problem:
            raise Failed(f"for 1×3×{h}×{w}: {problem}", "Is the picture padded and the result cropped?") from None


@check("api", needs=("api.shape_and_range",))
def batch_independent(g: Grading):
    """predict takes any number of pictures, and each one's result does not depend on the others"""
    subject, x = model(g), pictures(g, MANY, 32, 32).float()
    together = predict(g, subject, x)
    for i in (0, 1, MANY // 2, MANY - 1):
        difference = (together[i : i + 1] - predict(g, subject, x[i : i + 1])).abs().max().item()
        if difference > 0.05:
            raise Failed(
                f"alone and in a batch of {MANY} picture {i}'s result differs by up to {difference:.4g} (of 255)",
                "Is something computed over the whole batch, such as a mean or a maximum?",
            )


@check("api", needs=("api.shape_and_range",))
def input_untouched(g: Grading):
    """predict does not change the pictures that it is given"""
    x = pictures(g, 2, 32, 32).float()
    there, subject = g.session.put(x), model(g)
    subject.predict(there)
    after = g.session.value(there)
    if not (isinstance(after, Tensor) and after.shape == x.shape and torch.equal(after.float(), x)):
        raise Failed("predict changes the pictures that it is given", "Is there a /= or another method ending in _?")
