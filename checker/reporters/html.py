"""A report as one self-contained page: no script, nothing loaded, everything a submission said escaped."""

import base64
import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import results
from ..results import Finding, Report
from . import (
    DEVIATES,
    EXTRA,
    NOT_YET,
    alone,
    asked_groups,
    beyond,
    elsewhere,
    hidden,
    hides,
    mark,
    marks_of,
    notes,
    points_of,
    praise,
    printable,
)

if TYPE_CHECKING:
    from .pictures import Picture

VERDICTS = {
    results.PASSED: "Passed: everything that is asked is as it should be",
    results.REVIEW: "To be looked at: nothing failed, but what is not judged awaits a person",
    results.FAILED: "Failed: see what is marked below",
    results.ERROR: "No verdict: the grader broke; this is not the submission's fault",
}
STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --good: #15803d; --bad: #c81e1e; --wait: #a15c00; }
@media (prefers-color-scheme: dark) { :root { --good: #4ade80; --bad: #f87171; --wait: #fbbf24; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
header { border-left: .5rem solid var(--wait); padding-left: 1rem; }
header.passed { border-color: var(--good); } header.failed { border-color: var(--bad); }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; } header p { margin: .2rem 0; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .3rem .5rem; border-bottom: 1px solid var(--line);
text-align: left; vertical-align: top; } .n { text-align: right; white-space: nowrap; }
.mark { width: 5.5rem; font-weight: 600; } .passed .mark { color: var(--good); }
.failed .mark, .error .mark { color: var(--bad); } .hidden .mark, .not-judged .mark { color: var(--wait); }
tr.not-judged { background: #fbbf241f; } .hides { font-size: .9em; opacity: .8; }
code { background: var(--soft); padding: .1rem .3rem; border-radius: 3px; }
.note { margin: .2rem 0; white-space: pre-wrap; overflow-wrap: anywhere; } .hint { font-style: italic; }
tr.failed, tr.error { background: #f871711f; }
.trio { display: inline-flex; gap: 6px; margin: 0 1.5rem 1rem 0; } figure { margin: 0; width: 128px; }
figcaption { font-size: .8rem; font-variant-numeric: tabular-nums; }
img { width: 100%; image-rendering: pixelated; display: block; }
pre { background: var(--soft); padding: .5rem; overflow: auto; max-height: 20rem; }
"""


def render(report: Report, pictures: Sequence["Picture"] = ()) -> str:
    """The page. `pictures` are the worst of the validation set."""
    behind = hidden(report)
    parts = [
        f'<header class="{css(report.verdict)}"><h1>{VERDICTS[report.verdict]}</h1>',
        f"<p><strong>{marks_of(report)}</strong>, {text(report.submission)}, graded in {report.seconds:.0f} s</p>",
        f"<p>{text(alone(report))}</p>" if report.alone else "",
        "</header>",
        summary(report),
        *measurements(report.measurements),
        worst(pictures),
        *(group(report, name, findings, behind) for name, findings in asked_groups(report).items()),
        extras(report, behind),
        limits(report.enforced),
        printed(report.output),
    ]
    title = f"{marks_of(report)}: {text(report.submission)}"
    return page(title, STYLE, "\n".join(filter(None, parts)))


def page(title: str, style: str, body: str, script_hash: str = "") -> str:
    """A whole page that loads nothing; its one script, if any, is known by its digest."""
    scripts = f" script-src '{script_hash}';" if script_hash else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        f"content=\"default-src 'none'; img-src data:;{scripts} style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{style}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def summary(report: Report) -> str:
    lines = [summary_row(name, findings, name) for name, findings in asked_groups(report).items()]
    if found := beyond(report):
        lines.append(summary_row("beyond the assignment, counted apart", found, "extras"))
    note = f"<p>{report.left_out} more checks are not shown here; they count too.</p>" if report.left_out else ""
    head = '<tr><th>group</th><th class="n">passed</th><th class="n">points</th></tr>'
    return f"<h2>Summary</h2><table>{head}{''.join(lines)}</table>{note}"


def summary_row(name: str, findings: list[Finding], anchor: str) -> str:
    asked = [finding for finding in findings if finding.status != results.ABSENT]
    passed = sum(finding.status == results.PASSED for finding in asked)
    states = {css(mark(finding)) for finding in findings}
    worst_state = next((state for state in ("error", "failed") if state in states), "")
    link = f'<a href="#{text(anchor)}">{text(name)}</a>'
    return table_row([link], [f"{passed} / {len(asked)}", points_of(findings)], worst_state)


def measurements(found: dict) -> list[str]:
    parts = []
    if "psnr" in found:
        ordered = sorted(found["psnr"].items(), key=lambda item: item[1])
        lines = "".join(table_row([text(name)], [f"{db:.2f} dB"]) for name, db in ordered)
        parts.append(f"<h2>PSNR on the validation data</h2><table>{lines}</table>")
    if "training" in found:
        t = found["training"]
        parts.append(
            f"<p>One epoch on {t['pairs']} pairs: {t['seconds']:.1f} s; "
            f"PSNR {t['before']:.2f} dB before, {t['after']:.2f} dB after</p>"
        )
    return parts


def worst(pictures: Sequence["Picture"]) -> str:
    if not pictures:
        return ""
    trios = "".join(
        f'<div class="trio">{figure(p.noisy, f"noisy {p.noisy_db:.2f} dB", p.index)}'
        f"{figure(p.denoised, f'denoised {p.denoised_db:.2f} dB', p.index)}"
        f"{figure(p.clean, f'clean, no. {p.index}', p.index)}</div>"
        for p in pictures
    )
    return f"<h2>The {len(pictures)} pictures it does worst</h2><div>{trios}</div>"


def figure(tensor, caption: str, index: int) -> str:
    from .pictures import image, png  # and with them torch

    data = base64.b64encode(png(image(tensor))).decode()
    alt = f"{caption.split()[0].rstrip(',')} picture {index}"
    return f'<figure><img alt="{alt}" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'


def group(report: Report, name: str, findings: list[Finding], behind: dict) -> str:
    more = "".join(f'<p class="note">{text(line)}</p>' for line in elsewhere(report, name))
    head = f'<h2 id="{text(name)}">{text(name)}: {points_of(findings)} points</h2>'
    return head + table(report, findings, behind) + more


def extras(report: Report, behind: dict) -> str:
    if not (found := beyond(report)):
        return ""
    head = f'<h2 id="extras">beyond the assignment: {points_of(found)} points, counted apart</h2>'
    return f"{head}<p>{praise(found)}</p>{table(report, found, behind)}"


def table(report: Report, findings: list[Finding], behind: dict) -> str:
    """The rows of these findings; those that another one hides are told there."""
    told = report.roots()
    lines = "".join(row(f, behind.get(f.check, [])) for f in findings if f.check not in told)
    return f"<table>{lines}</table>" if lines else ""


def row(finding: Finding, behind: Sequence[Finding] = ()) -> str:
    said = "".join(said_as(note) for note in [*notes(finding), *([hides(behind)] if behind else [])])
    word = mark(finding)
    points = f'<td class="n">{points_of([finding])}</td>'
    return f'<tr class="{css(word)}"><td class="mark">{word}</td><td>{text(finding.title)}{said}</td>{points}</tr>'


def said_as(note: str) -> str:
    if note.startswith("your line: "):
        return f'<p class="note">your line: <code>{text(note.removeprefix("your line: "))}</code></p>'
    kind = " hint" if note.startswith("→") else " hides" if note.startswith("hides: ") else ""
    return f'<p class="note{kind}">{text(note)}</p>'


def limits(enforced: dict[str, str]) -> str:
    lines = "".join(table_row([text(name), text(state)], []) for name, state in enforced.items())
    return f"<h2>How the submission was kept apart</h2><table>{lines}</table>" if lines else ""


def printed(output: str) -> str:
    return f"<h2>The end of what it printed</h2><pre>{text(output)}</pre>" if output.strip() else ""


def table_row(cells: list[str], numbers: list[str], status: str = "") -> str:
    columns = [f"<td>{cell}</td>" for cell in cells] + [f'<td class="n">{value}</td>' for value in numbers]
    return f'<tr class="{status}">{"".join(columns)}</tr>' if status else f"<tr>{''.join(columns)}</tr>"


def text(value: str) -> str:
    return html.escape(printable(value))


def css(words: str) -> str:
    """A mark or verdict as the name of a class."""
    return {"–": "absent", "ok": "passed", EXTRA: "passed", DEVIATES: "hidden", NOT_YET: "absent"}.get(
        words, words.lower().replace(" ", "-")
    )
