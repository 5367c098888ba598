"""The submission as the checks see it: objects that live in its process and are used as if they were here.

    session = Session(snapshot, "Proj_2", limits)
    conv = session.new("Conv2d", 3, 8, 3, stride=2)
    session.set(conv, "weight", weight)
    y = conv.forward(x)                     # a plain tensor, here
    params = session.keep(conv, "param")    # stays there

A process that dies is started again for the next request, so that one bad answer does not cost the other checks. A
submission that hangs in many places ends all the same: each time that a method is out of time halves what that method
is given later, and all requests together, except training, have a budget.
"""

from collections import Counter
from pathlib import Path

from . import forkserver
from .child import Child, OutOfTime, Stopped
from .values import Ref

LEAST_SECONDS = 1.0  # for a request, however often its like was out of time


class Remote:
    """An object in the submission's process; its methods are called there."""

    def __init__(self, session: "Session", ref: Ref):
        self._session, self._ref = session, ref

    def __getattr__(self, method: str):
        if method.startswith("__"):
            raise AttributeError(method)
        return lambda *args, **kwargs: self._session.call(self, method, *args, **kwargs)


class Session:
    """One submission, in one process at a time."""

    def __init__(self, snapshot: Path, package: str, limits: dict):
        """Prepare; returns at once. `limits` is the table of that name in config.toml.

        The first process is started by the first request.
        """
        self.snapshot, self.package, self.limits = snapshot, package, limits
        self.inside = False  # whether the package's own folder had to be put on the path
        self.starts, self.renewals, self.kept = 0, 0, 0
        self.printed = b""  # by processes that are gone
        self.loaded: list[str] | None = None
        self.tensors_with_grad = 0  # answers that asked for, or came from, autograd
        self.foreign_types: set[str] = set()  # subclasses of Tensor among the answers
        self.child: Child | None = None
        forkserver.server()  # let it import torch meanwhile
        self.late: Counter = Counter()  # how often each method was out of time
        self.spent = 0.0  # seconds, of all requests but training
        self.notes: set[str] = set()  # what the recorders of all its processes noticed

    # The process ------------------------------------------------------------------------------------

    def load(self, inside: bool = False) -> list[str]:
        """Import the submission's model.py; returns the names that it defines."""
        self.inside = inside
        fields = {"package": self.package, "inside": inside}
        self.loaded = self._ask("load", fields, seconds=self.limits["load_seconds"])
        return self.loaded

    def _living(self) -> Child:
        """The process; a new one, with the submission loaded again, if the last one is gone."""
        if self.child is None or self.child.problem:
            if self.child and (deaths := self.starts - self.renewals) >= self.limits["starts"]:
                raise Stopped(f"{self.child.problem}; it was started {deaths} times and is not again")
            self.printed = self.output
            self.starts += 1
            self.child = Child(self.snapshot, self.limits)
            if self.loaded is not None:
                self.load(self.inside)
        return self.child

    def afresh(self) -> None:
        """Go on in a new process with the files as they were handed in: nothing is left of what the submission has
        done, such as weights that its train() has written over those in bestmodel.pth. All objects are gone.
        """
        if self.child and not self.child.problem:
            self.child.close()
            self.renewals += 1

    @property
    def output(self) -> bytes:
        """The end of what it printed, in all its processes."""
        return (self.printed + (self.child.output if self.child else b""))[-self.limits["output_kb"] * 1024 :]

    def _ask(self, do: str, fields: dict, keep: bool = False, seconds: float | None = None, budget: bool = True):
        what = fields.get("method") or do
        seconds = max((seconds or self.limits["request_seconds"]) / 2 ** self.late[what], LEAST_SECONDS)
        if budget:
            left = self.limits["grading_seconds"] - self.spent
            if left <= 0:
                raise Stopped(f"it has used up the {self.limits['grading_seconds']:g} s that grading it may take")
            seconds = min(seconds, left)
        child = self._living()
        number = None
        if keep:
            self.kept += 1
            number = self.kept
        cap = self.limits["answer_mb"] << 20
        before = child.seconds
        try:
            result = child.ask(do, self._refs(fields), number, seconds, cap, None, self._see)
        except OutOfTime:
            self.late[what] += 1
            raise
        finally:
            self.spent += (child.seconds - before) * budget
            self.notes |= child.notes
        return Remote(self, Ref(number, self.starts)) if keep else result

    def _refs(self, value):
        """`value` with every Remote in it replaced by its reference."""
        if isinstance(value, Remote):
            if value._ref.process != self.starts:
                raise Stopped(f"the object is gone: {self.child.problem or 'its process was started again'}")
            return value._ref
        if isinstance(value, dict):
            return {name: self._refs(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._refs(item) for item in value)
        return value

    def _see(self, _, entry: dict) -> None:
        self.tensors_with_grad += entry.get("requires_grad") is not False
        if entry.get("type") not in ("Tensor", "Parameter"):
            self.foreign_types.add(str(entry.get("type"))[:100])

    def close(self) -> None:
        if self.child:
            self.child.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # What can be asked of it ------------------------------------------------------------------------

    def new(self, name: str, *args, **kwargs) -> Remote:
        """Construct the submission's class `name`."""
        return self._ask("new", {"name": name, "args": list(args), "kwargs": kwargs}, keep=True)

    def driven(self, role: str, *args, **kwargs) -> Remote:
        """A module of the submission under one interface (driving/module.py), by its role and torch's arguments."""
        return self._ask("driven", {"role": role, "args": list(args), "kwargs": kwargs}, keep=True)

    def network(self, *layers: Remote) -> Remote:
        """The submission's Sequential of driven modules."""
        return self._ask("network", {"layers": list(layers)}, keep=True)

    def loss(self) -> Remote:
        """The submission's MSE, driven."""
        return self._ask("loss", {}, keep=True)

    def optimiser(self, driven: Remote, **options) -> Remote:
        """The submission's SGD for a driven module or network."""
        return self._ask("optimiser", {"driven": driven, "options": options}, keep=True)

    def own_step(self) -> dict:
        """What one step of the Model's own training does: driving/driver.py says how it is told."""
        return self._ask("own_step", {})

    def whole(
        self, noisy, target, seed: int, epochs: int = 1, times: float = 1.0, watched: str = "all", sgd: bool = False
    ) -> dict:
        """Steps of the Model's own training on these pictures, at so many times its learning rate, or with its SGD in
        the place of another optimiser, seen from outside: driving/whole.py.
        """
        options = {"seed": seed, "epochs": epochs, "times": times, "watched": watched, "sgd": sgd}
        fields = {"noisy": noisy, "target": target} | options
        return self._ask("whole", fields, seconds=self.limits["predict_seconds"])

    def facts(self) -> dict:
        """What is known of the submission's conventions by now."""
        return self._ask("facts", {})

    def call(self, target: Remote, method: str, *args, seconds: float | None = None, **kwargs):
        """The value of target.method(*args, **kwargs), within `seconds`. Training with a limit of its own does not
        count towards the budget.
        """
        fields = {"target": target, "method": method, "args": list(args), "kwargs": kwargs}
        return self._ask("call", fields, seconds=seconds, budget=method != "train" or seconds is None)

    def keep(self, target: Remote, method: str, *args, **kwargs) -> Remote:
        """As `call`, but the value stays there."""
        fields = {"target": target, "method": method, "args": list(args), "kwargs": kwargs}
        return self._ask("call", fields, keep=True)

    def get(self, target: Remote, name: str):
        """The value of an attribute."""
        return self._ask("get", {"target": target, "name": name})

    def set(self, target: Remote, name: str, value) -> None:
        """Assign an attribute."""
        self._ask("set", {"target": target, "name": name, "value": value})

    def value(self, target: Remote):
        """What an object is by now, for instance a tensor that was passed to a method."""
        return self._ask("value", {"target": target})

    def put(self, value) -> Remote:
        """A value over there."""
        return self._ask("put", {"value": value}, keep=True)

    def strided(self, value) -> Remote:
        """A tensor over there whose last two dimensions are exchanged in memory: equal, but not contiguous."""
        return self._ask("strided", {"value": value}, keep=True)

    def seed(self, seed: int) -> None:
        """Seed torch's and Python's generators over there."""
        self._ask("seed", {"seed": seed})

    def chdir(self, path: str) -> None:
        """Change the working directory over there; "" is the submission's own again."""
        self._ask("chdir", {"path": path})

    def poison(self, on: bool) -> None:
        """Have fresh memory over there filled with NaN, or not."""
        self._ask("poison", {"on": on})

    def observe(self, on: bool) -> None:
        """Have every operator noted that the requests after this one carry out, or not; it costs time."""
        self._ask("observe", {"on": on})

    def forget(self) -> None:
        """Drop all kept objects."""
        self._ask("forget", {})
