"""A step of the Model's own training, seen from outside: for submissions whose modules can't be used one by one."""

import contextlib
import math

import torch
from torch import Tensor

from .exchange import with_sgd
from .gradients import in_listed
from .leaves import at, describe, held, leaves, reached
from .recording import Recording, Unrecorded
from .seeing import Sizes, Watch
from .slopes import slopes
from .state import as_imported
from .stepping import at_times_the_rate

MOST_LEAVES, LARGEST = 200, 1 << 20
MOSTLY = 0.9  # of its memory


def step(
    driver, noisy: Tensor, target: Tensor, seed: int, epochs: int, times: float, watched: str, sgd: bool
) -> dict:
    """So many epochs of a fresh Model on these pictures, as if nothing else had been tried before, at so many times
    its learning rate, where that is found. `watched`: "all" that is computed, its "sizes" alone, "nothing", or it is
    "recorded", for the slopes of the loss, the last epoch by a call of train() of its own. `sgd`: with the SGD that
    was handed in, in the place of the optimiser that the Model uses; nothing is seen if it uses no other.
    """
    kept, driver.unpaired = driver.unpaired, None
    try:
        with as_imported(driver.classes), with_sgd(driver) if sgd else contextlib.nullcontext(True) as there:
            return steps(driver, noisy, target, seed, epochs, times, watched) if there else {}
    finally:
        driver.unpaired = kept


def steps(driver, noisy: Tensor, target: Tensor, seed: int, epochs: int, times: float, watched: str) -> dict:
    """What is seen of them. "parameters": (name, before, after) of the tensors that make
    a difference to its predictions; "prints" and "whole": what was computed on the way (seeing.py); "slopes" of the
    loss (slopes.py), or why they can't be told.
    """
    if driver.paths is None:
        torch.manual_seed(seed)
        tried = driver.classes.exported["Model"]()
        driver.begin()
        driver.paths = parameters(driver, tried, noisy)
        driver.begin()  # what predicting has left behind is undone
    paths = driver.paths
    torch.manual_seed(seed)
    model = driver.classes.exported["Model"]()
    if any(not there(model, path) for path in paths):  # made by the first forward pass
        model.predict(noisy[:1])
        driver.begin()
    for path in paths:  # moved, so that no two are alike, such as biases that start as zeros
        at(model, path).add_(torch.empty_like(at(model, path)).uniform_(-0.05, 0.05))
    began = before = [at(model, path).detach().clone() for path in paths]
    if watched == "recorded" and epochs > 1:
        model.train(noisy.clone(), target.clone(), epochs - 1)
        epochs, before = (
            1,
            [at(model, path).detach().reshape(old.shape).clone() for path, old in zip(paths, began, strict=True)],
        )
    sizes = {noisy.numel(), *(old.numel() for old in before)}
    kinds = {"all": lambda: Watch(sizes), "sizes": Sizes, "nothing": contextlib.nullcontext, "recorded": Recording}
    watch = kinds[watched]()
    views = [watch.view(at(model, path)) for path in paths] if watched == "recorded" else []
    with at_times_the_rate(driver.classes, [model], times), watch:
        model.train(noisy.clone(), target.clone(), epochs)
    prints, whole = getattr(watch, "prints", ()), getattr(watch, "whole", {})
    after = [at(model, path).detach().reshape(old.shape) for path, old in zip(paths, before, strict=True)]
    said = {
        "parameters": [[describe(path), *one] for path, *one in zip(paths, before, after, strict=True)],
        "prints": torch.tensor([one for one in prints if all(map(math.isfinite, one))], dtype=torch.float64),
        "whole": list(whole.values()),
    }
    if watched == "recorded":
        updated = [watch.view(at(model, path)) for path in paths]
        changes = [new - old for new, old in zip(after, before, strict=True)]
        said["held"] = sorted({type(one).__name__ for one in held(model)})
        earlier = [new - old for new, old in zip(before, began, strict=True)]
        said["slopes"] = told(watch, views, updated, changes, earlier, target)
    return said


def told(recording: Recording, *step) -> list[Tensor] | str:
    """The slopes of the loss, or why they can't be told."""
    try:
        return slopes(recording.complete(), *step)
    except Unrecorded as reason:
        return str(reason)
    except (RuntimeError, IndexError, KeyError) as error:  # of an operator with other values in float64
        return f"it can't be carried out again: {error!r:.200}"


def parameters(driver, model, pictures: Tensor) -> list[tuple]:
    """The ways to what the predictions depend on, but for what predicting itself changes."""
    kept, first = pictures[:1], driver.tensor(model.predict(pictures[:1]))
    there = [(path, leaf, leaf.clone()) for path, leaf in every(model) if leaf.is_floating_point()]
    model.predict(pictures[1:2] if len(pictures) > 1 else kept.flip(2))
    there = [one for one in there[:MOST_LEAVES] if same_memory(at(model, one[0]), one[1]) and torch.equal(*one[1:])]
    found, seen = [], set()
    for path, leaf, _ in there:
        is_whole = is_made_of_others(leaf, [other for _, other, _ in there])
        if is_whole or not 0 < leaf.numel() <= LARGEST or leaf.data_ptr() in seen:
            continue
        seen.add(leaf.data_ptr())
        if any(differs(driver, model, kept, first, leaf, sign) for sign in (1, -1)):
            found.append(path)
    return found


def every(model) -> list[tuple[tuple, Tensor]]:
    """The tensors of a model, and those that the lists of its modules' parameters make of parts of them."""
    found = list(leaves(model))
    known = {(leaf.data_ptr(), leaf.numel()) for _, leaf in found}
    listed = [((*path, *more), leaf) for path, one in reached(model) for more, leaf in in_listed(one)]
    return found + [(path, leaf) for path, leaf in listed if (leaf.data_ptr(), leaf.numel()) not in known]


def same_memory(one, other: Tensor) -> bool:
    """Whether both are the same tensor, or views of the same part of one."""
    return isinstance(one, Tensor) and (one.data_ptr(), one.shape) == (other.data_ptr(), other.shape)


def is_made_of_others(leaf: Tensor, leaves: list[Tensor]) -> bool:
    """Whether it is the memory that all parameters are views of."""
    begin, size = leaf.data_ptr(), leaf.numel() * leaf.element_size()
    inside = {
        other.data_ptr(): other.numel() * other.element_size()
        for other in leaves
        if other.numel() < leaf.numel() and begin <= other.data_ptr() < begin + size
    }
    return len(inside) > 1 and sum(inside.values()) > MOSTLY * size


def differs(driver, model, pictures: Tensor, first: Tensor, leaf: Tensor, sign: int) -> bool:
    """Whether the prediction is another one where a tensor has other values, which it has only for that."""
    old = leaf.clone()
    try:
        leaf.add_(sign * torch.empty_like(leaf).uniform_(0.5, 1))
        return not torch.equal(driver.tensor(model.predict(pictures)), first)
    except Exception:
        return False
    finally:
        leaf.copy_(old)


def there(model, path: tuple) -> bool:
    try:
        return isinstance(at(model, path), Tensor)
    except LookupError:
        return False
