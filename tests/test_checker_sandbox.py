"""The submission's process: what it can't do, and how its end is told."""

import os
import time

import pytest
import torch
from checker_support import package, settings

from checker.sandbox import clock
from checker.sandbox.child import Child, Raised, Stopped, SubmissionProblem, Unusable, descendants
from checker.sandbox.session import Session

PROBES = """
import os, socket, subprocess, sys, time, threading
import torch

class Probe:
    def double(self, x): return x * 2
    def environment(self): return dict(os.environ)
    def descriptors(self):
        # the one that lists the folder is closed again by now
        return [n for n in map(int, os.listdir("/proc/self/fd")) if n > 2 and os.path.exists(f"/proc/self/fd/{n}")]
    def writes(self, path): open(path, "w").write("was here")
    def reads(self, path): return open(path).read()
    def connects(self, port): socket.create_connection(("127.0.0.1", port), 2)
    def processes(self): return [int(n) for n in os.listdir("/proc") if n.isdigit()]
    def raises(self): raise ValueError("said so")
    def exits(self): sys.exit(0)
    def ends(self): os._exit(0)
    def crashes(self): os.kill(os.getpid(), 11)
    def sleeps(self): time.sleep(60)
    def computes(self, seconds):
        end = time.process_time() + seconds
        while time.process_time() < end: pass
    def shares(self):
        import mmap
        self.hoard = [mmap.mmap(-1, 64 << 20) for _ in range(48)]
        for memory in self.hoard: memory.write(b"x" * (64 << 20))
        time.sleep(5)
    def patches(self): torch.patched = os.patched = True
    def patched(self): return hasattr(torch, "patched") or hasattr(os, "patched")
    def spins(self):
        while True:
            try:
                while True: pass
            except BaseException: pass
    def grows(self): return len(bytearray(3 << 30))
    def large(self): return torch.empty(1).expand(10_000, 10_000)
    def prints(self):
        for _ in range(3000): print("x" * 10_000)
        return "done"
    def forges(self):
        import gc
        for n in range(3, 20):
            try: os.write(n, b"all passed" * 1000)
            except OSError: pass
    def grandchild(self):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(60)
            os._exit(0)
        return True
    def opaque(self): return self
    def nan(self): return float("nan")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return package(tmp_path_factory.mktemp("probes"), PROBES)


@pytest.fixture
def session(folder):
    with Session(folder, "Proj_2", settings(memory_mb=2000, starts=3)["limits"]) as session:
        session.load()
        yield session


def isolated(session) -> bool:
    return session.child.enforced["own file system"] == "enforced"


def test_what_it_can_and_cannot_reach(session, tmp_path):
    probe = session.new("Probe")
    assert torch.equal(probe.double(torch.ones(3)), torch.full((3,), 2.0))
    environment = probe.environment()
    assert not environment.keys() & os.environ.keys() - {
        "HOME",
        "PATH",
        "TMPDIR",
        "OMP_NUM_THREADS",
        "OMP_WAIT_POLICY",
        "LC_CTYPE",
        "PWD",
    }
    assert environment["HOME"] != os.environ.get("HOME")
    assert len(probe.descriptors()) == 2  # requests and answers
    with pytest.raises(Raised, match="said so") as raised:
        probe.raises()
    assert "model.py" in raised.value.where
    with pytest.raises(Raised, match="SystemExit"):
        probe.exits()
    with pytest.raises(Unusable, match=r"\(10000, 10000\)"):
        probe.large()
    with pytest.raises(Raised, match="MemoryError"):
        probe.grows()
    assert probe.prints() == "done"
    assert len(session.child.output) <= session.limits["output_kb"] * 1024
    assert probe.opaque().type == "Probe"
    assert probe.nan() != probe.nan()
    if not isolated(session):
        pytest.skip("this machine allows no namespaces: what follows is not promised on it")
    secret = tmp_path / "secret"
    secret.write_text("clean pictures")
    with pytest.raises(Raised, match="FileNotFoundError"):
        probe.reads(str(secret))
    for target in (str(tmp_path / "mark"), "/tmp/mark", "/usr/mark", "/mark", os.path.expanduser("~/mark")):
        with pytest.raises(Raised, match="Error"):
            probe.writes(target)
    assert sorted(os.listdir(tmp_path)) == ["secret"]
    probe.writes("mark")  # its own copy is its own
    assert probe.processes() == [1, 2]


def test_no_network(session):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        if session.child.enforced["no network"] != "enforced":
            pytest.skip("this machine allows no network namespace")
        with pytest.raises(Raised, match=r"OSError|Connection"):
            session.new("Probe").connects(server.getsockname()[1])
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    ("method", "reason"),
    [("ends", "exit status 0"), ("crashes", "SIGSEGV"), ("sleeps", "more than 1 s"),
     ("spins", "more than 1 s"), ("forges", "no answer")],
)  # fmt: skip
def test_an_end_is_told_and_the_next_request_starts_again(session, method, reason):
    probe = session.new("Probe")
    with pytest.raises(Stopped, match=reason):
        session.call(probe, method, seconds=1)
    with pytest.raises(Stopped, match="gone"):
        probe.double(torch.ones(1))  # the object went with its process
    assert session.new("Probe").double(torch.ones(1)).item() == 2
    assert session.starts == 2


def test_afresh_it_has_the_files_as_they_were_handed_in(session):
    handed_in = session.new("Probe").reads("Proj_2/model.py")
    for _ in range(session.limits["starts"] + 1):  # which counts only those that died
        probe = session.new("Probe")
        assert probe.reads("Proj_2/model.py") == handed_in
        probe.writes("Proj_2/model.py")
        probe.patches()
        print_of = session.call(probe, "prints")
        session.afresh()
        with pytest.raises(Stopped, match="gone"):
            probe.nan()
        assert session.new("Probe").patched() is False
    assert print_of == "done"
    assert b"xxx" in session.output  # also what was printed before
    assert len(session.output) <= session.limits["output_kb"] * 1024


def test_it_is_not_started_again_for_ever(session):
    for _ in range(session.limits["starts"]):
        with pytest.raises(Stopped):
            session.new("Probe").ends()
    with pytest.raises(Stopped, match="started 3 times"):
        session.new("Probe")


def test_nothing_survives(session):
    probe = session.new("Probe")
    assert probe.grandchild()
    time.sleep(0.1)
    root = session.child.pid
    family = descendants(root)
    assert len(family) >= 2  # the innermost process and the grandchild
    home = session.child.home.name
    session.close()
    assert not [pid for pid in [root, *family] if os.path.exists(f"/proc/{pid}")]
    assert not os.path.exists(home)


def test_an_attack_on_the_fork_server_costs_one_process(session):
    """Even if it is gone, which a locked-in submission can't bring about, the next start has another one."""
    first = session.child.server.process
    first.kill()
    first.wait()
    with pytest.raises(Stopped):
        session.new("Probe").sleeps()
    assert session.new("Probe").double(torch.ones(1)).item() == 2
    assert session.child.server.process is not first


