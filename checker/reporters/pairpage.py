"""Two submissions side by side, with what both have marked: for a person to judge who wrote what."""

from bisect import bisect_right
from itertools import pairwise

from ..similarity.found import Pair
from .html import page, text

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --mark: #fde68a; --here: #fdba74; }
@media (prefers-color-scheme: dark) { :root { --mark: #5b4708; --here: #9a4a09; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 1.5rem auto; padding: 0 1rem; max-width: 110rem; }
h1 { font-size: 1.4rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: .5rem 0; overflow-wrap: anywhere; }
.sides { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; }
pre { font: 13px/1.45 ui-monospace, monospace; overflow: auto; height: calc(100vh - 13rem); min-height: 16rem;
margin: 0; background: var(--soft); padding: .5rem; counter-reset: line; }
pre span::before { counter-increment: line; content: counter(line); display: inline-block; width: 2.6em;
margin-right: .8em; text-align: right; opacity: .45; }
pre a { background: var(--mark); color: inherit; text-decoration: none; }
pre a:hover, pre a:target { background: var(--here); }
@media (max-width: 50rem) { .sides { grid-template-columns: minmax(0, 1fr); } pre { height: 60vh; } }
"""
Stretches = tuple[tuple[int, int], ...]


def render(pair: Pair, sides: tuple[str, str], shared: tuple[Stretches, Stretches, list[int]]) -> str:
    """The page. `shared` has the stretches (first, past the last character) of either text, and for each of the left
    the number of the right one that it is found in.
    """
    left, right, partner = shared
    back = {there: here for here, there in reversed(list(enumerate(partner)))}
    columns = (
        column(pair.left, pair.shares[0], sides[0], left, "l", [f"r{there}" for there in partner]),
        column(pair.right, pair.shares[1], sides[1], right, "r", [f"l{back.get(n, '')}" for n in range(len(right))]),
    )
    title = f"{text(pair.left)} and {text(pair.right)}"
    body = (
        f"<h1>{title}</h1><p>What both have besides the handout is marked, under whatever names; click to see it on "
        "the other side. That two are alike does not say who wrote it, or that it was not allowed. "
        f'<a href="../class.html">The class</a></p><div class="sides">{"".join(columns)}</div>'
    )
    return page(title, STYLE, body)


def column(name: str, share: float, source: str, stretches: Stretches, side: str, links: list[str]) -> str:
    return (
        f"<section><h2>{text(name)}: {share:.0%} of its own code</h2>"
        f"<pre>{marked(source, stretches, side, links)}</pre></section>"
    )


def marked(source: str, stretches: Stretches, side: str, links: list[str]) -> str:
    """The source, a span for each line, with the stretches as links, broken where a line ends."""
    starts, edges = [a for a, _ in stretches], {edge for stretch in stretches for edge in stretch}
    shown, place, seen = [], 0, set()
    for line in source.split("\n"):
        inside = sorted({place, place + len(line)} | {e for e in edges if place < e < place + len(line)})
        parts = []
        for a, b in pairwise(inside):
            number = bisect_right(starts, a) - 1
            piece = text(source[a:b])
            if number >= 0 and a < stretches[number][1] and piece.strip():
                label = "" if number in seen else f' id="{side}{number}"'
                seen.add(number)
                target = f' href="#{links[number]}"' if links[number] != "l" else ""
                piece = f"<a{label}{target}>{piece}</a>"
            parts.append(piece)
        shown.append(f"<span>{''.join(parts)}</span>")
        place += len(line) + 1
    return "\n".join(shown)
