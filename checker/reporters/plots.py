"""Plots as inline SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 440, 200  # of a plot, in units that scale with the page
LEFT, RIGHT, TOP, BOTTOM = 34, 14, 14, 40  # margins


@dataclass(frozen=True)
class Bins:
    """Equal bins of width `step` from `start`; `counts` has for each bin the number of values of every class."""

    start: float
    step: float
    counts: tuple[dict[str, int], ...]


def binned(values: Sequence[tuple[float, str]], step: float, low: float, high: float) -> Bins:
    """(value, class) in bins; values outside of low … high go into the outermost ones."""
    count = max(1, round((high - low) / step))
    counts = [{} for _ in range(count)]
    for value, kind in values:
        place = min(max(math.floor((value - low) / step + 1e-9), 0), count - 1)
        counts[place][kind] = counts[place].get(kind, 0) + 1
    return Bins(low, step, tuple(counts))


def histogram(bins: Bins, kinds: Sequence[str], label: str, line: float | None = None, said: str = "") -> str:
    """Stacked bars, a class of CSS each, in the order of `kinds`; `line` is a dashed one at that value."""
    most = max((sum(counts.values()) for counts in bins.counts), default=0) or 1
    wide, high = (WIDTH - LEFT - RIGHT) / len(bins.counts), HEIGHT - BOTTOM - TOP
    parts = [gridline(value, most, high) for value in ticks(most)]
    for place, counts in enumerate(bins.counts):
        parts += bar(bins, place, counts, kinds, wide, high / most)
    every = next(size for size in (1, 2, 4, 5, 10, 20, 50, len(bins.counts)) if len(bins.counts) <= 8 * size)
    for place in range(0, len(bins.counts) + 1, every):
        x = LEFT + place * wide
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{edge(bins, place)}</text>')
    if line is not None and bins.start <= line <= bins.start + bins.step * len(bins.counts):
        x = LEFT + (line - bins.start) / bins.step * wide
        parts.append(f'<path class="limit" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{x:.1f}" y="{TOP - 4}" text-anchor="middle">{said}</text>')
    middle = (LEFT + WIDTH) / 2
    parts.append(f'<text x="{middle:.0f}" y="{HEIGHT - 6}" text-anchor="middle">{label}</text>')
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Distribution: {label}">{"".join(parts)}</svg>'


def bar(bins: Bins, place: int, counts: dict[str, int], kinds: Sequence[str], wide: float, scale: float) -> list[str]:
    y, parts = HEIGHT - BOTTOM, []
    for kind in kinds:
        if n := counts.get(kind, 0):
            y -= n * scale
            title = f"<title>{edge(bins, place)} to {edge(bins, place + 1)}: {n} {kind}</title>"
            x = LEFT + place * wide + 1
            size = f'width="{wide - 2:.1f}" height="{n * scale:.1f}"'
            parts.append(f'<rect class="{kind.replace(" ", "-")}" x="{x:.1f}" y="{y:.1f}" {size}>{title}</rect>')
    return parts


def gridline(value: int, most: int, high: float) -> str:
    y = HEIGHT - BOTTOM - value / most * high
    return (
        f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{value}</text>'
    )


def ticks(most: int) -> range:
    """Whole numbers from 0, at most five of them."""
    step = next(size * 10**power for power in range(9) for size in (1, 2, 5) if size * 10**power * 4 >= most)
    return range(0, most + 1, step)


def edge(bins: Bins, place: int) -> str:
    return f"{bins.start + place * bins.step:g}"
