"""A class as one self-contained page for the staff: how it did, what to teach, who awaits a person, every result."""

import base64
import hashlib
import math
import statistics as numbers
from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote

from .. import results
from ..results import Finding, Report
from ..similarity.found import THRESHOLD, Alike, Pair
from . import asked_groups, marks_of, notes, number, plots, points_of, span, statistics
from .classstyle import SCRIPT, STYLE
from .html import css, page, said_as, text

ORDER = (results.PASSED, results.REVIEW, results.FAILED, results.ERROR)
WORDS = {
    results.PASSED: "passed",
    results.REVIEW: "to be looked at",
    results.FAILED: "failed",
    results.ERROR: "no verdict",
}
SHOWN = 12  # rows or names that are shown at once; the others can be opened
PERCENT, DB = 5, 0.5  # widths of bins


def render(reports: Sequence[Report], groups: Sequence[str], pass_db: float, alike: Alike | None = None) -> str:
    """The page. `groups` are the columns of points, `pass_db` the PSNR that is asked, `alike` who shares code."""
    reports = sorted(reports, key=lambda report: report.submission)
    parts = [head(reports), distributions(reports, pass_db), teach(reports), awaits(reports), same_code(alike)]
    parts += [
        failures(reports),
        alone(reports),
        table(reports, groups, alike or Alike()),
        f"<script>{SCRIPT}</script>",
    ]
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    return page(f"{len(reports)} submissions", STYLE, "\n".join(filter(None, parts)), f"sha256-{digest}")


def head(reports: Sequence[Report]) -> str:
    verdicts = Counter(report.verdict for report in reports)
    chips = "".join(
        f'<li class="{css(verdict)}"><b>{verdicts[verdict]}</b> {WORDS[verdict]}</li>'
        for verdict in ORDER
        if verdicts[verdict]
    )
    seconds = [report.seconds for report in reports]
    took = ""
    if seconds:
        slowest = max(reports, key=lambda report: report.seconds)
        took = (
            f"<p>Grading took {duration(sum(seconds))} in all, one after another; {numbers.median(seconds):.1f} s "
            f"for the median submission, {duration(slowest.seconds)} for the longest, {link(slowest.submission)}.</p>"
        )
    return f'<header><h1>{len(reports)} submissions</h1><ul class="chips">{chips}</ul>{took}</header>'


def duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s"


def distributions(reports: Sequence[Report], pass_db: float) -> str:
    shares = [(100 * r.score / r.max_score, WORDS[r.verdict]) for r in reports if r.max_score]
    found = [(r.psnr, WORDS[r.verdict]) for r in reports if r.psnr is not None and math.isfinite(r.psnr)]
    kinds = [WORDS[verdict] for verdict in ORDER]
    figures = []
    if shares:
        bins = plots.binned(shares, PERCENT, 0, 100)
        middle = numbers.median(share for share, _ in shares)
        svg = plots.histogram(bins, kinds, "certain marks, % of what is asked")
        figures.append(figure("Marks", svg, f"median {middle:.0f} %"))
    if found:
        values = [db for db, _ in found]
        low, high = math.floor(max(min(values), 0)), math.ceil(min(max(values), 50) + 0.01)
        step = DB * max(1, math.ceil((high - low) / 12))  # some two dozen bars at most
        bins = plots.binned(found, step, low, low + step * math.ceil((high - low) / step))
        svg = plots.histogram(
            bins, kinds, "PSNR of the pretrained model, dB", pass_db, f"asked: {number(pass_db)} dB"
        )
        missing = len(reports) - len(found)
        told = f"median {numbers.median(values):.2f} dB" + (f"; {missing} without one" if missing else "")
        figures.append(figure("PSNR", svg, told))
    return f'<div class="plots">{"".join(figures)}</div>' if figures else ""


def figure(title: str, svg: str, said: str) -> str:
    return f"<figure><h2>{title}</h2>{svg}<figcaption>{said}</figcaption></figure>"


