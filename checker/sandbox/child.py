"""Parent side of the untrusted process: start it, ask it, keep the clock, end it and everything it started."""

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from . import clock, forkserver, values, wire

START_SECONDS = 60  # importing torch from a cold disk
END_SECONDS = 2  # for a process that closed its pipe to finish ending, or for a killed one to be gone
BUSY = 2  # times as long on the wall as a limit: who waits so long for a processor may not be at fault
MOST_NOTES = 3000
KILL_SECONDS = 30  # to have ended processes gone: freeing gigabytes takes its time on a busy machine
WATCH_SECONDS = 0.25  # between two looks at how much memory its processes use


class SubmissionProblem(Exception):
    """Something the submission did that is no complete, usable answer. Never a fault of the grader."""


class Raised(SubmissionProblem):
    """An exception inside the submission; the process lives on."""

    def __init__(self, described: dict):
        self.undriven = described.get("undriven") is True  # the grader found no way to ask for it
        described = {key: str(described.get(key, "")) for key in ("type", "text", "where", "trace")}
        self.type, self.text, self.where, self.trace = described.values()
        text = f"{self.type}: {self.text}" if self.text else self.type
        super().__init__(f"raised {text}" + (f" ({self.where})" if self.where else ""))

    @property
    def cause(self) -> tuple | None:
        """What tells it from other exceptions: its type, and the line of the submission; None if no line is known."""
        return (self.type, self.where) if self.where else None


class Unusable(SubmissionProblem):
    """An answer that can't be sent or makes no sense, such as a tensor far too large."""


class Stopped(SubmissionProblem):
    """The process is gone: it ended, crashed, was out of time, or sent bytes that are no answer."""


class OutOfTime(Stopped):
    """The process was stopped because its answer did not come in time."""


class TooMuchMemory(wire.WireError):
    """The processes of a submission together use more than they may."""


class GraderProblem(Exception):
    """The grader's own process could not be started or driven: no verdict on the submission."""


