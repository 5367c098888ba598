"""A report as JSON, and back: everything that was found, for machines and for other reporters."""

import dataclasses
import json
import math

from ..results import Finding, Report

VERSION = 2  # of the format


def to_dict(report: Report) -> dict:
    """JSON values only: the fields of Report and of each Finding, and what is computed of them."""
    fields = dataclasses.asdict(report)
    points, most = report.beyond
    summary = {
        "version": VERSION,
        "verdict": report.verdict,
        "fails_alone": report.alone.check if report.alone else None,
        "score": report.score,
        "possible": report.possible,
        "max_score": report.max_score,
        "beyond": {"points": points, "max_points": most},
    }
    return plain(summary | fields)


def from_dict(values: dict) -> Report:
    """The report that `to_dict` was given. Raises ValueError, TypeError or KeyError for anything else."""
    if values["version"] != VERSION:
        raise ValueError(f"a report of format {values['version']}; expected {VERSION}")
    fields = {field.name: values[field.name] for field in dataclasses.fields(Report)}
    findings = [Finding(**finding | {"warnings": tuple(finding["warnings"])}) for finding in fields["findings"]]
    return Report(**fields | {"findings": tuple(findings)})


def plain(value):
    """The same value as strict JSON in UTF-8 can hold it: null for NaN and infinities, lists, whole characters."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {plain(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def dumps(values) -> str:
    return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def render(report: Report) -> str:
    return dumps(to_dict(report))