def teach(reports: Sequence[Report]) -> str:
    """The most frequent mistakes, each with an example."""
    cards = "".join(card(mistake, len(reports)) for mistake in statistics.mistakes(reports))
    return f'<h2>What to teach next week</h2><div class="cards">{cards}</div>' if cards else ""


def card(mistake: statistics.Mistake, of: int) -> str:
    said = "".join(map(said_as, notes(mistake.example)[:3])).replace("your line: ", "the line: ", 1)
    return (
        f"<article><h3>{text(mistake.example.title)}</h3><p><b>{len(mistake.names)}</b> of {of} fail it</p>{said}"
        f"{linked(mistake.names)}</article>"
    )


def awaits(reports: Sequence[Report]) -> str:
    """What a person has to look at."""
    rows = [
        f"<tr><td>{link(report.submission)}</td><td>{marks_of(report)}</td><td>{reasons(findings)}</td></tr>"
        for report, findings in statistics.waiting(reports)
    ]
    review = [
        f"<tr><td>{text(note)}</td><td>{linked(names)}</td></tr>" for note, names in statistics.to_review(reports)
    ]
    parts = []
    if rows:
        parts.append(f"<h3>Not judged, or the grader broke</h3>{folded(rows, 'submissions')}")
    if review:
        parts.append(f"<h3>Notes, those about the rules first</h3>{folded(review, 'notes')}")
    return f"<h2>What awaits a person</h2>{''.join(parts) or '<p>Nothing.</p>'}"


def reasons(findings: Sequence[Finding]) -> str:
    """Each reason once, with the checks that it keeps from being judged."""
    found: dict[str, list[str]] = {}
    for finding in findings:
        found.setdefault(finding.message, []).append(f"{finding.title} ({points_of([finding])})")
    return "".join(reason(why, what) for why, what in found.items())


def reason(why: str, what: Sequence[str]) -> str:
    if len(what) == 1:
        return f'<p class="note">{text(why)}: <i>{text(what[0])}</i></p>'
    names = text("; ".join(what))
    return f'<details><summary>{text(why)}: {len(what)} checks</summary><p class="note">{names}</p></details>'


def same_code(alike: Alike | None) -> str:
    """The pairs that share more than the handout explains."""
    if alike is None:
        return ""
    rows = [
        f"<tr><td>{link(pair.left)}</td><td>{link(pair.right)}</td><td>{beside(alike, pair, 'side by side')}</td>"
        + "".join(f'<td class="n">{share:.0%}</td>' for share in pair.shares)
        + "</tr>"
        for pair in alike.pairs
    ]
    columns = '<tr><th colspan="3"></th><th class="n">of the first</th><th class="n">of the second</th></tr>'
    parts = [folded(rows, "pairs", columns)] if rows else []
    if below := alike.below:
        pair = f"{link(below.left)} and {link(below.right)}"
        pairs = "other pair shares" if rows else "pair of submissions shares"
        told = f"No {pairs} {THRESHOLD:.0%} of the smaller one or more"
        parts.append(f"<p>{told}; the next is {below.value:.0%}: {pair}.</p>")
    if alike.left_out:
        parts.append(f"<p>Too little or too much source to be compared:</p>{linked(alike.left_out)}")
    parts = parts or ["<p>There is nothing to compare.</p>"]
    return f"<h2>Code in common, besides the handout's</h2>{''.join(parts)}"


def beside(alike: Alike, pair: Pair, said: str) -> str:
    page = alike.page(pair)
    return f'<a href="{page}">{said}</a>' if page else said


def failures(reports: Sequence[Report]) -> str:
    """Which checks failed how often."""
    rows = []
    for finding, counts in statistics.outcomes(reports):
        bars = "".join(
            f'<span class="bar {css(word)}" style="width:{100 * n / len(reports):.1f}%" title="{word}"></span>'
            for word, n in ((word, counts[word]) for word in statistics.COUNTED)
            if n
        )
        cells = "".join(f'<td class="n">{counts[word] or ""}</td>' for word in statistics.COUNTED)
        rows.append(
            f'<tr><td>{text(finding.title)} <small>{text(finding.check)}</small></td><td class="bars">{bars}</td>'
            f"{cells}</tr>"
        )
    heads = "".join(f'<th class="n">{word.lower()}</th>' for word in statistics.COUNTED)
    columns = f"<tr><th>check</th><th></th>{heads}</tr>"
    return f"<h2>Checks by how often they fail</h2>{folded(rows, 'checks', columns)}" if rows else ""


