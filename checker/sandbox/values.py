"""Python values as JSON trees that point at arrays: what requests and answers are made of.

None, bool, int, float, str, tensor, list, tuple, dict with str keys. A value that lives in the submission's process
travels as a reference. Anything else travels as the name of its type.
"""

import math
from dataclasses import dataclass

try:
    from . import wire
except ImportError:  # the child loads this file without its package
    import wire

MAX_ITEMS = 10_000
MAX_TEXT = 4_000
MAX_DEPTH = 20


@dataclass(frozen=True)
class Ref:
    """An object kept in the submission's process, by number; `process` says in which one."""

    number: int
    process: int = 0


@dataclass(frozen=True)
class Opaque:
    """An object that was returned but can't travel: only the name of its type did."""

    type: str


@dataclass(frozen=True)
class Unsendable(Exception):
    """A value that can't travel, with the reason as a sentence."""

    reason: str


class Packer:
    """Turns values into a tree, and gathers their tensors' bytes up to a cap."""

    def __init__(self, cap: int):
        self.arrays, self.left, self.items = [], cap, 0

    def pack(self, value, depth: int = 0):
        import torch

        self.items += 1
        if self.items > MAX_ITEMS or depth > MAX_DEPTH:
            raise Unsendable(f"more than {MAX_ITEMS} values, or nested deeper than {MAX_DEPTH}")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Ref):
            return {"ref": value.number}
        if isinstance(value, int) and abs(value) < 1 << 53:
            return int(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"float": str(float(value))}
        if isinstance(value, str):
            return str(value)[:MAX_TEXT]
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if isinstance(value, list | tuple):
            kind = "list" if isinstance(value, list) else "tuple"
            return {kind: [self.pack(item, depth + 1) for item in value]}
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {"dict": {key[:MAX_TEXT]: self.pack(item, depth + 1) for key, item in value.items()}}
        return {"opaque": type(value).__name__[:100]}

    def _tensor(self, tensor):
        size = tensor.numel() * tensor.element_size()
        if size > self.left:
            raise Unsendable(f"a tensor of shape {tuple(tensor.shape)} ({size / 1e6:.0f} MB): far more than expected")
        self.left -= size
        try:
            self.arrays.append(wire.from_tensor(tensor))
        except TypeError as error:
            raise Unsendable(str(error)) from None
        return {
            "tensor": len(self.arrays) - 1,
            "type": type(tensor).__name__[:100],
            "requires_grad": bool(tensor.requires_grad),
        }


def unpack(tree, arrays: list, ref, on_tensor=None, depth: int = 0):
    """The value of a tree. `ref(number)` resolves a reference; `on_tensor(tensor, entry)` sees every tensor.

    Raises WireError for a tree that pack() does not make.
    """
    if depth > MAX_DEPTH:
        raise wire.WireError("values nested too deep")
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    if not isinstance(tree, dict) or not tree:
        raise wire.WireError(f"not a value: {tree!r:.60}")
    kind, content = next(iter(tree.items()))
    if kind in ("list", "tuple") and isinstance(content, list):
        items = [unpack(item, arrays, ref, on_tensor, depth + 1) for item in content]
        return items if kind == "list" else tuple(items)
    if kind == "dict" and isinstance(content, dict):
        return {str(k): unpack(v, arrays, ref, on_tensor, depth + 1) for k, v in content.items()}
    if kind == "tensor" and type(content) is int and 0 <= content < len(arrays):
        tensor = wire.to_tensor(arrays[content])
        if on_tensor:
            on_tensor(tensor, tree)
        return tensor
    if kind == "ref" and type(content) is int:
        return ref(content)
    if kind == "float" and content in ("nan", "inf", "-inf"):
        return float(content)
    if kind == "opaque" and isinstance(content, str):
        return Opaque(content[:100])
    raise wire.WireError(f"not a value: {tree!r:.60}")
