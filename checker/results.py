"""What grading found: one record for each check, and the score, computed here and nowhere else."""

from dataclasses import dataclass, field, replace

VISIBLE = "visible"  # other values say when a student may see a check: "hidden", "after_due_date", "after_published"
PASSED, FAILED, SKIPPED, ERROR = "passed", "failed", "skipped", "error"
UNJUDGED = "not judged"  # the grader found no way to run it, which says nothing about whether it is right
ABSENT = "not applicable"  # not asked of this submission: its points are nobody's
REVIEW = "to be looked at"  # the verdict where nothing failed, but something awaits a person

# What a check is about: what the assignment asks for; how it is to be called, which costs points but decides nothing;
# what goes beyond the assignment, whose points are counted apart.
REQUIRED, CONVENTION, BEYOND = "required", "convention", "beyond"


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    check: str  # "modules.conv2d_forward"
    title: str  # the check's docstring: what a correct submission does
    group: str
    status: str  # PASSED, FAILED, SKIPPED (hidden by a check that failed), UNJUDGED, ABSENT, ERROR (the grader broke)
    max_points: float
    points: float = 0.0
    message: str = ""  # what was received and what was expected
    hint: str = ""  # a question or an idea that leads to the mistake
    warnings: tuple[str, ...] = ()  # worth knowing, costs nothing
    details: dict = field(default_factory=dict)  # numbers for machines; JSON values only
    seconds: float = 0.0
    visibility: str = VISIBLE
    kind: str = REQUIRED
    share: float = 0.0  # of its points that it earned, from 0 to 1, so that other points give other marks
    behind: str = ""  # where it is skipped: the check that hides it
    source: str = ""  # the line of the submission that the message names

    @property
    def possible(self) -> float:
        """The most that it can be worth, once what hides it is mended or a person has looked at it."""
        return self.max_points if self.status in (SKIPPED, UNJUDGED, ERROR) else self.points


@dataclass(frozen=True)
class Report:
    """All findings about one submission, in the order of the checks."""

    submission: str  # its folder, as it was named
    findings: tuple[Finding, ...]
    measurements: dict = field(default_factory=dict)  # PSNR in dB, seconds: what the table at the end shows
    enforced: dict[str, str] = field(default_factory=dict)  # limit → "enforced" or why it is not
    output: str = ""  # the end of what the submission printed
    seconds: float = 0.0
    left_out: int = 0  # checks that are not among the findings because students may not see them

    @property
    def asked(self) -> tuple[Finding, ...]:
        """The findings about what the assignment asks for."""
        return tuple(finding for finding in self.findings if finding.kind != BEYOND)

    @property
    def score(self) -> float:
        """The points that are certain."""
        return sum(finding.points for finding in self.asked)

    @property
    def possible(self) -> float:
        """The points that are possible: with those of what could not be judged."""
        return sum(finding.possible for finding in self.asked)

    @property
    def max_score(self) -> float:
        return sum(finding.max_points for finding in self.asked)

    @property
    def beyond(self) -> tuple[float, float]:
        """(points, of how many) for what goes beyond the assignment."""
        findings = [finding for finding in self.findings if finding.kind == BEYOND]
        return sum(f.points for f in findings), sum(f.max_points for f in findings)

    @property
    def verdict(self) -> str:
        """ERROR if the grader broke anywhere, FAILED if anything required is not as it should be, REVIEW if nothing
        is wrong, but something could not be judged, or is hidden by such a thing; else PASSED.
        """
        if any(finding.status == ERROR for finding in self.findings) or not self.findings:
            return ERROR
        roots = self.roots()
        states = {roots.get(f.check, f).status for f in self.findings if f.kind == REQUIRED}
        if states & {FAILED, SKIPPED}:
            return FAILED
        return REVIEW if UNJUDGED in states else PASSED

    @property
    def alone(self) -> Finding | None:
        """The one finding for which alone the verdict is FAILED; None if there are more, or a person has to look."""
        if self.verdict != FAILED:
            return None
        roots = self.roots()
        told = (roots.get(f.check, f) for f in self.findings if f.kind == REQUIRED)
        first, *others = {f.check: f for f in told if f.status not in (PASSED, ABSENT)}.values()
        return first if first.status == FAILED and not others else None

    def roots(self) -> dict[str, Finding]:
        """For each skipped check whose cause is among the findings: the finding at the root of it."""
        by_name, roots = {finding.check: finding for finding in self.findings}, {}
        for finding in self.findings:  # what hides a check comes before it
            if finding.status == SKIPPED and finding.behind in by_name:
                root = roots.get(finding.behind, by_name[finding.behind])
                if root.status != SKIPPED:
                    roots[finding.check] = root
        return roots

    def groups(self) -> dict[str, list[Finding]]:
        """The findings by group, both in the order in which they were made."""
        groups: dict[str, list[Finding]] = {}
        for finding in self.findings:
            groups.setdefault(finding.group, []).append(finding)
        return groups

    @property
    def psnr(self) -> float | None:
        """dB of the pretrained model on the validation data: what a leaderboard sorts by."""
        return self.measurements.get("psnr", {}).get("pretrained model")

    def for_students(self) -> "Report":
        """The report without the checks that students may not see, and without what would tell of them: their titles
        in other messages, the measurements of their groups, and what the submission printed while it was asked.
        """
        hidden = [finding for finding in self.findings if finding.visibility != VISIBLE]
        if not hidden:
            return self
        groups = {finding.group for finding in hidden}
        return replace(
            self,
            findings=tuple(self._redacted(f, hidden) for f in self.findings if f.visibility == VISIBLE),
            measurements={name: value for name, value in self.measurements.items() if name not in groups},
            output="",
            left_out=len(hidden),
        )

    @staticmethod
    def _redacted(finding: Finding, hidden: list[Finding]) -> Finding:
        if finding.status == SKIPPED and any(
            other.check == finding.behind or other.title in finding.message for other in hidden
        ):
            return replace(finding, message="needs a check that is not shown", behind="")
        return finding
