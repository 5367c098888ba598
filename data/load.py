"""Read and write a pair file: two tensors N×3×H×W of one shape, values 0–255, as torch.save writes them."""

import os
import pickle
from pathlib import Path

import torch
from torch import Tensor

from .files import replacing


class DataError(ValueError):
    """What is wrong with a file, a folder or an argument, in one sentence with the way out."""


def load_pair(path: str | os.PathLike) -> tuple[Tensor, Tensor]:
    """Read `train_data.pkl` (noisy, noisy) or `val_data.pkl` (noisy, clean).

    Returns two contiguous CPU tensors N×3×H×W of one dtype, uint8 or floating point, values 0–255, N ≥ 1.
    Raises DataError if the file is missing, truncated or anything else. Never executes code from the file:
    torch's weights-only loader refuses every pickle that asks for more than tensors and containers.
    """
    path = Path(path)
    pair = _unpickle(path)
    if not (isinstance(pair, tuple | list) and len(pair) == 2 and all(isinstance(t, Tensor) for t in pair)):
        raise DataError(f"{path}: expected a pair of tensors, not {_describe(pair)}")
    for name, tensor in zip(("first", "second"), pair, strict=True):
        _check(f"{path}: the {name} tensor", tensor)
    first, second = pair
    if first.shape != second.shape or first.dtype != second.dtype:
        raise DataError(
            f"{path}: the two tensors must agree in shape and dtype, not {_describe(first)} and {_describe(second)}"
        )
    return first.detach().contiguous(), second.detach().contiguous()


def save_pair(path: str | os.PathLike, first: Tensor, second: Tensor) -> None:
    """Write a pair file atomically: a reader sees the old file or the whole new one.

    The same tensors give the same bytes, whatever the file's name. Raises DataError if it can't be written.
    """
    path = Path(path)
    try:
        # Given an open file instead of a name, torch leaves the name out of what it writes.
        with replacing(path) as partial, open(partial, "wb") as file:
            torch.save((first.contiguous().clone(), second.contiguous().clone()), file)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        raise DataError(f"{path}: can't be written ({_first_line(error)})") from error


def _unpickle(path: Path):
    if not path.exists():
        raise DataError(f"{path}: no such file; put the course's there, or make one with `python -m data build`")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "GLOBAL" in str(error):  # the pickle names a function or class that is not allowed
            reason = "it asks for more than tensors, and was refused without executing anything"
        else:
            reason = "it is truncated or not written by torch.save"
        raise DataError(f"{path}: can't be read: {reason}") from error
    except OSError as error:
        raise DataError(f"{path}: can't be read ({error.strerror or error})") from error
    except Exception as error:  # the readers of torch's three file formats raise all sorts on a damaged file
        raise DataError(
            f"{path}: can't be read: it is truncated or not written by torch.save ({_first_line(error)})"
        ) from error


def _check(name: str, tensor: Tensor) -> None:
    if tensor.layout is not torch.strided or tensor.device.type != "cpu":
        raise DataError(f"{name} must be dense and hold its values, not {tensor.layout} on {tensor.device}")
    if tensor.dtype != torch.uint8 and not tensor.is_floating_point():
        raise DataError(f"{name} must be uint8 (or floating point, 0–255), not {tensor.dtype}")
    if tensor.dim() != 4 or tensor.shape[1] != 3:
        raise DataError(f"{name} must be N×3×H×W, not {_describe(tensor)}")
    if tensor.numel() == 0:
        raise DataError(f"{name} is empty: {_describe(tensor)}")
    if tensor.dtype == torch.uint8:
        return
    low, high = tensor.aminmax()
    if not (low >= 0 and high <= 255):  # also true for NaN
        raise DataError(f"{name} must hold values in 0–255, not from {low:g} to {high:g}")
    if high <= 1:
        raise DataError(f"{name} must hold values in 0–255, but its largest is {high:g}: multiply it by 255")


def _describe(thing) -> str:
    if isinstance(thing, Tensor):
        return f"{str(thing.dtype).removeprefix('torch.')} {'×'.join(map(str, thing.shape)) or 'scalar'}"
    if isinstance(thing, tuple | list):
        kinds = ", ".join(type(item).__name__ for item in thing[:3])
        return f"a {type(thing).__name__} of {len(thing)} ({kinds}{', …' if len(thing) > 3 else ''})"
    return f"a {type(thing).__name__}"


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160]
