"""A case as one HTML page: no script, nothing from outside, and no attribute that data could reach."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.core.event_text import cleaned_whole
from audit_tui.core.text import clean_visible, counted
from audit_tui.core.time.zones import date_text
from audit_tui.output.case_content import heads, told_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.output.case_content import Case, Exhibit, Timeline

_STYLE = """\
:root { color-scheme: light dark; --ink: #1c2330; --quiet: #5d6778; --line: #d7dce4; --box: #f6f7f9;
  --back: #ffffff; --accent: #1f5fbf; --bad: #b3261e; --note: #fff6d9; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #dfe4ec; --quiet: #98a3b5; --line: #343c4a; --box: #1c222c;
    --back: #12161d; --accent: #7fb0ff; --bad: #ff8a80; --note: #3a3420; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 1rem; }
h2 { font-size: 1.1rem; margin: 0 0 .3rem; }
h1, h2, p, dd, li { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: 7rem 1fr; gap: .15rem .8rem; margin: .6rem 0; }
dt { color: var(--quiet); }
dd { margin: 0; }
article { border: 1px solid var(--line); border-radius: .4rem; background: var(--box);
  padding: .9rem 1rem; margin: 1rem 0; }
.failed h2 { color: var(--bad); }
.note { background: var(--note); border-left: .25rem solid var(--accent); padding: .4rem .8rem;
  margin: .6rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: .85rem/1.45 ui-monospace, monospace;
  margin: .4rem 0; }
summary { color: var(--accent); cursor: pointer; }
svg { width: 100%; height: auto; display: block; }
figure { margin: 1rem 0; }
figcaption { color: var(--quiet); font-size: .9rem; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin: 0 0 .4rem; } }
@media print { article { break-inside: avoid; } }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""No script and nothing from outside, whatever stands in the page."""
_WIDTH, _HEIGHT = 960, 120


def html_body(case: Case) -> str:
    """Return the page of a case."""
    return "\n".join(_page(case))


def timeline_svg(timeline: Timeline, case: Case) -> str:
    """Return the picture of the numbers of events over time, with the marked ones below; of numbers alone."""
    most = max((*timeline.counts, 1))
    width = _WIDTH / max(1, len(timeline.counts))
    bars = []
    for number, count in enumerate(timeline.counts):
        if count:
            height = max(2.0, (_HEIGHT - 30) * count / most)
            x, y = number * width, _HEIGHT - 20 - height
            wide = max(1.0, width - 1)
            bars.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{height:.1f}"/>')
    span_us = timeline.end_us - timeline.start_us
    marks = []
    for exhibit in case.exhibits:
        share = (exhibit.event.occurred_us - timeline.start_us) / span_us
        if 0 <= share <= 1:
            x = share * _WIDTH
            marks.append(f'<circle cx="{x:.1f}" cy="{_HEIGHT - 10}" r="5"/>')
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" xmlns="http://www.w3.org/2000/svg">'
        f'<title>Events over time</title><g fill="#7f8ba0">{"".join(bars)}</g>'
        f'<g fill="#c2410c">{"".join(marks)}</g></svg>'
    )


def _page(case: Case) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield f"<title>{_text(case.title)}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<main>"
    yield f"<h1>{_text(case.title)}</h1>"
    yield _list(heads(case))
    if case.timeline is not None:
        zone, span = case.context.zone, case.timeline
        start, end = (date_text(us, zone) for us in (span.start_us, span.end_us))
        yield f"<figure>{timeline_svg(case.timeline, case)}"
        most = max((*case.timeline.counts, 0))
        words = f"{start} to {end}; up to {counted(most, 'event')} a bar; the marked ones below."
        yield f"<figcaption>{words}</figcaption>"
        yield "</figure>"
    for number, exhibit in enumerate(case.exhibits, 1):
        yield from _article(number, exhibit, case)
    if case.searches:
        yield "<h2>Queries</h2>"
        for search in case.searches:
            link = f"\naudit-tui open {_text(search.link)}" if search.link else ""
            yield f"<p>{_text(search.name)}</p>\n<pre>{_text(search.line) or 'everything'}{link}</pre>"
    yield "</main>\n</body>\n</html>"


def _article(number: int, exhibit: Exhibit, case: Case) -> Iterator[str]:
    event = exhibit.event
    has_failed = event.outcome is Outcome.FAILURE
    yield '<article class="failed">' if has_failed else "<article>"
    yield f"<h2>{number}. {'✗ ' if has_failed else ''}{_text(event.event)}</h2>"
    if event.description:
        yield f"<p>{_text(event.description)}</p>"
    if exhibit.note:
        lines = "\n".join(_text(line) for line in exhibit.note.split("\n"))
        yield f'<div class="note">{lines}</div>'
    yield _list(list(told_fields(event, case.context)))
    whole = json.dumps(event.to_json(), indent=1, ensure_ascii=True)
    yield f"<details><summary>All of it, as JSON</summary><pre>{html.escape(whole)}</pre></details>"
    yield "</article>"


def _list(pairs: list[tuple[str, str]]) -> str:
    items = "".join(f"<dt>{_text(label)}</dt><dd>{_text(text)}</dd>" for label, text in pairs)
    return f"<dl>{items}</dl>"


def _text(text: str) -> str:
    """Return a text as HTML shows it."""
    return html.escape(cleaned_whole(text, clean_visible))
