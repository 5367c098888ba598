"""Style and script of the class's page. Without the script the table is sorted by name."""

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --good: #15803d; --bad: #c81e1e; --wait: #b45309;
--ask: #2563eb; }
@media (prefers-color-scheme: dark) { :root { --good: #4ade80; --bad: #f87171; --wait: #fbbf24; --ask: #60a5fa; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: .8rem 0 .3rem; } small { opacity: .65; } a { color: inherit; }
.chips { list-style: none; display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; margin: .6rem 0; }
.chips li { border-left: .4rem solid var(--line); background: var(--soft); padding: .2rem .8rem; }
.chips .passed { border-color: var(--good); } .chips .failed { border-color: var(--bad); }
.chips .to-be-looked-at { border-color: var(--ask); } .chips .error { border-color: var(--wait); }
.plots, .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); gap: 1.2rem; }
figure { margin: 0; } figcaption { font-size: .9rem; opacity: .8; } svg { width: 100%; height: auto; }
svg text { font-size: 11px; fill: currentColor; } .grid { stroke: var(--line); fill: none; }
.limit { stroke: currentColor; stroke-dasharray: 4 3; fill: none; }
rect.passed { fill: var(--good); } rect.failed { fill: var(--bad); } rect.to-be-looked-at { fill: var(--ask); }
rect.no-verdict { fill: var(--wait); }
article { background: var(--soft); padding: .2rem 1rem .8rem; border-top: .25rem solid var(--bad); min-width: 0; }
article h3 { margin-top: .6rem; } .note, article p { margin: .3rem 0; overflow-wrap: anywhere; }
.hint { font-style: italic; } code { background: var(--soft); padding: .1rem .3rem; }
.names { font-size: .9rem; } summary { cursor: pointer; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
td, th { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.wide td > a { white-space: nowrap; } .wide .names { min-width: 14rem; margin: 0; }
#all { font-size: .82rem; } #all td, #all th { padding: .25rem .3rem; } #all td:first-child { white-space: nowrap; }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible { outline: 2px solid var(--ask); }
[aria-sort=ascending] button::after { content: " ↑"; } [aria-sort=descending] button::after { content: " ↓"; }
.verdict { font-weight: 600; } .verdict.passed { color: var(--good); }
.verdict.failed { color: var(--bad); } .verdict.to-be-looked-at { color: var(--ask); }
.verdict.error { color: var(--wait); }
.bars { width: 12rem; min-width: 7rem; white-space: nowrap; font-size: 0; padding-top: .6rem; }
.bar { display: inline-block; height: .8rem; } .bar.failed { background: var(--bad); }
.bar.hidden { background: var(--line); } .bar.not-judged { background: var(--ask); }
"""

SCRIPT = """
const table = document.getElementById("all"), heads = [...table.tHead.rows[0].cells];
heads.forEach((head, place) => head.firstChild.addEventListener("click", () => {
  const down = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  heads.forEach(other => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down === 1 ? "ascending" : "descending");
  const value = row => row.cells[place].dataset.v ?? row.cells[place].textContent;
  const compare = (a, b) => value(a).localeCompare(value(b), undefined, { numeric: true });
  const order = "v" in table.tBodies[0].rows[0].cells[place].dataset ? (a, b) => value(a) - value(b) : compare;
  table.tBodies[0].append(...[...table.tBodies[0].rows].sort((a, b) => down * order(a, b)));
}));
"""
