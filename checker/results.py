"""What grading found: one record for each check, and the score, computed here and nowhere else."""

from dataclasses import dataclass, field

PASSED, FAILED, SKIPPED, ERROR = "passed", "failed", "skipped", "error"
ABSENT = "not applicable"  # not asked of this submission: its points are nobody's


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    check: str  # "modules.conv2d_forward"
    title: str  # the check's docstring: what a correct submission does
    group: str
    status: str  # PASSED, FAILED, SKIPPED (a check it needs failed), ABSENT, or ERROR (the grader broke)
    max_points: float
    points: float = 0.0
    message: str = ""  # what was received and what was expected
    hint: str = ""  # a question or an idea that leads to the mistake
    warnings: tuple[str, ...] = ()  # worth knowing, costs nothing
    details: dict = field(default_factory=dict)  # numbers for machines; JSON values only
    seconds: float = 0.0
    visibility: str = "visible"


@dataclass(frozen=True)
class Report:
    """All findings about one submission, in the order of the checks."""

    submission: str  # its folder, as it was named
    findings: tuple[Finding, ...]
    measurements: dict = field(default_factory=dict)  # PSNR in dB, seconds: what the table at the end shows
    enforced: dict[str, str] = field(default_factory=dict)  # limit → "enforced" or why it is not
    output: str = ""  # the end of what the submission printed
    seconds: float = 0.0

    @property
    def score(self) -> float:
        return sum(finding.points for finding in self.findings)

    @property
    def max_score(self) -> float:
        return sum(finding.max_points for finding in self.findings)

    @property
    def verdict(self) -> str:
        """ERROR if the grader broke anywhere, else FAILED if anything is not as it should be, else PASSED."""
        states = {finding.status for finding in self.findings}
        if ERROR in states or not states:
            return ERROR
        return FAILED if states & {FAILED, SKIPPED} else PASSED

    def groups(self) -> dict[str, list[Finding]]:
        """The findings by group, both in the order in which they were made."""
        groups: dict[str, list[Finding]] = {}
        for finding in self.findings:
            groups.setdefault(finding.group, []).append(finding)
        return groups
