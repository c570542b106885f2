"""A case: marked events with their notes, how to find them again, and the verdict on the record, in one file.

The file is for people, and needs nothing else: no script, nothing from outside. What it was made of stands at
its end once more, as data in a comment, so that it can be made again from a store and compared.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from audit_tui.core.command_text import zone_option
from audit_tui.core.event import AuditEvent, Outcome, from_us, to_us
from audit_tui.core.event_text import cleaned_whole, escaped_markdown, json_text, told_time
from audit_tui.core.investigate.notebook import Search
from audit_tui.core.record import Record
from audit_tui.core.text import clean_visible, counted
from audit_tui.core.time.dates import TimeContext
from audit_tui.core.time.zones import date_text, zone_named
from audit_tui.errors import FileError, TimeError

_FIELDS = (
    ("Time", lambda event, context: told_time(event.occurred_us, context)),
    ("User", lambda event, _: event.user),
    ("Source IP", lambda event, _: event.source_ip),
    ("Target", lambda event, _: event.target),
    ("Outcome", lambda event, _: event.outcome.value),
    ("Category", lambda event, _: event.category),
    ("Source", lambda event, _: event.source),
    ("Number", lambda event, _: event.number_words),
    ("Key", lambda event, _: event.key),
)


class Exhibit(Record):
    """A marked event."""

    event: AuditEvent
    note: str = ""
    """The user's; empty for none."""


class Timeline(Record):
    """The numbers of events in stretches of time of the same length, for the picture."""

    start_us: int
    end_us: int
    counts: tuple[int, ...]


class Case(Record):
    """All that a case file says."""

    title: str
    context: TimeContext
    """The zone of all times, and the moment that it was made."""
    store_name: str
    store_id: str
    verdict: str
    """The seals in words."""
    exhibits: tuple[Exhibit, ...]
    """In the order of time."""
    searches: tuple[Search, ...] = ()
    timeline: Timeline | None = None
    is_redacted: bool = False
    """Pseudonyms stand in the place of names."""


def told_fields(event: AuditEvent, context: TimeContext) -> Iterator[tuple[str, str]]:
    """Yield what a case says of an event, but for its description and JSON: label and text, cleaned."""
    for label, text_of in _FIELDS:
        text = text_of(event, context)
        if text:
            yield label, cleaned_whole(text, clean_visible)


def heads(case: Case) -> list[tuple[str, str]]:
    """Return what a case says at its top: label and text, cleaned."""
    made_us = to_us(case.context.now)
    return [
        ("Made", told_time(made_us, case.context)),
        ("Store", clean_visible(f"{case.store_name} ({case.store_id})")),
        ("Events", counted(len(case.exhibits), "marked event")),
        ("Seals", clean_visible(case.verdict)),
        *([("Names", "replaced by pseudonyms")] if case.is_redacted else []),
        ("Check", "audit-tui verify --case FILE -s STORE makes this file again and compares"),
    ]


HTML, MARKDOWN = "html", "md"
FORMS = (HTML, MARKDOWN)
MAX_EVENTS = 1_000
"""A case is read by people."""
MAX_FILE_BYTES = 200_000_000
MAX_DATA_BYTES = 50_000_000
_DATA = re.compile(r"\n<!-- audit-tui case 1: ([A-Za-z0-9_=-]+) -->\n\Z")


def case_text(case: Case, form: str) -> str:
    """Return the text of a case file."""
    case = _named_zone(case)
    body = html_body(case) if form == HTML else "\n".join(_markdown(case))
    return body + f"\n<!-- audit-tui case 1: {_packed(case, form)} -->\n"


def read_case(text: str) -> tuple[Case, str]:
    """Return what a case file was made of, and its form; of its events only number and key.

    Raises:
        FileError: If it is not a case file of this program.
    """
    match = _DATA.search(text)
    try:
        if match is None:
            raise ValueError("no data")
        return _case(_unpacked(match[1]))
    except (ValueError, KeyError, TypeError, RecursionError, TimeError, zlib.error, binascii.Error):
        raise FileError(
            "This is not a case file, or its end was changed.", "audit-tui case OUT writes one."
        ) from None


def with_events(case: Case, events: Sequence[AuditEvent]) -> Case:
    """Return a case with these events in the places of those that it was read with."""
    exhibits = tuple(
        replace(exhibit, event=event) for exhibit, event in zip(case.exhibits, events, strict=True)
    )
    return replace(case, exhibits=exhibits)


