"""A case: marked events with their notes, how to find them again, and the verdict on the record, in one file.

The file is for people, and needs nothing else: no script, nothing from outside. What it was made of stands at
its end once more, as data in a comment, so that it can be made again from a store and compared.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from audit_tui.core.command_text import zone_option
from audit_tui.core.event import AuditEvent, from_us, to_us
from audit_tui.core.event_text import cleaned_whole, escaped_markdown, json_text
from audit_tui.core.investigate.case import Search
from audit_tui.core.text import clean_visible
from audit_tui.core.time.dates import TimeContext
from audit_tui.core.time.zones import zone_named
from audit_tui.errors import FileError, TimeError
from audit_tui.output.case_content import Case, Exhibit, Timeline, heads, told_fields
from audit_tui.output.case_html import html_body, timeline_svg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HTML, MARKDOWN = "html", "md"
FORMS = (HTML, MARKDOWN)
MAX_EVENTS = 1_000
"""A case is read by people."""
MAX_FILE_BYTES = 200_000_000
MAX_DATA_BYTES = 50_000_000
_DATA = re.compile(r"\n<!-- audit-tui case 1: ([A-Za-z0-9_=-]+) -->\n\Z")


def case_text(case: Case, form: str) -> str:
    """Return the text of a case file.

    Args:
        case: Its content.
        form: One of FORMS.
    """
    case = _named_zone(case)
    return _body(case, form) + f"\n<!-- audit-tui case 1: {_packed(case, form)} -->\n"


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


def _body(case: Case, form: str) -> str:
    if form == HTML:
        return html_body(case)
    return "\n".join(_markdown(case))


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
    """Return a text as one line that Markdown shows as it is."""
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