def alone(reports: Sequence[Report]) -> str:
    """Who fails for one thing alone: what a staff may decide to see otherwise."""
    rows = [
        f'<tr><td>{text(finding.title)} <small>{text(finding.check)}</small></td><td class="n">{len(names)}</td>'
        f"<td>{linked(names)}</td></tr>"
        for finding, names in statistics.alone(reports)
    ]
    if not rows:
        return ""
    told = (
        "<p>Whether it is to decide about passed or failed, <code>[kinds]</code> in the settings says; "
        "<code>--regrade</code> makes the marks anew.</p>"
    )
    return f"<h2>Who fails for one thing alone</h2>{told}{folded(rows, 'checks')}"


def folded(rows: Sequence[str], what: str, columns: str = "") -> str:
    """A table of which the first rows are shown, and the others once opened."""
    first = f'<div class="wide"><table>{columns}{"".join(rows[:SHOWN])}</table></div>'
    if len(rows) <= SHOWN:
        return first
    rest = f'<div class="wide"><table>{columns}{"".join(rows[SHOWN:])}</table></div>'
    return f"{first}<details><summary>{len(rows) - SHOWN} more {what}</summary>{rest}</details>"


def table(reports: Sequence[Report], groups: Sequence[str], alike: Alike) -> str:
    groups = [name for name in groups if any(name in asked_groups(report) for report in reports)]
    heads = "".join(
        f'<th{kind}><button type="button">{text(name)}</button></th>'
        for name, kind in [("name", ""), ("verdict", "")]
        + [(name, ' class="n"') for name in ("marks", "beyond", "dB", "in common", *groups, "time, s")]
    )
    rows = "".join(row(report, groups, alike) for report in reports)
    return (
        "<h2>Every submission</h2>"
        f'<div class="wide"><table id="all"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def row(report: Report, groups: Sequence[str], alike: Alike) -> str:
    db, found = report.psnr, asked_groups(report)
    score = f"{span(report.score, report.possible)} / {number(report.max_score)}"
    cells = [(score, report.score), (number(report.beyond[0]), report.beyond[0])]
    cells.append((f"{db:.2f}", db) if db is not None else ("–", -1))
    if pairs := alike.of(report.submission):
        cells.append((beside(alike, pairs[0], f"{pairs[0].value:.0%}"), pairs[0].value))
    else:
        cells.append(("–", -1))
    for name in groups:
        findings = found.get(name, [])
        low, high = sum(f.points for f in findings), sum(f.possible for f in findings)
        cells.append((span(low, high), low) if findings else ("–", -1))
    cells.append((f"{report.seconds:.1f}", report.seconds))
    values = "".join(f'<td class="n" data-v="{value:g}">{shown}</td>' for shown, value in cells)
    verdict = f'<td class="verdict {css(report.verdict)}">{WORDS[report.verdict]}</td>'
    return f"<tr><td>{link(report.submission)}</td>{verdict}{values}</tr>"


def linked(names: Sequence[str]) -> str:
    first = ", ".join(map(link, names[:SHOWN]))
    if len(names) <= SHOWN:
        return f'<p class="names">{first}</p>'
    rest = ", ".join(map(link, names[SHOWN:]))
    more = f"<details><summary>{len(names) - SHOWN} more</summary>{rest}</details>"
    return f'<div class="names">{first}{more}</div>'


def link(name: str) -> str:
    target = quote(f"submissions/{name.encode('utf-8', 'replace').decode()}.html")
    return f'<a href="{target}">{text(name)}</a>'
