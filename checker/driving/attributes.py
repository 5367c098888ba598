"""Which attributes of a module are meant for the gradient of its output: those that its backward reads first."""

import dis
import re

from torch import Tensor

from .methods import method, of_class
from .watching import code_of

GRADIENT = re.compile(
    r".*grad.*|_?d_?(l_?d?_?)?(y|z|a|s|out\w*|next|x)|.*(delta|upstream|err(or)?|cotangent)\w*|g|dl\w*"
)
OF_OUTPUT = re.compile(r".*(out|next|top|upstream|delta|err|(_|d)y$|(_|d)z$|sortie)")
OF_PARAMETER = re.compile(r".*(weight|bias|kernel|param|poids|biais|_w$|_b$|dw$|db$)")


def awaited(holder, output: Tensor) -> list[str]:
    """The names of attributes that the backward of a module reads before it sets them, and that may be meant for a
    gradient of its output: by their names, and since there is none yet, or one of the same shape.
    """
    read = read_first(holder, code_of(method(holder, "backward")), [], set())
    named = [name for name in dict.fromkeys(read) if GRADIENT.fullmatch(name.lower())]
    free = [n for n in named if is_free(getattr(holder, n, None), output) and not OF_PARAMETER.match(n.lower())]
    return [name for name in free if OF_OUTPUT.match(name.lower())] or free


def read_first(holder, code, read: list[str], written: set[str]) -> list[str]:
    """The attributes that some code reads before it sets them, that of the holder's own methods it calls included."""
    own = of_class(type(holder))
    for instruction in dis.get_instructions(code):
        name = instruction.argval
        if instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and name not in written:
            inner = code_of(getattr(holder, name)) if name in own else None
            if inner and inner is not code and inner not in written:
                written.add(inner)
                read_first(holder, inner, read, written)
            read.append(name)
        elif instruction.opname == "STORE_ATTR":
            written.add(name)
    return read


def is_free(value, output: Tensor) -> bool:
    return value is None or (isinstance(value, Tensor) and value.shape in (output.shape, ()))
