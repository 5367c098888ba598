"""Parent side of the untrusted process: start it, ask it, keep the clock, end it and everything it started."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import values, wire

WORKER = Path(__file__).with_name("worker.py")
START_SECONDS = 60  # importing torch from a cold disk


class SubmissionProblem(Exception):
    """Something the submission did that is no complete, usable answer. Never a fault of the grader."""


class Raised(SubmissionProblem):
    """An exception inside the submission; the process lives on."""

    def __init__(self, described: dict):
        described = {key: str(described.get(key, "")) for key in ("type", "text", "where", "trace")}
        self.type, self.text, self.where, self.trace = described.values()
        text = f"{self.type}: {self.text}" if self.text else self.type
        super().__init__(f"raised {text}" + (f" ({self.where})" if self.where else ""))


class Unusable(SubmissionProblem):
    """An answer that can't be sent or makes no sense, such as a tensor far too large."""


class Stopped(SubmissionProblem):
    """The process is gone: it ended, crashed, was out of time, or sent bytes that are no answer."""


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
        self.home = tempfile.TemporaryDirectory(prefix="submission-", ignore_cleanup_errors=True)
        folder = os.path.realpath(Path(self.home.name) / "copy")
        shutil.copytree(snapshot, folder, symlinks=True)
        (Path(folder).parent / "root").mkdir()  # where its own file system is assembled
        for path in (self.home.name, Path(folder).parent / "root"):
            os.chmod(path, 0o755)  # the copy may belong to another user soon
        self._start(folder)

    def _start(self, folder: str) -> None:
        request_end, self.requests = os.pipe()
        self.answers, answer_end = os.pipe()
        self.printed, output_end = os.pipe()
        ends = (request_end, answer_end)
        threads = str(self.limits["threads"])
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-B", str(WORKER), folder, json.dumps(self.limits), *map(str, ends)],
                stdin=subprocess.DEVNULL,
                stdout=output_end,
                stderr=output_end,
                env={
                    "OMP_NUM_THREADS": threads,
                    "OMP_WAIT_POLICY": "passive",  # tiny tensors on busy machines: don't burn the other core
                    "HOME": folder,
                    "TMPDIR": folder,
                    "PATH": "/usr/bin:/bin",
                },
                cwd="/",
                start_new_session=True,
                pass_fds=ends,
            )
        except OSError as error:
            raise GraderProblem(f"the submission's process could not be started: {error}") from error
        finally:
            for end in (*ends, output_end):
                os.close(end)
        for end in (self.requests, self.answers, self.printed):
            os.set_blocking(end, False)

    def ready(self) -> dict[str, str]:
        """Wait until the process is locked in and has torch; returns measure → "enforced" or why not."""
        if self.enforced is None:
            try:
                deadline = time.monotonic() + START_SECONDS
                message, _ = wire.receive(self.answers, 0, deadline, {self.printed: self._drain})
                self.enforced = {str(name): str(state) for name, state in message["ready"].items()}
            except (wire.WireError, OSError) as error:
                self.close()
                said = self.output.decode(errors="replace").strip()
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
        deadline = time.monotonic() + seconds
        try:
            wire.send(self.requests, request, packer.arrays, deadline)
            message, arrays = wire.receive(self.answers, cap, deadline, {self.printed: self._drain})
            if message.get("id") != self.sent:
                raise wire.WireError("an answer to another request")
            if isinstance(message.get("raised"), dict):
                raise Raised(message["raised"])
            if "unsendable" in message:
                raise Unusable(f"returned {message['unsendable']!s:.300}")
            return values.unpack(message.get("value"), arrays, resolve, on_tensor)
        except wire.Late:
            self._stop(f"took more than {seconds:g} s and was stopped")
        except wire.Closed:
            self._stop(None)
        except wire.WireError as error:
            self._stop(f"sent bytes that are no answer: {error}")
        raise Stopped(self.problem)

    def _stop(self, problem: str | None) -> None:
        if problem is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(2)  # it closed its pipe: let it finish ending, to learn how
            problem = f"its process {self._ending()}"
        self.close()
        self.problem = problem

    def _ending(self) -> str:
        code = self.process.poll()
        if code is None:
            return "closed the pipe of its answers"
        number = -code if code < 0 else code - 128
        if number in iter(signal.Signals):
            return f"was ended by {signal.Signals(number).name}"
        return f"ended itself with exit status {code}"

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
            kill_tree(self.process.pid)
            self.process.wait()
            with contextlib.suppress(OSError):
                self._drain()
            for end in (self.requests, self.answers, self.printed):
                os.close(end)
            self.home.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def kill_tree(root: int) -> None:
    """SIGKILL to a child of ours and to all its descendants, until none is left; its status is not collected."""
    for _ in range(100):
        family = descendants(root)
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not family:
            break
        time.sleep(0.002)  # the keeper adopts and collects orphans: look again
    with contextlib.suppress(ProcessLookupError):
        os.kill(root, signal.SIGKILL)


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
