"""Grade the bundled submission in this very process, without a sandbox: DATA GROUP … (for benchmarks.grading)."""

import sys
from pathlib import Path
from types import SimpleNamespace

import torch

from checker import config, grading
from checker.intake import submission
from checker.results import PASSED
from checker.sandbox import worker
from checker.sandbox.session import Remote, Session

ROOT = Path(__file__).resolve().parent.parent


class InProcess(Session):
    """Carries out each request where it is made. A Remote holds the object itself in place of its number."""

    output = b""

    def __init__(self, snapshot: Path, package: str, limits: dict):
        self.package, self.loaded = package, None
        self.tensors_with_grad, self.foreign_types, self.notes = 0, set(), set()
        self.child = SimpleNamespace(problem="", enforced={}, output=b"", close=lambda: None)
        self.worker = worker.Worker(str(snapshot))
        worker.recorder.install()
        # This process has read the original's path first.
        sys.modules.pop(package, None)
        torch.set_num_threads(limits["threads"])

    def afresh(self) -> None:
        """There is no other process."""

    def load(self, inside: bool = False) -> list[str]:
        self.loaded = self._ask("load", {"package": self.package, "inside": inside})
        return self.loaded

    def _ask(self, do: str, fields: dict, keep: bool = False, **_):
        fields = here(fields)
        worker.recorder.take()  # what the grader itself did, for its references
        with self.worker.observing(), torch.no_grad():
            result = getattr(self.worker, do)(**fields)
        self.notes.update(worker.recorder.take())
        return Remote(self, result) if keep else here(result)


def here(value):
    """`value` as the other side would get it: with the objects behind its Remotes, and copies of its tensors."""
    if isinstance(value, Remote):
        return value._ref
    if isinstance(value, dict):
        return {name: here(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(here(item) for item in value)
    return value.clone() if isinstance(value, torch.Tensor) else value


def main() -> int:
    data, *groups = sys.argv[1:]
    grading.Session = InProcess
    report = grading.grade(submission.find(ROOT), Path(data), config.load(), only=tuple(groups))
    for finding in report.findings:
        if finding.status != PASSED:
            print(finding.check, finding.status, finding.message)
    return report.verdict != PASSED


if __name__ == "__main__":
    sys.exit(main())
