"""Child side: notice what the rules forbid and what only shows when the submission runs.

Installed before anything of the submission is loaded. Autograd's engine, `Tensor.backward`, `torch.func`, modules of
torch.nn, torch's optimisers, convolutions and compilers are replaced by functions that make a note and go on;
`observing` also notes every torch function and every operator called in its block, the latter whatever the name they
were called by. A hook of Python's own, which nothing takes out again, notes programs and forks that are started, and
C that is called by ctypes. What was noted travels to the grader with each answer.

This finds what a student does, not what an adversary hides: whoever shares this process can take a recorder out
again, and operators in other threads are not seen.
"""

import _posixsubprocess
import contextlib
import functools
import sys
import types
from collections import Counter

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

MOST = 300  # notes of one kind, after which no new ones are made: many of one can't hide another
PROGRAMS = {
    *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn"),
    *("ctypes.dlopen", "ctypes.dlsym", "ctypes.call_function", "ctypes.cdata"),
}
HARMLESS = ("uname", ["uname", "-p"])  # Python's own module platform asks it
CONVOLUTIONS = "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"
LAYERS = (*CONVOLUTIONS, "interpolate", "upsample", "mse_loss", "max_pool2d", "avg_pool2d", "batch_norm")

new: set[str] = set()  # not yet told to the grader
known: set[str] = set()
kinds: Counter = Counter()


def note(what: str) -> None:
    kind = what.partition(":")[0]
    if what not in known and kinds[kind] < MOST:
        kinds[kind] += 1
        known.add(what)
        new.add(what)


def take() -> list[str]:
    """The new notes; afterwards they are none."""
    notes = sorted(new)
    new.clear()
    return notes


def install() -> None:
    for module in (torch.autograd, torch.autograd.graph):
        record(module, "_engine_run_backward", "autograd: its engine ran a backward pass", differentiates)
    record(torch.Tensor, "backward", "autograd: Tensor.backward", differentiates)
    record(torch.autograd.forward_ad, "enter_dual_level", "autograd: forward mode")
    for name in torch.func.__all__:
        record(torch.func, name, f"autograd: torch.func.{name}")
    for owner, home, names in (
        (torch, "torch", (*CONVOLUTIONS, "convolution", "_convolution")),
        (torch.nn.functional, "torch.nn.functional", LAYERS),
        (torch.jit, "torch.jit", ("script", "trace", "load")),
        (torch, "torch", ("compile",)),
    ):
        for name in names:
            record(owner, name, f"function: {home}.{name}")
    record_nodes()
    record_operators()
    record_made(torch.nn.Module, "torch.nn")
    record_made(torch.optim.Optimizer, "torch.optim")


def differentiates(tensors, *_, **__) -> bool:
    """Whether there is anything to differentiate. Where there is not, torch refuses; and a submission whose own
    classes have a backward may only have been handed a plain tensor in place of one of them.
    """
    tensors = tensors if isinstance(tensors, list | tuple) else (tensors,)
    return any(getattr(tensor, "requires_grad", True) for tensor in tensors)


def record(owner, name: str, what: str, counts=lambda *args, **kwargs: True) -> None:
    """Have every call of a function noted for which `counts`, called with the same arguments, is true."""
    function = getattr(owner, name)

    @functools.wraps(function)
    def recorded(*args, **kwargs):
        if counts(*args, **kwargs):
            note(what)
        return function(*args, **kwargs)

    setattr(owner, name, recorded)


def record_nodes() -> None:
    """Note who takes a node of autograd's graph into its hands: called one by one, nodes need no engine."""
    there = torch.Tensor.grad_fn

    def grad_fn(tensor):
        node = there.__get__(tensor)
        if node is not None:
            note("autograd: grad_fn of a tensor")
        return node

    torch.Tensor.grad_fn = property(grad_fn)


def record_operators() -> None:
    """Note operators that are called as torch.ops.aten.convolution(…)."""
    for kind in (torch._ops.OpOverloadPacket, torch._ops.OpOverload):

        def recorded(self, /, *args, called=kind.__call__, **kwargs):
            note(f"operator: {str(self).replace('.', '::', 1).partition('.')[0]}")
            return called(self, *args, **kwargs)

        kind.__call__ = recorded


def watch_programs() -> None:
    """Note from now on what is started besides this process."""
    record(_posixsubprocess, "fork_exec", "program: _posixsubprocess.fork_exec")  # the one way without an event

    def hook(event: str, arguments: tuple) -> None:
        if event in PROGRAMS and arguments[:2] != HARMLESS:
            what = str(arguments[0])[:60] if arguments and isinstance(arguments[0], str | bytes) else ""
            note(f"program: {event} {what}".rstrip())

    sys.addaudithook(hook)


def record_made(base: type, family: str) -> None:
    """Note the class of every object of `base` or a class derived from it, when it is built."""
    built = base.__init__

    @functools.wraps(built)
    def recorded(self, *args, **kwargs):
        kind = type(self)
        torchs = kind.__module__.startswith("torch.")
        note(f"{family}: {kind.__name__}" if torchs else f"{family}: {kind.__name__}, a {base.__name__} of torch's")
        built(self, *args, **kwargs)

    base.__init__ = recorded


class Functions(TorchFunctionMode):
    """Notes functions of torch and of torch.nn.functional; a tensor's methods are nobody's business."""

    def __torch_function__(self, func, types_, args=(), kwargs=None):
        if isinstance(func, types.BuiltinFunctionType | types.FunctionType):
            home = getattr(func, "__module__", None) or "torch"
            home = "torch.nn.functional" if home == "torch._C._nn" else home
            if home in ("torch", "torch.functional", "torch.nn.functional"):
                note(f"function: {home}.{func.__name__}")
        return func(*args, **(kwargs or {}))


class Operators(TorchDispatchMode):
    """Notes the operators that are carried out, such as aten::convolution."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else torch imports its compiler for this, which takes seconds

    def __torch_dispatch__(self, func, types_, args=(), kwargs=None):
        note(f"operator: {func.name().partition('.')[0]}")
        return func(*args, **(kwargs or {}))


@contextlib.contextmanager
def observing():
    with Functions(), Operators():
        yield
