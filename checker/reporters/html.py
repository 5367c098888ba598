"""A report as one self-contained page: no script, nothing loaded, everything a submission said escaped."""

import base64
import html
from collections.abc import Sequence

from .. import results
from ..results import Finding, Report
from . import notes, printable
from .pictures import Picture, image, png
from .text import MARKS, number, points_of

VERDICTS = {
    results.PASSED: "Passed: everything is as it should be",
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
.mark { width: 5rem; font-weight: 600; } .passed .mark { color: var(--good); }
.failed .mark, .error .mark { color: var(--bad); } .skipped .mark { color: var(--wait); }
.note { margin: .2rem 0; white-space: pre-wrap; overflow-wrap: anywhere; } .hint { font-style: italic; }
tr.failed, tr.error { background: #f871711f; }
.trio { display: inline-flex; gap: 6px; margin: 0 1.5rem 1rem 0; } figure { margin: 0; width: 128px; }
figcaption { font-size: .8rem; font-variant-numeric: tabular-nums; }
img { width: 100%; image-rendering: pixelated; display: block; }
pre { background: var(--soft); padding: .5rem; overflow: auto; max-height: 20rem; }
"""


def render(report: Report, pictures: Sequence[Picture] = ()) -> str:
    """The page. `pictures` are the worst of the validation set."""
    score = f"{number(report.score)} of {number(report.max_score)} points"
    parts = [
        f'<header class="{report.verdict}"><h1>{VERDICTS[report.verdict]}</h1>',
        f"<p><strong>{score}</strong>, {text(report.submission)}, graded in {report.seconds:.0f} s</p></header>",
        summary(report),
        *measurements(report.measurements),
        worst(pictures),
        *(group(name, findings) for name, findings in report.groups().items()),
        limits(report.enforced),
        printed(report.output),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{score}: {text(report.submission)}</title>\n<style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(filter(None, parts))
        + "\n</body></html>\n"
    )


def summary(report: Report) -> str:
    lines = []
    for name, findings in report.groups().items():
        asked = [finding for finding in findings if finding.status != results.ABSENT]
        passed = sum(finding.status == results.PASSED for finding in asked)
        link = f'<a href="#{text(name)}">{text(name)}</a>'
        worst_status = next((s for s in (results.ERROR, results.FAILED) if any(f.status == s for f in findings)), "")
        lines.append(table_row([link], [f"{passed} / {len(asked)}", points_of(findings)], worst_status))
    note = f"<p>{report.left_out} more checks are not shown here; they count too.</p>" if report.left_out else ""
    head = '<tr><th>group</th><th class="n">passed</th><th class="n">points</th></tr>'
    return f"<h2>Summary</h2><table>{head}{''.join(lines)}</table>{note}"


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


def worst(pictures: Sequence[Picture]) -> str:
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
    data = base64.b64encode(png(image(tensor))).decode()
    alt = f"{caption.split()[0].rstrip(',')} picture {index}"
    return f'<figure><img alt="{alt}" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'


def group(name: str, findings: list[Finding]) -> str:
    lines = "".join(row(finding) for finding in findings)
    return f'<h2 id="{text(name)}">{text(name)}: {points_of(findings)} points</h2><table>{lines}</table>'


def row(finding: Finding) -> str:
    said = "".join(
        f'<p class="note{" hint" if note.startswith("→") else ""}">{text(note)}</p>' for note in notes(finding)
    )
    mark = f'<td class="mark">{MARKS[finding.status]}</td>'
    points = f'<td class="n">{number(finding.points)} / {number(finding.max_points)}</td>'
    return f'<tr class="{finding.status.replace(" ", "-")}">{mark}<td>{text(finding.title)}{said}</td>{points}</tr>'


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
