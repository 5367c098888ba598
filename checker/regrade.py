"""Marks anew from stored findings, after a change of what marks alone depend on; nothing runs.

That is: points, kinds, visibility, `psnr.pass_db` and `training.sensible_gain_db`. Tolerances, limits and the like
decide what a check sees, which is not stored: a change of those grades again.
"""

from dataclasses import replace

from . import marks, results
from .results import Finding, Report

THRESHOLDS = {("psnr", "pass_db"), ("training", "sensible_gain_db")}
SECTIONS = ("points", "kinds", "visibility")
SPREAD = 0.01  # below it a training failed for another reason, see checks/training.py


def marking(settings: dict, quick: bool) -> dict:
    """What marks depend on besides the findings; JSON values."""
    gain = 0.0 if quick else settings["training"]["sensible_gain_db"]
    thresholds = {"pass_db": settings["psnr"]["pass_db"], "gain_db": gain, "quick": quick}
    return {name: settings[name] for name in SECTIONS} | thresholds


def the_rest(settings: dict) -> dict:
    """The settings that findings depend on."""
    return {
        section: {name: value for name, value in values.items() if (section, name) not in THRESHOLDS}
        for section, values in settings.items()
        if section not in SECTIONS
    }


def again(report: Report, old: dict, new: dict) -> Report:
    """The report as it would be with the marking `new`, where it was made with `old`."""
    if old == new:
        return report
    found = {finding.check: remarked(finding, new) for finding in report.findings}
    for check, passes in (("psnr.pretrained_model", psnr), ("training.one_epoch", gain)):
        finding = found.get(check)
        if finding and (change := passes(finding, report.measurements, old, new)):
            found[check] = change
            if change.status == results.PASSED:
                found |= {f.check: unknown(f) for f in found.values() if f.behind == check}
    return replace(report, findings=tuple(remarked(finding, new) for finding in found.values()))


def remarked(finding: Finding, marking: dict) -> Finding:
    """Its points, kind and visibility. One of a check that the settings don't name keeps its most points."""
    most = marks.points_for(finding.check, marking, finding.max_points)
    if finding.status == results.ABSENT or finding.group == "grader":
        most = finding.max_points
    return replace(
        finding,
        max_points=most,
        points=marks.earned(most, finding.share),
        kind=marks.kind_of(finding.check, marking),
        visibility=marks.visibility_of(finding.check, marking),
    )


def psnr(finding: Finding, measured: dict, old: dict, new: dict) -> Finding | None:
    """The finding with the new threshold, None where that changes nothing."""
    db, noisy = (measured.get("psnr", {}).get(name) for name in ("pretrained model", "noisy input"))
    if db is None or noisy is None:
        return None
    message = f"expected at least {new['pass_db']:.2f} dB, got {db:.2f} dB (noisy input {noisy:.2f} dB)"
    return turned(finding, db >= old["pass_db"], db >= new["pass_db"], message)


def gain(finding: Finding, measured: dict, old: dict, new: dict) -> Finding | None:
    t = measured.get("training", {})
    if any(t.get(name) is None for name in ("before", "after", "spread")) or t["spread"] < SPREAD:
        return None
    db = t["after"] - t["before"]
    message = f"expected a gain of at least {new['gain_db']:g} dB, got {db:.2f} dB"
    return turned(finding, db >= old["gain_db"], db >= new["gain_db"], message)


def turned(finding: Finding, was: bool, now: bool, message: str) -> Finding | None:
    """A finding whose threshold was met and is not any more, or the other way round."""
    if was and not now and finding.status == results.PASSED:
        return replace(finding, status=results.FAILED, share=0.0, message=message)
    if now and not was and finding.status in (results.FAILED, results.SKIPPED) and "expected" in finding.message:
        return replace(finding, status=results.PASSED, share=1.0, message="", hint="", behind="")
    return None


def unknown(finding: Finding) -> Finding:
    """What was not run, since a check failed that passes now."""
    message = "was not run, as a check failed that passes with the new settings: grade again"
    return replace(finding, status=results.UNJUDGED, behind="", message=message)
