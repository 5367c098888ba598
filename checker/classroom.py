"""Grade a class: every submission of a folder, several at a time, going on where an earlier run was ended.

Each submission's result is a file of its own, written when it is finished and marked with a digest of all that it
depends on. A run grades what has no such file, so it may be killed and started again at any time, and what changed
is graded again. The tables are made of the files at the end.
"""

import contextlib
import ctypes
import fcntl
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from tqdm import tqdm

from . import files, regrade, stored, tables
from .intake import fingerprint, submission
from .results import ERROR, Finding, Report
from .stored import Entry

PR_SET_PDEATHSIG = 1
REMOVE_SECONDS = 5  # for the processes of a killed submission to be gone


@dataclass(frozen=True)
class Task:
    """What is the same for every submission of a run."""

    data: Path
    settings: dict
    only: tuple[str, ...]
    quick: bool
    seed: int

    def key(self) -> str:
        """Digest of all of it that findings depend on, and of the grader."""
        options = [regrade.the_rest(self.settings), sorted(self.only), self.quick, self.seed]
        return fingerprint.combined(options, fingerprint.of_grader(), fingerprint.of_data(self.data))


def grade_class(
    folder: Path, out: Path, task: Task, jobs: int, part: tuple[int, int] = (0, 1), only_failed: bool = False
) -> list[Report]:
    """Grade the submissions of `folder` into `out`; returns the reports, sorted by name.

    `part` (k, n) takes every n-th submission only, from the k-th, and makes no tables. One thread for each
    submission, so that its result is the same whatever runs beside it. `only_failed` keeps what passed, whatever has
    changed since, and grades all others again. After KeyboardInterrupt the tables are made of what is finished.
    """
    from . import samecode  # takes a while to import, and the processes that grade don't need it

    paths = submissions(folder, out)
    tables.check(out)
    task = replace(task, settings=task.settings | {"limits": task.settings["limits"] | {"threads": 1}})
    with alone(out, part) as work:
        entries = described(paths[part[0] :: part[1]], out, task)
        done = {entry.path: report for entry in entries if (report := entry.report(only_failed))}
        try:
            for entry, report in graded([e for e in entries if e.path not in done], task, jobs, work, done):
                done[entry.path] = report
            if part == (0, 1):
                samecode.update(paths, out)
        finally:
            reports = [done[path] for path in sorted(done)]
            if part == (0, 1):
                tables.write(out, reports, task.settings)
    return reports


def submissions(folder: Path, out: Path) -> list[Path]:
    """The folders and zip files in `folder`, sorted by name. Says on stderr what else is there."""
    found, others = handed_in(folder, out)
    if others:
        print(f"not graded, since neither folder nor zip: {', '.join(p.name for p in others)}", file=sys.stderr)
    return found


def handed_in(folder: Path, out: Path) -> tuple[list[Path], list[Path]]:
    """The folders and zip files in `folder`, and what else there is. OSError or ValueError if it is no class."""
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: there is no such folder of submissions")
    if any(p.name.lower() in submission.NAMES for p in folder.iterdir() if p.is_dir()):
        raise ValueError(f"{folder} is one submission; grade it with -p, or give the folder that holds all of them")
    visible = sorted(p for p in folder.iterdir() if not p.name.startswith(".") and p.resolve() != out.resolve())
    found = [p for p in visible if not p.is_symlink() and (p.is_dir() or p.suffix.lower() == ".zip")]
    if not found:
        raise ValueError(f"{folder} holds no submissions: expected a folder or a zip file for each")
    return found, [p for p in visible if p not in found]


def described(paths: list[Path], out: Path, task: Task) -> list[Entry]:
    common, cap = task.key(), task.settings["limits"]["snapshot_mb"] << 20
    marking = regrade.marking(task.settings, task.quick)
    for path in paths:
        for kind in ("json", "html"):
            files.check_writable(out / stored.FOLDER / f"{path.name}.{kind}")
    return [
        Entry(path, out / stored.FOLDER / f"{path.name}.json",
              fingerprint.combined(common, fingerprint.of_files(path, cap=cap)), marking)
        for path in paths
    ]  # fmt: skip


