"""A step of the Model's own training, for submissions whose optimiser is a part of their Model."""

import torch
from torch import Tensor

from .leaves import at, held
from .manners import Manner, zero_grad
from .module import Driven

BATCHES = 1, 2, 4, 8, 16, 32, 64, 128, 256  # so that the first that is not too few for a step is one batch


def first_step(model, pictures: int, driven: list[Driven], before: list[Tensor]) -> bool:
    """Whether training on so many pictures moves the weights: some leave out a batch that is not full."""
    noisy = torch.rand(pictures, 3, 32, 32) * 255
    try:
        model.train(noisy, noisy.flip(3), 1)
    except Exception:
        if pictures == BATCHES[-1]:
            raise
    return any(not torch.equal(one.tensor("weight"), old) for one, old in zip(driven, before, strict=True))


def own_step(driver) -> dict:
    """One step of the Model's own train(): "steps", (change, gradient) of every weight whose place
    is known from other modules of its class, and "cleared": whether a zero_grad of the Model sets them to zero
    (None if it has none).
    """
    model = driver.classes.exported["Model"]()
    kinds = {kind[1]: role for role in ("Conv2d", "TransposeConv2d", "NearestConv") if (kind := driver.known(role))}
    layers = [(found, driver.places.get(kinds[type(found)], {})) for found in held(model) if type(found) in kinds]
    driven = [
        Driven(
            driver,
            "",
            layer,
            {"weight": tuple(at(layer, places["weight"]).shape)},
            places | {"layouts": {}},
            Manner(),
        )
        for layer, places in layers
        if "weight" in places
    ]
    before = [one.tensor("weight").clone() for one in driven]
    for pictures in BATCHES:
        if first_step(model, pictures, driven, before):
            break
    steps = []
    for one, old in zip(driven, before, strict=True):
        new = one.tensor("weight")
        gradient = one.own_gradient("weight", new)
        if isinstance(gradient, Tensor) and gradient.any():
            steps.append((new - old, gradient.reshape(new.shape).clone()))
    cleared = all(one.is_clear() for one in driven) if zero_grad(model) else None
    return {"steps": steps, "cleared": cleared}
