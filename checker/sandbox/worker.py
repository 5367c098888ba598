"""Child side: keeps the submission's objects and does with them what the grader asks, one request at a time.

It holds no reference value and no clean picture, judges nothing, and answers with data alone. Started as
`python -I worker.py CONTROL`, a socket on which each order to start comes with its descriptors; from then on the two
pipes are the process's only ones besides /dev/null and the captured output.
"""

import contextlib
import json
import os
import random
import signal
import socket
import sys
import traceback
import types
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
DRIVING = str(HERE.parent / "driving")
FOUND_IN = [str(HERE), str(HERE.parent)]
sys.path[:0] = FOUND_IN
import jail  # noqa: E402
import loading  # noqa: E402
import recorder  # noqa: E402
import values  # noqa: E402
import wire  # noqa: E402
from driving import own_step, whole  # noqa: E402
from driving.building import Unsupported  # noqa: E402
from driving.driver import Driver, Undriven  # noqa: E402

sys.path[:] = [path for path in sys.path if path not in FOUND_IN]

DESCRIPTORS = "requests", "answers", "printed", "status"
REQUEST_CAP = 4 << 30  # bytes; requests come from the grader


class Worker:
    """The objects of the submission by number, and one method for each kind of request."""

    def __init__(self, folder: str):
        self.folder = folder
        self.module: types.ModuleType | None = None
        self.objects: dict[int, object] = {}
        self.observing = contextlib.nullcontext
        self.driver: Driver | None = None

    def load(self, package: str, inside: bool):
        """Import PACKAGE.model; `inside` also puts the package's own folder on the path. Returns public names."""
        import importlib

        paths = [self.folder, *([str(Path(self.folder, package))] if inside else [])]
        sys.path[:0] = paths
        try:
            self.module = importlib.import_module(f"{package}.model")
        except BaseException:
            for path in paths:
                sys.path.remove(path)
            raise
        self.driver = Driver(self.module, self.folder)
        return sorted(name for name in vars(self.module) if not name.startswith("_"))

    # Used as torch's, in whatever manner the submission wants (driving) ------------------------------

    def driven(self, role: str, args: list, kwargs: dict):
        return self.driver.module(role, args, kwargs)

    def network(self, layers: list):
        return self.driver.network(layers)

    def loss(self):
        return self.driver.loss()

    def optimiser(self, driven, options: dict):
        return self.driver.optimiser(driven, **options)

    def own_step(self):
        return own_step.own_step(self.driver)

    def whole(self, noisy, target, **options):
        return whole.step(self.driver, noisy, target, **options)

    def facts(self):
        return self.driver.facts()

    # As it is ---------------------------------------------------------------------------------------

    def new(self, name: str, args: list, kwargs: dict):
        return getattr(self.module, name)(*args, **kwargs)

    def call(self, target, method: str, args: list, kwargs: dict):
        if method == "predict":
            self.driver.begin()  # no backward follows
        return getattr(target, method)(*args, **kwargs) if method else target(*args, **kwargs)

    def get(self, target, name: str):
        return getattr(target, name)

    def set(self, target, name: str, value):
        setattr(target, name, value)

    def value(self, target):
        return target

    def put(self, value):
        return value

    def strided(self, value):
        """The same tensor, as a non-contiguous view: last dimensions exchanged in memory."""
        return value.transpose(-1, -2).contiguous().transpose(-1, -2)

    def forget(self):
        self.objects.clear()

    def chdir(self, path: str):
        """Change the working directory; "" is the working copy."""
        os.chdir(path or self.folder)

    def seed(self, seed: int):
        torch.manual_seed(seed)
        random.seed(seed)

    def poison(self, on: bool):
        """Fill fresh tensors (torch.empty and its kin) with NaN, to show who relies on their content."""
        # not torch.use_deterministic_algorithms, which spends two seconds on importing torch's compiler
        torch._C._set_deterministic_algorithms(on, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = on

    def observe(self, on: bool):
        """Have every operator noted in the requests that follow, or not; it costs time."""
        self.observing = recorder.observing if on else contextlib.nullcontext

    # ---------------------------------------------------------------------------------------------

    def answer(self, request: dict, arrays: list):
        """Do one request; returns the answer's message and arrays."""
        message, arrays = self.do(request, arrays)
        return message | {"notes": recorder.take()}, arrays

    def do(self, request: dict, arrays: list):
        packer = values.Packer(request["cap"])
        try:
            fields = values.unpack(request["fields"], arrays, self.objects.__getitem__)
            with self.observing():
                result = getattr(self, request["do"])(**fields)
            if request["keep"] is not None:
                self.objects[request["keep"]] = result
                result = None
            return {"id": request["id"], "value": packer.pack(result)}, packer.arrays
        except values.Unsendable as error:
            return {"id": request["id"], "unsendable": error.reason}, []
        except BaseException as error:
            return {"id": request["id"], "raised": self.describe(error)}, []

    def describe(self, error: BaseException) -> dict:
        """An exception as text: its type, its message, and where in the submission it came from."""
        frames = traceback.extract_tb(error.__traceback__)
        inside = [f for f in frames if f.filename.startswith(self.folder)]
        if isinstance(error, SyntaxError) and (error.filename or "").startswith(self.folder):
            where = f"{os.path.relpath(error.filename, self.folder)}:{error.lineno}"
        elif inside:
            last = inside[-1]
            where = f"{os.path.relpath(last.filename, self.folder)}:{last.lineno}, in {last.name}"
        else:
            where = ""
        try:
            text = str(error)
        except BaseException:
            text = "(its message can't be read)"
        # An exception that arose in the driver itself is the grader's; wrong arguments show there too, and are not.
        last = traceback.extract_tb(error.__traceback__)[-1:]
        in_driver, unable = bool(last) and last[0].filename.startswith(DRIVING), (Undriven, Unsupported)
        ours = in_driver and not isinstance(error, (TypeError, AttributeError, LookupError, *unable))
        lines = "".join(traceback.format_list(inside[-5:]))
        return {
            "type": type(error).__name__[:100],
            "text": text[:1000],
            "where": where[:300],
            "trace": lines[-3000:],
            "ours": ours,
            "undriven": in_driver and isinstance(error, unable),  # and no class of the submission's of such a name
        }


def serve(folder: str, limits: dict, requests: int, answers: int, printed: int, status: int) -> None:
    """Lock in, load nothing, and answer until the requests end."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.write(status, f"{os.getpid()}\n".encode())
    for descriptor in (1, 2):
        os.dup2(printed, descriptor)
    os.close(printed)
    os.environ |= {"HOME": folder, "TMPDIR": folder}
    report = jail.enter(folder, limits, status)
    os.close(status)
    sys.stdout.reconfigure(line_buffering=True)
    random.seed()
    torch.set_grad_enabled(False)
    torch.set_num_threads(limits["threads"])
    recorder.watch_programs()
    wire.send(answers, {"ready": report})
    worker = Worker(folder)
    while True:
        try:
            request, arrays = wire.receive(requests, REQUEST_CAP)
        except wire.Closed:
            os._exit(0)
        wire.send(answers, *worker.answer(request, arrays))


def main() -> None:
    """Fork a process for each order; in it, serve."""
    control = socket.socket(fileno=int(sys.argv[1]))
    sys.argv[1:] = []
    recorder.install()
    loading.install()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended: the keepers tell the grader
    jail.adopt_orphans()
    while True:
        order, descriptors, *_ = socket.recv_fds(control, 1 << 16, 4)
        if not order:
            os._exit(0)
        if os.fork() == 0:
            control.close()
            serve(**json.loads(order), **dict(zip(DESCRIPTORS, descriptors, strict=True)))
        for descriptor in descriptors:
            os.close(descriptor)


if __name__ == "__main__":
    main()
