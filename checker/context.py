"""What a check may use: the submission (its process and its files), the data, the configuration."""

import functools
from collections.abc import Callable
from pathlib import Path

from .intake import fingerprint, quote, submission
from .registry import Failed, NotApplicable, Unjudged
from .sandbox.child import SubmissionProblem
from .sandbox.session import Session


class Grading:
    """What a check may use: the submission (its process and its files), the data, the configuration."""

    def __init__(self, handed_in: submission.Submission, data: Path, config: dict, quick: bool, seed: int):
        self.submission, self.data, self.config, self.quick, self.seed = handed_in, data, config, quick, seed
        self.inputs_seed = seed  # of what is asked of modules and of the pictures it may know, see open()
        self.warnings: list[str] = []
        self.measurements: dict = {}
        self.findings: dict = {}  # of the checks before, by name
        self.causes: dict[tuple, str] = {}  # what is behind a failure → the check that told of it
        self._results: dict = {}
        self.session: Session | None = None
        self.files: Path | None = None  # the copy that is graded
        self.left_out: list[str] = []  # what of the submission was not copied
        self.unusable = ""  # why there is no copy
        self.sources: dict[str, list[str]] = {}  # the lines of its files, as they were before any of it ran

    def open(self, folder: Path) -> None:
        """Take the copy into `folder` and start the process; nothing of the submission runs yet.

        What its modules are asked, and how known pictures are shown, depends on its files, so that nobody can hand
        in the answers.
        """
        if self.submission.folder is not None:
            cap = self.config["limits"]["snapshot_mb"]
            try:
                self.left_out = submission.snapshot(self.submission, folder, cap)
            except submission.TooLarge as error:
                self.unusable = str(error)
                return
            self.files = folder / self.submission.package
            self.sources = quote.sources(folder)
            digest = fingerprint.combined(self.seed, fingerprint.of_files(self.files))
            self.inputs_seed = int(digest[:13], 16)  # of 52 bits: it can be sent, and nobody finds files for one
            self.session = Session(folder, self.submission.package, self.config["limits"])

    def warn(self, sentence: str) -> None:
        """Add to the finding of the running check; costs no points."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def once(self, function: Callable, *args):
        """function(self, *args), computed by the first check that asks and shared with the others, as is what
        it raises about the submission.
        """
        key = (function, *args)
        if key not in self._results:
            try:
                self._results[key] = function(self, *args)
            except (Failed, NotApplicable, Unjudged, SubmissionProblem) as problem:
                self._results[key] = problem
        if isinstance(self._results[key], Exception):
            raise self._results[key]
        return self._results[key]

    @functools.cached_property
    def validation(self):
        """(noisy, clean), two tensors N×3×H×W with values 0–255; the clean ones never leave this process."""
        from data.load import load_pair

        return load_pair(self.data / "val_data.pkl")

    def training(self):
        """Two noisy versions of the training pictures, 300 MB in all; with --quick the first few.

        They stay in the file, from which they are sent (wire.Stretch), where torch can map it; older files it can't.
        """
        from torch.utils.serialization import config as serialization

        from data.load import DataError, load_pair

        path = self.data / "train_data.pkl"
        try:
            with serialization.patch({"load.mmap": True}):
                pair = load_pair(path)
        except DataError:
            pair = load_pair(path)
        return tuple(t[: self.config["training"]["quick_pairs"]] for t in pair) if self.quick else pair
