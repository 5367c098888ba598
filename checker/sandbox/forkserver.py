"""A process that has torch imported and nothing else, and forks one process for each start of a submission.

Importing torch takes a second; a fork takes milliseconds. What it forks locks itself in before anything of a
submission is loaded (worker.py, jail.py), so this process itself never sees one: no start can leave anything for the
next. It ends when the grader does, because then the socket between them closes.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

WORKER = Path(__file__).with_name("worker.py")


class NoServer(Exception):
    """It can't be started, or is gone."""


class ForkServer:
    """The grader's end of it."""

    def __init__(self):
        self.control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-B", str(WORKER), str(other.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={
                    "OMP_NUM_THREADS": "1",  # torch.set_num_threads says how many, in each process
                    "OMP_WAIT_POLICY": "passive",  # tiny tensors on busy machines: don't burn the other core
                    "PATH": "/usr/bin:/bin",
                },
                cwd="/",
                start_new_session=True,
                pass_fds=[other.fileno()],
            )
        except OSError as error:
            raise NoServer(f"the submission's process could not be started: {error}") from error
        finally:
            other.close()
        self.lock = threading.Lock()
        os.set_blocking(self.process.stderr.fileno(), False)

    def alive(self) -> bool:
        return self.process.poll() is None

    def fork(self, folder: str, limits: dict, descriptors: tuple[int, ...]) -> None:
        """Have a process forked that serves the submission in `folder` with these descriptors."""
        order = json.dumps({"folder": folder, "limits": limits}).encode()
        try:
            with self.lock:
                socket.send_fds(self.control, [order], descriptors)
        except OSError as error:
            raise NoServer(f"the submission's process could not be started: {error}") from error

    def complaint(self) -> str:
        """The end of what it said, if it could not start."""
        return (self.process.stderr.read() or b"").decode(errors="replace")[-2000:]


_servers: dict[int, ForkServer] = {}


def server() -> ForkServer:
    """This process's server, which is started when first asked for; a new one if that has ended."""
    mine = _servers.get(os.getpid())  # a fork of the grader must not share its parent's
    if mine is None or not mine.alive():
        mine = _servers[os.getpid()] = ForkServer()
    return mine
