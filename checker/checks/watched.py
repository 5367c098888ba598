"""What was seen of a step of a submission's training, as its process tells it."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

CLOSE = 3e-5  # largest difference of two marks, of the root mean square of the values


@dataclass(frozen=True)
class Parameter:
    name: str
    before: Tensor
    after: Tensor


@dataclass(frozen=True)
class Seen:
    """What was seen of a step: see driving/whole.py. `sgd`: with the submission's SGD in another one's place.
    `slopes`: of the loss, for each parameter, or why they are not known.
    """

    parameters: list[Parameter]
    prints: Tensor
    whole: list[Tensor]
    sgd: bool = False
    slopes: list[Tensor] | str = ""
    held: frozenset[str] = frozenset()  # names of the classes of all that the Model holds

    def has(self, value: Tensor) -> bool:
        """Whether values like these were computed, in whatever order."""
        flat = value.double().flatten()
        size, scale = flat.numel(), float(flat.square().mean().sqrt())
        among = self.prints[self.prints[:, 0] == size][:, 1:]
        own = torch.stack([flat.mean(), flat.square().mean().sqrt(), flat.min(), flat.max()])
        allowed = CLOSE * torch.tensor([1.0, 1.0, 10.0, 10.0]).double() * (scale + 1e-30)
        return bool(((among - own).abs() <= allowed).all(1).any())

    def channels_last(self, pictures: Tensor) -> "Seen":
        """The same, where what has the pictures' size is (pictures, rows, columns, channels), as Keras has it."""
        n, c, h, w = pictures.shape
        whole = [
            one.reshape(n, h, w, c).permute(0, 3, 1, 2).contiguous() if one.numel() == pictures.numel() else one
            for one in self.whole
        ]
        return replace(self, whole=whole)

    def sizes(self) -> set[int]:
        return set(self.prints[:, 0].long().tolist())


def in_order(answer, sgd: bool = False) -> Seen:
    """What the submission's process says of a step, without what has not the form that it must have."""
    said = answer if isinstance(answer, dict) else {}
    lists = {name: said[name] if isinstance(said.get(name), list) else [] for name in ("parameters", "whole")}
    triples = [one for one in lists["parameters"] if isinstance(one, list) and len(one) == 3]
    moved = [Parameter(str(n), a, b) for n, a, b in triples if is_value(a) and is_value(b) and a.shape == b.shape]
    prints = said.get("prints")
    if not is_value(prints) or prints.dim() != 2 or prints.shape[1] != 5:
        prints = torch.zeros(0, 5)
    slopes = said.get("slopes")
    if isinstance(slopes, list):
        rows = all(is_value(one) and one.dim() == 2 and one.shape[1] == 4 for one in slopes)
        slopes = slopes if rows and len(slopes) == len(moved) else "what was said of them is in no order"
    held = frozenset(name for name in said.get("held") or () if isinstance(name, str))
    return Seen(moved, prints.double(), [one for one in lists["whole"] if is_value(one)], sgd, slopes or "", held)


def is_value(one) -> bool:
    return isinstance(one, Tensor) and one.is_floating_point() and one.numel() > 0 and bool(one.isfinite().all())