@contextlib.contextmanager
def alone(out: Path, part: tuple[int, int]) -> Iterator[Path]:
    """Be the only run that fills this part of `out`; yields a folder for temporary files, gone afterwards.

    What a killed run left behind is removed first: its name is kept in `out`.
    """
    name = ".run" if part == (0, 1) else f".run-{part[0]}-of-{part[1]}"
    with open(out / name, "a+", encoding="utf-8") as record:
        try:
            fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(f"another run is filling {out}; wait for it, or choose another --out") from None
        record.seek(0)
        left = record.read()
        if left:
            remove(Path(left))
        work = tempfile.mkdtemp(prefix="class-")
        os.chmod(work, 0o755)  # a submission's process may belong to another user
        record.truncate(0)
        record.write(work)
        record.flush()
        try:
            yield Path(work)
        finally:
            if remove(Path(work)):
                record.truncate(0)


def remove(work: Path) -> bool:
    """Remove a run's temporary files, also those that an ended submission is still writing; whether all are gone."""
    deadline = time.monotonic() + REMOVE_SECONDS
    while work.exists() and time.monotonic() < deadline:
        shutil.rmtree(work, ignore_errors=True)
        time.sleep(0.05)
    return not work.exists()


def graded(
    entries: list[Entry], task: Task, jobs: int, work: Path, done: dict[Path, Report]
) -> Iterator[tuple[Entry, Report]]:
    """Grade `entries`, `jobs` at a time, showing progress; yields each one when its result is written."""
    waiting, slots = list(reversed(entries)), []
    verdicts = Counter(report.verdict for report in done.values())
    with tqdm(total=len(entries) + len(done), initial=len(done), desc="submissions", disable=None) as bar:
        try:
            slots = [Slot(task, work) for _ in range(min(jobs, len(entries)))]
            while waiting or any(slot.entry for slot in slots):
                for place, slot in enumerate(slots):
                    if waiting and not slot.entry:
                        slots[place] = slot = slot if slot.process.is_alive() else Slot(task, work)
                        slot.start(waiting.pop())
                for pipe in wait([slot.pipe for slot in slots if slot.entry]):
                    slot = next(slot for slot in slots if slot.pipe is pipe)
                    entry, report = slot.finish()
                    verdicts[report.verdict] += 1
                    bar.set_postfix(verdicts, refresh=False)
                    bar.update()
                    yield entry, report
        finally:
            for slot in slots:
                slot.end()


class Slot:
    """A process that grades one submission after another. A process, since a submission's own ends with the thread
    that started it; and a few long-lived ones, since each has torch to import.
    """

    def __init__(self, task: Task, work: Path):
        context = multiprocessing.get_context("spawn")
        self.entry: Entry | None = None
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=serve, args=(other, task, work, os.getpid()), daemon=True)
        self.process.start()
        other.close()

    def start(self, entry: Entry) -> None:
        self.entry = entry
        with contextlib.suppress(BrokenPipeError):  # it is gone: finish() says so
            self.pipe.send(entry)

    def finish(self) -> tuple[Entry, Report]:
        """The entry that was graded and its report; also if the process broke or is gone."""
        entry, self.entry = self.entry, None
        try:
            self.pipe.recv()
            report = stored.read(entry.result).report
        except (EOFError, OSError, stored.Unreadable) as error:
            self.process.join(10)
            report = no_verdict(entry.path.name, f"its process ended ({self.process.exitcode}): {error!r}")
        return entry, report

    def end(self) -> None:
        self.process.kill()  # what it started ends with it
        self.process.join()
        self.pipe.close()


def serve(pipe: Connection, task: Task, work: Path, parent: int) -> None:
    """A slot's process: grade what comes through the pipe, until it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # a killed run leaves nothing running
    if os.getppid() != parent:
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    tempfile.tempdir = str(work)
    with contextlib.suppress(EOFError):
        while True:
            entry = pipe.recv()
            entry.write(grade_one(entry.path, task))
            pipe.send(True)


def grade_one(path: Path, task: Task) -> Report:
    """The report of one submission; a fault of the grader is one too."""
    from .grading import grade

    try:
        handed_in = submission.find_one(path)
        return grade(handed_in, task.data, task.settings, only=task.only, quick=task.quick, seed=task.seed)
    except Exception as error:
        return no_verdict(path.name, f"the grader broke: {error!r}")


def no_verdict(name: str, message: str) -> Report:
    finding = Finding("grader.verdict", "The grader comes to a verdict", "grader", ERROR, 0, message=message)
    return Report(name, (finding,))