def test_nothing_is_left_for_the_next_start(session):
    """Each start is a fork of a process that never saw the submission."""
    session.new("Probe").patches()
    with pytest.raises(Stopped):
        session.new("Probe").ends()
    assert session.new("Probe").patched() is False


def test_memory_that_counts_for_no_process_is_limited(folder):
    """Shared memory is not in the limit on a process's own."""
    with Session(folder, "Proj_2", settings(request_seconds=30, all_memory_mb=1000)["limits"]) as session:
        session.load()
        with pytest.raises(Stopped, match="more than 1000 MB of memory"):
            session.new("Probe").shares()


def test_repeated_time_outs_become_shorter(folder):
    with Session(folder, "Proj_2", settings(request_seconds=2)["limits"]) as session:
        session.load()
        for seconds in (2, 1, 1):
            with pytest.raises(Stopped, match=f"more than {seconds} s"):
                session.new("Probe").sleeps()


def test_all_requests_together_have_a_budget(folder):
    with Session(folder, "Proj_2", settings(request_seconds=2, grading_seconds=3)["limits"]) as session:
        session.load()
        for _ in range(2):
            with pytest.raises(Stopped, match="more than"):
                session.new("Probe").sleeps()
        with pytest.raises(Stopped, match=r"used up the 3 s"):
            session.new("Probe").sleeps()
    assert descendants(session.child.server.process.pid) == []


def test_a_process_that_is_closed_while_it_starts_is_gone_too(folder):
    child = Child(folder, settings()["limits"])
    child.close()
    assert descendants(child.server.process.pid) == []


def test_waiting_for_a_processor_is_not_the_submissions_time(folder):
    """A process that is kept from running by others has longer on the wall, up to `patience`."""
    import subprocess
    import sys

    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everywhere)})  # what is started from here shares one processor
    try:
        busy = [
            subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True) for _ in range(4)
        ]
        with Session(folder, "Proj_2", settings(patience=50)["limits"]) as session:
            session.load()
            started, before = time.monotonic(), session.spent
            session.new("Probe").computes(0.2)
            wall, own = time.monotonic() - started, session.spent - before
    finally:
        os.sched_setaffinity(0, everywhere)
        for process in busy:
            process.kill()
            process.wait()
    assert own < wall / 1.5


def test_who_is_out_of_time_on_a_busy_machine_is_told_so(session, monkeypatch):
    with pytest.raises(Stopped, match=r"more than 1 s and was stopped$"):
        session.call(session.new("Probe"), "sleeps", seconds=1)
    probe = session.new("Probe")
    monkeypatch.setattr(clock, "waited", lambda pid: time.monotonic())  # it never runs
    with pytest.raises(Stopped, match=r"was stopped \(\d+ s on the wall: this machine is busy"):
        session.call(probe, "sleeps", seconds=2)


def test_a_request_to_a_closed_session_is_the_submissions_problem(session):
    probe = session.new("Probe")
    session.child.close()
    with pytest.raises(SubmissionProblem):
        probe.nan()
