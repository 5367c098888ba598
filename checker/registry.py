"""The checks: how one is written, and how it says what it found."""

from collections.abc import Callable
from dataclasses import dataclass


class Failed(Exception):
    """The submission does not do what the check's title says.

    `share` is the part of it that is right all the same, from 0 to 1. `cause` names what is behind it: of several
    failures with one cause, the first is told and the others refer to it.
    """

    def __init__(self, message: str, hint: str = "", share: float = 0.0, cause: tuple | None = None):
        super().__init__(message)
        self.message, self.hint, self.share, self.cause = message, hint, share, cause


class Missing(Failed):
    """There is no such class; its mathematics may be somewhere else."""


class Unjudged(Exception):
    """The grader found no way to run what the check is about: a person has to look at it."""


class Follows(Exception):
    """The check can't tell anything of its own: what it would find follows from another one's failure, `check`.
    `share` is the part that is right all the same.
    """

    def __init__(self, check: str, share: float = 0.0):
        super().__init__(check)
        self.check, self.share = check, share


class NotApplicable(Exception):
    """The assignment leaves it open, and this submission chose otherwise."""


@dataclass(frozen=True)
class Check:
    name: str  # group.function
    group: str
    title: str
    needs: tuple[str, ...]
    run: Callable


CHECKS: dict[str, Check] = {}  # in the order of definition, which is the order of grading


def check(group: str, needs: tuple[str, ...] = ()):
    """Register a function as a check; its docstring's first line is the title that a student reads.

    It is called with the Grading, raises Failed or returns a dict of details (or None). An exception inside the
    submission counts as Failed; any other exception is a fault of the grader and reported as such. `needs` names
    checks defined before; if one of them did not pass, this one is skipped.
    """

    def register(function: Callable) -> Callable:
        name = f"{group}.{function.__name__}"
        missing = [other for other in needs if other not in CHECKS]
        if missing or name in CHECKS:
            raise ValueError(f"check {name}: defined twice, or needs {missing}, not defined before it")
        title = (function.__doc__ or "").strip().splitlines()[0].rstrip(".")
        CHECKS[name] = Check(name, group, title, needs, function)
        return function

    return register
