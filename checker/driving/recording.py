"""A computation written down, operator for operator, so that it can be carried out again in float64 with other values
in its place: of any network whatever, without knowing what its layers are.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

MOST, BYTES = 6_000, 1 << 30  # operators, and memory that they use; what needs more is not written down
FLOATS = torch.float16, torch.bfloat16, torch.float32, torch.float64
ESCAPES = "aten::_local_scalar_dense", "aten::item", "aten::is_nonzero"  # give numbers, of which nothing more is seen


class Unrecorded(Exception):
    """More was computed than can be written down, or something that can't be carried out again."""


@dataclass(frozen=True)
class View:
    """A tensor as a part of a numbered piece of memory."""

    memory: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int

    def of(self, memories: dict[int, Tensor]) -> Tensor:
        return memories[self.memory].as_strided(self.size, self.stride, self.offset)


@dataclass
class Operator:
    """One call. `given`: the values that it gave, where it draws at random."""

    function: object
    args: tuple
    kwargs: dict
    results: list[View]
    given: list[Tensor] | None

    def written(self) -> list[View]:
        """The arguments that it writes to."""
        changed = (a.name for a in self.function._schema.arguments if a.alias_info and a.alias_info.is_write)
        names = [a.name for a in self.function._schema.arguments]
        values = dict(zip(names, self.args, strict=False)) | self.kwargs
        return [view for name in changed for view in views(values.get(name))]


@dataclass
class Record:
    """`memories`: what each piece of memory held when it was first used; those that operators made are not among
    them.
    """

    operators: list[Operator] = field(default_factory=list)
    memories: dict[int, Tensor] = field(default_factory=dict)

    def again(self, changes: dict[View, Tensor], wanted: dict[int, View]) -> list[Tensor]:
        """Carry out the operators with `changes` added to what was there, up to the last of those that are wanted, by
        their number; gives those results.
        """
        memories = {number: as_double(value.clone()) for number, value in self.memories.items()}
        for view, change in changes.items():
            view.of(memories).add_(change)
        found = []
        for number, operator in enumerate(self.operators[: max(wanted) + 1]):
            carry_out(operator, memories)
            if number in wanted:
                found.append(wanted[number].of(memories).clone())
        return found


def carry_out(operator: Operator, memories: dict[int, Tensor]) -> None:
    if operator.given is not None:
        for view, value in zip(operator.results, operator.given, strict=True):
            if view.memory not in memories:
                memories[view.memory] = as_double(value.as_strided((extent(view),), (1,)).clone())
            view.of(memories).copy_(value)
        return
    args, kwargs = (filled(one, memories) for one in (operator.args, operator.kwargs))
    result = operator.function(*args, **kwargs)
    for view, value in zip(operator.results, tensors(result), strict=True):
        if view.memory not in memories:
            if tuple(value.shape) != view.size:
                raise Unrecorded("an operator gave another size")
            value = as_double(value)
            memories[view.memory] = value.new_zeros(extent(view))
            view.of(memories).copy_(value)


def extent(view: View) -> int:
    """How many values of its memory a view reaches."""
    if 0 in view.size:
        return 0
    return 1 + view.offset + sum((n - 1) * step for n, step in zip(view.size, view.stride, strict=True))


def as_double(value: Tensor) -> Tensor:
    return value.double() if value.is_floating_point() else value


def filled(value, memories: dict[int, Tensor]):
    """An argument as it is to be used now."""
    if isinstance(value, View):
        return value.of(memories)
    if isinstance(value, list | tuple):
        return type(value)(filled(item, memories) for item in value)
    if isinstance(value, dict):
        return {name: filled(item, memories) for name, item in value.items()}
    return torch.float64 if value in FLOATS and isinstance(value, torch.dtype) else value


def tensors(value) -> list[Tensor]:
    if isinstance(value, list | tuple):
        return [found for item in value for found in tensors(item)]
    return [value] if isinstance(value, Tensor) else []


def views(value) -> list[View]:
    if isinstance(value, list | tuple | dict):
        return [found for item in (value.values() if isinstance(value, dict) else value) for found in views(item)]
    return [value] if isinstance(value, View) else []


class Recording(TorchDispatchMode):
    """Writes down what is computed while it is entered. All memory stays, so that no two pieces have one address."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # as in seeing.py

    def __init__(self):
        super().__init__()
        self.record, self.numbers, self.kept, self.bytes = Record(), {}, [], 0
        self.full = False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        self.full |= len(self.record.operators) >= MOST or self.bytes > BYTES
        if self.full:
            return func(*args, **kwargs)
        there = self.seen(args), self.seen(kwargs)
        result = func(*args, **kwargs)
        random = torch.Tag.nondeterministic_seeded in func.tags
        given = [one.detach().clone() for one in tensors(result)] if random else None
        results = [self.view(one, made=True) for one in tensors(result)]
        self.record.operators.append(Operator(func, *there, results, given))
        return result

    def complete(self) -> Record:
        if self.full:
            raise Unrecorded("too much was computed to be written down")
        return self.record

    def seen(self, value):
        """An argument with views in the place of tensors."""
        if isinstance(value, Tensor):
            return self.view(value)
        if isinstance(value, list | tuple):
            return type(value)(self.seen(item) for item in value)
        if isinstance(value, dict):
            return {name: self.seen(item) for name, item in value.items()}
        return value

    def view(self, tensor: Tensor, made: bool = False) -> View:
        memory = tensor.untyped_storage()
        key = memory.data_ptr() or -id(tensor)
        if key not in self.numbers:
            self.numbers[key] = len(self.numbers)
            self.kept.append(tensor)
            self.bytes += memory.nbytes()
            if not made:
                whole = tensor.detach().as_strided((memory.nbytes() // tensor.element_size(),), (1,), 0)
                self.record.memories[self.numbers[key]] = whole.clone()
        return View(self.numbers[key], tuple(tensor.shape), tensor.stride(), tensor.storage_offset())