class Child:
    """One process with one working copy of a submission. Use as a context manager, or `close` it."""

    def __init__(self, snapshot: Path, limits: dict):
        """Start the process; returns at once, and the first request waits for it.

        `snapshot` is copied into a private temporary folder that is gone with the process.
        """
        self.limits, self.enforced, self.sent = limits, None, 0
        self.problem: str | None = None
        self.output = b""  # the end of what it printed
        self.notes: set[str] = set()  # what its recorders noticed
        self.seconds = 0.0  # that it took for all its answers
        self.ended = b""  # what its keeper said: its process number, later its exit status
        self.pid = self.innermost = 0
        self.looked = time.monotonic()
        self.home = tempfile.TemporaryDirectory(prefix="submission-", ignore_cleanup_errors=True)
        folder = os.path.realpath(Path(self.home.name) / "copy")
        shutil.copytree(snapshot, folder, symlinks=True)
        (Path(folder).parent / "root").mkdir()  # where its own file system is assembled
        for path in (self.home.name, Path(folder).parent / "root"):
            os.chmod(path, 0o755)  # the copy may belong to another user soon
        self._start(folder)

    def _start(self, folder: str) -> None:
        requests, self.requests = os.pipe()
        self.answers, answers = os.pipe()
        self.printed, printed = os.pipe()
        self.status, status = os.pipe()
        theirs = requests, answers, printed, status
        try:
            self.server = forkserver.server()
            self.server.fork(folder, self.limits, theirs)
        except forkserver.NoServer as error:
            raise GraderProblem(str(error)) from error
        finally:
            for end in theirs:
                os.close(end)
        for end in (self.requests, self.answers, self.printed, self.status):
            os.set_blocking(end, False)

    def ready(self) -> dict[str, str]:
        """Wait until the process is locked in and has torch; returns measure → "enforced" or why not."""
        if self.enforced is None:
            patience = clock.stopwatch(self.server.process.pid, self.limits["patience"])
            left = wire.within(START_SECONDS, patience)
            try:
                self._await_keeper(left)
                message, _ = wire.receive(self.answers, 0, left, {self.printed: self._drain})
                self.enforced = {str(name): str(state) for name, state in message["ready"].items()}
                self.innermost = (descendants(self.pid) or [self.pid])[-1]
            except (wire.WireError, OSError) as error:
                self.close()
                said = self.output.decode(errors="replace").strip() or self.server.complaint()
                raise GraderProblem(f"the submission's process did not start: {error}\n{said}") from error
        return self.enforced

    def ask(self, do: str, fields: dict, keep: int | None, seconds: float, cap: int, resolve=None, on_tensor=None):
        """One request and its answer, unpacked; `keep` leaves the result there under that number.

        Raises Raised, Unusable or Stopped (all SubmissionProblem); after Stopped the process is gone.
        """
        if self.problem:
            raise Stopped(self.problem)
        self.ready()
        self.sent += 1
        packer = values.Packer(cap=1 << 40)
        tree = packer.pack(fields)
        request = {"id": self.sent, "do": do, "fields": tree, "keep": keep, "cap": cap}
        began, passed = time.monotonic(), clock.stopwatch(self.innermost, self.limits["patience"])
        left = self._watched(wire.within(seconds, passed))
        try:
            wire.send(self.requests, request, packer.arrays, left)
            message, arrays = wire.receive(self.answers, cap, left, {self.printed: self._drain})
            if message.get("id") != self.sent:
                raise wire.WireError("an answer to another request")
            self._note(message.get("notes"))
            if isinstance(raised := message.get("raised"), dict):
                if raised.get("ours") is True:
                    raise GraderProblem(f"driving the submission went wrong: {Raised(raised)}")
                raise Raised(raised)
            if "unsendable" in message:
                raise Unusable(f"returned {message['unsendable']!s:.300}")
            return values.unpack(message.get("value"), arrays, resolve, on_tensor)
        except wire.Late:
            wall = time.monotonic() - began
            busy = f" ({wall:.0f} s on the wall: this machine is busy, so grade it again when it is not)"
            self._stop(f"took more than {seconds:g} s and was stopped{busy if wall > BUSY * seconds else ''}")
            raise OutOfTime(self.problem) from None
        except TooMuchMemory as error:
            self._stop(str(error))
        except wire.Closed:
            self._stop(None)
        except wire.WireError as error:
            self._stop(f"sent bytes that are no answer: {error}")
        finally:
            self.seconds += passed()
        raise Stopped(self.problem)

    def _note(self, notes) -> None:
        for note in notes[:MOST_NOTES] if isinstance(notes, list) else ():
            if isinstance(note, str) and len(self.notes) < MOST_NOTES:
                self.notes.add(note[:200])

    def _watched(self, left) -> Callable[[], float]:
        """A deadline that from time to time also sees how much memory is in use."""

        def watching() -> float:
            now = time.monotonic()
            if now > self.looked + WATCH_SECONDS:
                self.looked = now
                most = self.limits["all_memory_mb"]
                if memory_of([self.pid, *descendants(self.pid)], most << 20) > most << 20:
                    raise TooMuchMemory(f"used more than {most} MB of memory and was stopped")
            return left()

        return watching

    def _stop(self, problem: str | None) -> None:
        if problem is None:
            problem = f"its process {self._ending()}"
        self.close()
        self.problem = problem

    def _ending(self) -> str:
        """How the process ended, as its keeper says, which waits for it."""
        left = wire.within(END_SECONDS, clock.stopwatch(self.pid, self.limits["patience"]))
        with contextlib.suppress(wire.WireError):
            while self.ended.count(b"\n") < 2:
                wire.wait(self.status, left)
                self._listen()
        if self.ended.count(b"\n") < 2:
            return "closed the pipe of its answers"
        code = int(self.ended.split()[1])
        if code - 128 in iter(signal.Signals):
            return f"was ended by {signal.Signals(code - 128).name}"
        return f"ended itself with exit status {code}"

    def _await_keeper(self, left) -> None:
        """Wait until the keeper has told its process number."""
        while b"\n" not in self.ended:
            wire.wait(self.status, left)
            self._listen()
        self.pid = int(self.ended.split()[0])

    def _listen(self) -> None:
        """Take what the keeper says; Closed if it is gone."""
        said = os.read(self.status, 100)
        if not said:
            raise wire.Closed("its keeper is gone")
        self.ended += said

    def _drain(self) -> bool:
        """Take what was printed, keep its end; False once nothing can come any more."""
        try:
            chunk = os.read(self.printed, 1 << 16)
        except BlockingIOError:
            return True
        self.output = (self.output + chunk)[-self.limits["output_kb"] * 1024 :]
        return bool(chunk)

    def close(self) -> None:
        """End the process and its descendants, and remove its working copy."""
        if self.problem is None:
            self.problem = "its process was closed"
            self._kill()
            with contextlib.suppress(OSError):
                self._drain()
            for end in (self.requests, self.answers, self.printed, self.status):
                os.close(end)
            self.home.cleanup()

    def _kill(self) -> None:
        """End everything; returns when the keeper is gone, too."""
        try:
            self._await_keeper(wire.within(START_SECONDS))
        except (wire.WireError, OSError):
            return  # it was never started
        kill_tree(self.pid)
        left = wire.within(END_SECONDS, clock.stopwatch(self.pid, self.limits["patience"]))
        with contextlib.suppress(wire.WireError, OSError):
            while True:
                wire.wait(self.status, left)
                self._listen()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def kill_tree(root: int) -> None:
    """SIGKILL to a keeper and to all its descendants, until none is left."""
    deadline = time.monotonic() + KILL_SECONDS
    while time.monotonic() < deadline:
        family = descendants(root)
        for signum in (signal.SIGSTOP, signal.SIGKILL):  # stopped first, so that none forks while others are ended
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signum)
        if not family:
            break
        time.sleep(0.005)  # the keeper adopts and collects orphans: look again
    with contextlib.suppress(ProcessLookupError):
        os.kill(root, signal.SIGKILL)


def memory_of(pids: list[int], enough: int) -> int:
    """Bytes of memory that processes use; where the sum is over `enough`, with what they share counted once."""
    page = os.sysconf("SC_PAGE_SIZE")
    resident = 0
    for pid in pids:
        with contextlib.suppress(OSError, IndexError):
            resident += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page
    if resident <= enough:
        return resident
    shared = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                shared += int(line.split()[1]) << 10 if line.startswith("Pss:") else 0
    return shared


def descendants(root: int) -> list[int]:
    """The living processes below `root`, parents first."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                state, parent = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    children.setdefault(int(parent), []).append(int(entry))
    found = list(children.get(root, []))
    for pid in found:
        found += children.get(pid, [])
    return found
