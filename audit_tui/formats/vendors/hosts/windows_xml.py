"""Windows events as XML (``wevtutil``, the Event Viewer), in the shape of ``evtx_dump``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from audit_tui.formats.line_records import has_no_text
from audit_tui.formats.record import MAX_RECORD_CHARS, Record, Reject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.formats.record import Fields, LogText

_BEGIN = re.compile(r"<Event[\s>]")
_END = "</Event>"
_DECLARES = re.compile(r"<!(?!\[CDATA\[)")
"""Declarations of entities, which could blow up."""
_MAX_DEPTH = 20


def records(text: LogText) -> Iterator[Record | Reject]:
    """Return the events of a log, and what is between them that is none."""
    number, first, rest = 0, 1, ""
    for line in text.lines():
        number += bool(line)
        if not rest:
            first = number
        rest += line
        while (end := rest.find(_END)) >= 0:
            yield _record(text.name, first, rest[: end + len(_END)])
            first, rest = number, rest[end + len(_END) :].lstrip()
        if len(rest) > MAX_RECORD_CHARS:
            yield Reject(text.name, first, None, "the record is longer than 16 MiB", rest[:MAX_RECORD_CHARS])
            rest = ""
    if _BEGIN.search(rest) is not None:
        yield Reject(text.name, first, None, "the event does not end", rest)


def _record(name: str, line: int, text: str) -> Record | Reject:
    begin = _BEGIN.search(text)
    if begin is None:
        return Reject(name, line, None, "it is not an event of Windows", text)
    event = text[begin.start() :]
    if _DECLARES.search(event) is not None:
        return Reject(name, line, None, "it declares what no event of Windows does", event)
    try:
        fields = {"Event": _value(ElementTree.fromstring(event.encode("utf-8", "replace")), _MAX_DEPTH)}  # noqa: S314
    except (ElementTree.ParseError, RecursionError) as error:
        return Reject(name, line, None, f"it is not XML: {error}", event)
    return Record(fields, line, None, event, has_no_text(event))


def _value(element: ElementTree.Element, depth: int) -> Any:  # noqa: ANN401 - a JSON value
    """An element as JSON: a text, or an object of what is inside; named data by its names."""
    if not depth:
        raise RecursionError("it is nested too deeply")
    attributes = {_plain(name): value for name, value in element.attrib.items()}
    text = (element.text or "").strip()
    if not len(element):
        if not attributes:
            return text
        return {"#attributes": attributes, "#text": text} if text else {"#attributes": attributes}
    inside: Fields = {"#attributes": attributes} if attributes else {}
    for child in element:
        name = child.get("Name") if _plain(child.tag) == "Data" else None
        key = name or _plain(child.tag)
        value = child.text or "" if name else _value(child, depth - 1)
        if key not in inside:
            inside[key] = value
        elif isinstance(inside[key], list):
            inside[key].append(value)
        else:
            inside[key] = [inside[key], value]
    return inside


def _plain(name: str) -> str:
    return name.rpartition("}")[2]