def _markdown(case: Case) -> Iterator[str]:
    yield f"# {_line(case.title)}\n"
    for label, text in heads(case):
        yield f"- {label}: {_line(text)}"
    for number, exhibit in enumerate(case.exhibits, 1):
        event = exhibit.event
        mark = "✗ " if event.outcome == "failure" else ""
        yield f"\n## {number}. {mark}{_line(event.event)}\n"
        if event.description:
            yield f"{_line(event.description)}\n"
        if exhibit.note:
            yield "".join(f"> {_line(line)}  \n" for line in exhibit.note.split("\n"))
        for label, text in told_fields(event, case.context):
            yield f"- {label}: {_line(text)}"
        yield f"\n    {json_text(event)}"
    if case.searches:
        yield "\n## Queries\n"
        for search in case.searches:
            yield f"- {_line(search.name)}\n\n      {clean_visible(search.line) or 'everything'}"
            if search.link:
                yield f"\n      audit-tui open {clean_visible(search.link)}"
    if case.timeline is not None:
        yield "\n## Time\n"
        yield timeline_svg(case.timeline, case)


def _line(text: str) -> str:
    return escaped_markdown(cleaned_whole(text, clean_visible)).replace("#", "\\#")


def _named_zone(case: Case) -> Case:
    """Return a case in a zone that has the same name everywhere: the machine's own may have none."""
    zone = case.context.zone
    name = zone_option(zone)
    if name != "local":
        return case
    offset = case.context.now.astimezone(zone).strftime("%z")
    return replace(case, context=replace(case.context, zone=zone_named(f"{offset[:3]}:{offset[3:5]}")))


def _packed(case: Case, form: str) -> str:
    timeline = case.timeline
    plain = {
        "form": form,
        "title": case.title,
        "made": to_us(case.context.now),
        "zone": zone_option(case.context.zone),
        "store": [case.store_name, case.store_id],
        "verdict": case.verdict,
        "redacted": case.is_redacted,
        "events": [[each.event.seq, each.event.key, each.note] for each in case.exhibits],
        "searches": [[each.name, each.line, each.link] for each in case.searches],
        "timeline": None if timeline is None else [timeline.start_us, timeline.end_us, list(timeline.counts)],
    }
    data = zlib.compress(json.dumps(plain, separators=(",", ":")).encode(), 9)
    return base64.urlsafe_b64encode(data).decode()


def _unpacked(text: str) -> dict[str, Any]:
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(base64.b64decode(text, altchars=b"-_", validate=True), MAX_DATA_BYTES)
    if not unpacking.eof:
        raise ValueError("unpacks too far")
    plain = json.loads(data)
    if not isinstance(plain, dict):
        raise ValueError("not an object")
    return plain


def _case(plain: dict[str, Any]) -> tuple[Case, str]:
    form, made, verdict = plain["form"], plain["made"], plain["verdict"]
    (name, store_id), events, timeline = plain["store"], plain["events"], plain["timeline"]
    texts = (
        plain["title"],
        verdict,
        name,
        store_id,
        *(text for search in plain["searches"] for text in search),
    )
    if form not in FORMS or not all(isinstance(text, str) for text in texts) or len(events) > MAX_EVENTS:
        raise ValueError("not a case")
    exhibits = []
    for seq, key, note in events:
        if not (isinstance(seq, int) and isinstance(key, str) and isinstance(note, str)):
            raise ValueError("not an event")
        exhibits.append(Exhibit(AuditEvent("", 0, key=key, seq=seq), note))
    if timeline is not None:
        start_us, end_us, counts = timeline
        if not all(isinstance(number, int) and number >= 0 for number in counts) or start_us >= end_us:
            raise ValueError("not a timeline")
        timeline = Timeline(int(start_us), int(end_us), tuple(counts))
    context = TimeContext(zone_named(str(plain["zone"])), from_us(int(made)), 0)
    searches = tuple(Search(*search) for search in plain["searches"])
    case = Case(
        plain["title"],
        context,
        name,
        store_id,
        verdict,
        tuple(exhibits),
        searches,
        timeline,
        bool(plain["redacted"]),
    )
    return case, form


_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""No script and nothing from outside, whatever stands in the page."""
_WIDTH, _HEIGHT = 960, 120


def html_body(case: Case) -> str:
    """Return the page of a case: no script, nothing from outside, no attribute that data could reach."""
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
    yield f"<title>{_text(case.title)}</title>\n<style>\n{_style()}</style>\n</head>\n<body>\n<main>"
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


def _style() -> str:
    return Path(__file__).with_name("case.css").read_text("utf-8")


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
    return html.escape(cleaned_whole(text, clean_visible))
