"""Hostile submissions: each gets its verdict in time, changes nothing outside its copy, and leaves nothing running.

    python -m pytest tests/test_checker_hostile.py -k fork_bomb

On a machine that others use, CHECKER_TEST_PATIENCE=50 lets what waits for a processor take longer.
"""

import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import torch
from checker_support import ROOT, make_data, settings
from submissions.hostile import HOSTILE, build

from checker import results
from checker.grading import grade
from checker.intake import submission
from checker.sandbox import forkserver
from checker.sandbox.child import descendants
from checker.sandbox.session import Session

PATIENCE = float(os.environ.get("CHECKER_TEST_PATIENCE", 4))
LIMITS = {
    "request_seconds": 2, "load_seconds": 3, "predict_seconds": 3, "grading_seconds": 30, "patience": PATIENCE,
    "starts": 6, "memory_mb": 800, "all_memory_mb": 1000, "file_mb": 64, "disk_mb": 256, "processes": 100,
}  # fmt: skip
MOST_SECONDS = 30 + 30 * PATIENCE  # of the wall for one of them: what the grader itself takes, and its budget
MOST_MEMORY = 350 << 20  # bytes that a grading may take besides what this process has; one with torch alone has 230


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"), train=20, val=20)


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        yield server


def digest(folder: Path) -> str:
    """Of every name below a folder, and every file's size, time and (of small ones) content."""
    found = hashlib.blake2b()
    for path in sorted(folder.rglob("*")):
        found.update(str(path).encode())
        if path.is_symlink() or not path.is_dir():
            found.update(f"{path.lstat().st_size} {path.lstat().st_mtime_ns}".encode())
        if path.is_file() and path.stat().st_size < 1 << 20:
            found.update(path.read_bytes())
    return found.hexdigest()


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """Bytes of memory that this process used at most since forget_peak()."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def survivors(patience: float = 2.0) -> list[int]:
    """What the server of submissions has left running: a process that was ended takes a moment to be gone."""
    until = time.monotonic() + patience
    while (left := descendants(forkserver.server().process.pid)) and time.monotonic() < until:
        time.sleep(0.05)
    return left


@pytest.mark.parametrize("one", HOSTILE, ids=lambda one: one.name)
def test_hostile(one, data, listener, tmp_path, monkeypatch, record_property):
    work, outside = tmp_path / "work", tmp_path / "outside"
    work.mkdir()
    outside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(work))
    handed_in = build(one, tmp_path / "handed_in", outside / "MARK", data, listener.getsockname()[1])
    before = digest(tmp_path)
    forget_peak()
    held = peak()  # also by what other tests have imported
    started = time.monotonic()

    report = grade(submission.find(handed_in), data, settings(**LIMITS), only=(one.only,))

    seconds, used = time.monotonic() - started, peak() - held
    missing = [name for name in one.needs if report.enforced.get(name) != "enforced"]
    messages = {f.check: f"{f.status}: {f.message}" for f in report.findings}
    record_property("verdict", report.verdict)
    record_property("seconds", seconds)
    # Nothing outside is changed, nothing is left, nobody was reached.
    assert digest(tmp_path) == before
    assert not os.path.exists("/tmp/MARK")
    left = survivors()
    assert left == [], [Path(f"/proc/{pid}/status").read_text() for pid in left]
    if "no network" not in missing:
        with pytest.raises(TimeoutError):
            listener.accept()
    assert used < MOST_MEMORY
    assert seconds < MOST_SECONDS
    # The verdict is right, and never that the grader broke.
    assert report.verdict != results.ERROR, messages
    if missing:
        pytest.skip(f"not promised here: {', '.join(missing)}")
    if one.expect is not None:
        assert report.verdict == (results.FAILED if one.expect else results.PASSED), messages
    for check, message in one.expect or ():
        # What several checks run into is told by the first of them, and the others name that one.
        assert messages[check].startswith(("failed: ", "skipped: hidden by")), messages
        told = [messages[check]] if messages[check].startswith("failed") else list(messages.values())
        assert any(re.match(f"failed: .*({message})", one, re.DOTALL) for one in told), messages


# A machine that refuses namespaces --------------------------------------------------------------------

REFUSING = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
STILL_PROMISED = "endless_loop or ends_itself or crashes or grandchild or forges_bytes or memory_bomb or at_exit"


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs unshare to make such a machine")
def test_a_machine_without_namespaces():
    """What needs none holds all the same, and the report says what is not enforced."""
    refused = ["unshare", "--user", "--map-root-user", "sh", "-c", REFUSING, "sh"]
    if subprocess.run([*refused, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody make one")
    chosen = ["-k", f"({STILL_PROMISED}) or is_refused"]
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, *chosen]
    environment = os.environ | {"NAMESPACES": "refused"}
    ended = subprocess.run([*refused, *tests], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-3000:]


@pytest.mark.skipif(os.environ.get("NAMESPACES") != "refused", reason="run by the test above")
def test_what_is_refused_is_reported(tmp_path):
    with Session(
        ROOT / "tests" / "submissions" / "correct" / "textbook", "Proj_2", settings(**LIMITS)["limits"]
    ) as it:
        it.forget()  # the first request starts it
        enforced = it.child.enforced
    for name in ("namespaces", "no network", "own file system"):
        assert enforced[name].startswith("not available")
    assert enforced["memory"] == enforced["file size"] == "enforced"


# The grader's own memory ------------------------------------------------------------------------------


def test_training_pictures_are_sent_from_their_file(tmp_path):
    """The grader's memory does not grow with them."""
    from checker import config
    from checker.grading import Grading

    pictures = torch.arange(256, dtype=torch.uint8).repeat(3 * 4 * 8000).view(8000, 3, 32, 32)  # 25 MB
    torch.save((pictures, pictures.flip(0)), tmp_path / "train_data.pkl")
    del pictures
    textbook = ROOT / "tests" / "submissions" / "correct" / "textbook"
    grading = Grading(submission.find(textbook), tmp_path, config.load(), quick=False, seed=0)
    with Session(textbook, "Proj_2", settings(**LIMITS)["limits"]) as session:
        session.forget()  # the first request starts it
        pair = grading.training()
        forget_peak()
        before = peak()
        there = [session.put(each) for each in pair]
        assert peak() - before < 10 << 20
        assert session.call(there[0], "sum").item() == int(255 / 2 * 3 * 4 * 8000 * 256)
        assert [session.call(each, "select", 0, 0).flatten()[:3].tolist() for each in there] == [[0, 1, 2], [0, 1, 2]]
