"""The wrappers that log records come in, in two tables: lists of records, and frames around one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.formats.decoding import inner_json
from audit_tui.formats.generic import names_a_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from audit_tui.formats.record import Fields

_ANYTHING: frozenset[str] | None = None

_LISTS = (
    "Records", "records", "Events", "events", "value", "values", "items", "entries", "results", "result",
    "data", "logs", "hits", "rows", "activities", "audits", "audit_events", "auditEvents", "audit_logs",
    "auditLogs", "log_entries",
)  # fmt: skip
"""Keys under which pages of APIs and deliveries have their records, the most telling first."""
_ALWAYS = frozenset({"Records"})
"""Whatever stands beside it: CloudTrail."""
_WITHIN = ("hits", "data", "result", "results", "response", "body", "payload", "_embedded")
"""Objects in which pages have their lists."""
_ACTS = frozenset({"event", "action", "operation", "eventName", "event_name", "eventType", "event_type"})
_OF_PAGES = re.compile(
    r"meta|link|page|pagin|cursor|info|shard|response|request|header|total|aggreg|stat", re.IGNORECASE
)
"""Names of objects that pages have beside their list."""
_MAX_BESIDE = 12
_MAX_DEPTH = 4


def list_key(fields: Fields) -> str | None:
    """Return the key under which an object holds the records that it wraps; None when it is a record itself.

    What has a time or an act of its own is an event that has a list.
    """
    if len(fields) > _MAX_BESIDE or fields.keys().isdisjoint(_LISTS):
        return None
    for key in _LISTS:
        records = fields.get(key)
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records[:3]):
            continue
        beside = fields.keys() - {key}
        if key in _ALWAYS or not (beside & _ACTS or names_a_time(beside) or _has_things(fields, beside)):
            return key
    return None


def _has_things(fields: Fields, beside: set[str]) -> bool:
    """Tell whether there are objects beside a list that no page has: who, what and where of an event."""
    return any(isinstance(fields[key], dict) and _OF_PAGES.search(key) is None for key in beside)


def may_be_list_key(key: str) -> bool:
    """Tell whether an array under this key may hold records, when the object is too big to look at whole."""
    return key in _LISTS


class _Frame(NamedTuple):
    """One kind of object that stands around a record."""

    name: str
    """Under which the metadata keep what stood around."""
    key: str
    """The key of the record: an object, JSON in a text, or a list of them."""
    inner_key: str = ""
    """The key of the record in that; empty for all of it."""
    needs: frozenset[str] = frozenset()
    """Keys that stand beside it."""
    beside: frozenset[str] | None = _ANYTHING
    """The only keys that may stand beside it."""
    is_sure: bool = False
    """It is peeled even when what is inside is of no known format."""


_FRAMES = (
    _Frame("Azure resource log", "properties", "log", needs=frozenset({"category", "time"})),
    _Frame("CloudTrail Lake", "eventData"),
    _Frame("EventBridge", "detail", needs=frozenset({"detail-type", "source"}), is_sure=True),
    _Frame("Elasticsearch", "_source", is_sure=True),
    _Frame("CloudWatch Logs", "logEvents", is_sure=True),
    _Frame("Okta hook", "data", "events", needs=frozenset({"eventType", "eventTime"})),
    _Frame("Auth0", "data", beside=frozenset({"log_id", "_id"}), needs=frozenset({"log_id"})),
    _Frame("Splunk result", "result", beside=frozenset({"preview", "offset", "lastrow"})),
    _Frame("Splunk", "_raw"),
    _Frame(
        "Splunk event",
        "event",
        beside=frozenset({"time", "host", "source", "sourcetype", "index", "fields"}),
        is_sure=True,
    ),
    _Frame("Purview export", "AuditData"),
    *(_Frame("Wazuh", key) for key in ("gcp", "github", "office365", "aws")),
    *(_Frame("Wazuh alert", "data", key) for key in ("gcp", "github", "office365", "aws")),
    _Frame("log line", "message"),
    _Frame("log line", "log"),
)
_FRAME_KEYS = tuple(dict.fromkeys(frame.key for frame in _FRAMES))
_FRAMES_OF = {key: [frame for frame in _FRAMES if frame.key == key] for key in _FRAME_KEYS}
_LINES = frozenset({"message", "log"})
"""Keys of lines that a program wrote: an object with a time in there is a record of its own."""
_JSON_STARTS = frozenset("{ \t\r\n")
_CELLS = frozenset({"AuditData", "_raw"})


class Peeled(NamedTuple):
    """The records that were inside a frame."""

    name: str
    """The kind of frame."""
    parts: list[tuple[Fields, bool]]
    """The records, and whether each does not say all that its text says; at least one."""
    frame: Fields
    """The fields that stood around them."""
    is_sure: bool
    """They are the records, also when they are of no known format."""


def has_record_cells(names: list[str]) -> bool:
    """Tell whether a CSV header names a column whose cells hold whole records as JSON."""
    return not _CELLS.isdisjoint(names)


def frame_keys(names: Iterable[str]) -> tuple[str, ...]:
    """Return which keys of a record may hold what it is a frame around, or a list of records; mostly none.

    Records of one kind have the same keys, so this is asked once for many.
    """
    present = set(names)
    if not names_a_time(present) and _ACTS.isdisjoint(present):
        return tuple(present)
    return tuple(key for key in dict.fromkeys((*_LISTS, *_WITHIN, *_TABLES, *_FRAME_KEYS)) if key in present)


def may_hold_records(value: object) -> bool:
    """Tell whether a value may be, or hold as JSON, a record or a list of them; cheap, a guess for texts."""
    return value[:1] in _JSON_STARTS if isinstance(value, str) else isinstance(value, dict | list)


def peeled(fields: Fields) -> list[Peeled]:
    """Return what a record may be a frame around, the most telling first; empty when it is none."""
    wrappers: list[Peeled] = []
    # The reader peels lists of the file itself; this one lies in a list or a text.
    inner_list = list_key(fields)
    if inner_list is not None:
        parts = _parts(fields[inner_list])
        if parts is not None:
            wrappers.append(Peeled("list", parts, _without(fields, inner_list), is_sure=True))
    if not wrappers and not names_a_time(fields):
        wrappers.extend(_pages(fields))
    for key in _FRAME_KEYS:
        # Most records have a key of these, with a plain text that is not a frame: this must cost nothing.
        value = fields.get(key)
        if not may_hold_records(value):
            continue
        for frame in _FRAMES_OF[key]:
            inside = _peeled(frame, fields, value)
            if inside is not None:
                wrappers.append(inside)
    if not wrappers and (path := _path_of_events(fields, _MAX_DEPTH)) is not None:
        items, around = _taken(fields, path)
        wrappers.append(Peeled("page", [(_node(item), False) for item in items], around, is_sure=True))
    return wrappers


def _pages(fields: Fields) -> Iterator[Peeled]:
    """The records of pages that have them one level down, or as rows of a table."""
    for key in _WITHIN:
        inner = fields.get(key)
        if not isinstance(inner, dict) or (inner_key := list_key(inner)) is None:
            continue
        parts = _parts(inner[inner_key])
        if parts is not None:
            around = _without(fields, key)
            rest = _without(inner, inner_key)
            yield Peeled("page", parts, {**around, key: rest} if rest else around, is_sure=True)
    for key, rows_of in _TABLES.items():
        rows = rows_of(fields.get(key))
        if rows:
            yield Peeled("table", [(row, False) for row in rows], _without(fields, key), is_sure=True)


def _node(item: Fields) -> Fields:
    node = item.get("node")
    return node if isinstance(node, dict) else item


def _path_of_events(fields: Fields, depth: int) -> tuple[str, ...] | None:
    """The path to a list of objects with times, under any names, in what is not an event itself."""
    if not depth or not _ACTS.isdisjoint(fields) or names_a_time(fields):
        return None
    for key, value in fields.items():
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            if all(names_a_time(_node(item)) for item in value[:3]):
                return (key,)
        elif isinstance(value, dict) and (path := _path_of_events(value, depth - 1)) is not None:
            return (key, *path)
    return None


def _taken(fields: Fields, path: tuple[str, ...]) -> tuple[list[Fields], Fields]:
    """The list at a path, and what stands around it."""
    key, *rest = path
    if not rest:
        return fields[key], _without(fields, key)
    items, around = _taken(fields[key], tuple(rest))
    return items, {**_without(fields, key), key: around} if around else _without(fields, key)


def _log_analytics(tables: object) -> list[Fields]:
    """The rows of tables of columns and rows, as Log Analytics answers."""
    rows: list[Fields] = []
    for table in tables if isinstance(tables, list) else ():
        columns = table.get("columns") if isinstance(table, dict) else None
        lines = table.get("rows") if isinstance(table, dict) else None
        if isinstance(columns, list) and isinstance(lines, list):
            names = [column.get("name") if isinstance(column, dict) else column for column in columns]
            rows.extend(
                {
                    str(name): value
                    for name, value in zip(names, line, strict=False)
                    if value not in (None, "")
                }
                for line in lines
                if isinstance(line, list)
            )
    return rows


def _query_rows(lines: object) -> list[Fields]:
    """Rows that are lists of objects with one value each, as CloudTrail Lake answers."""
    rows: list[Fields] = []
    for line in lines if isinstance(lines, list) else ():
        if isinstance(line, list) and all(isinstance(cell, dict) for cell in line):
            rows.append({name: value for cell in line for name, value in cell.items()})
    return rows


_TABLES = {"tables": _log_analytics, "QueryResultRows": _query_rows}


def _peeled(frame: _Frame, fields: Fields, value: object) -> Peeled | None:
    if not frame.needs <= fields.keys():
        return None
    if frame.beside is not None and not fields.keys() - {frame.key} <= frame.beside:
        return None
    inside, rest = value, None
    if frame.inner_key:
        if not isinstance(value, dict) or frame.inner_key not in value:
            return None
        rest = _without(value, frame.inner_key)
        inside = value[frame.inner_key]
    parts = _parts(inside)
    if parts is None:
        return None
    around = _without(fields, frame.key)
    is_sure = frame.is_sure or (frame.key in _LINES and all(names_a_time(part) for part, _ in parts))
    return Peeled(frame.name, parts, around | {frame.key: rest} if rest else around, is_sure)


def _without(fields: Fields, key: str) -> Fields:
    return {name: fields[name] for name in fields if name != key}


def _parts(value: object) -> list[tuple[Fields, bool]] | None:
    """The objects that a value is, or holds as JSON; None when it holds anything else."""
    if isinstance(value, dict):
        return [(value, False)]
    if isinstance(value, str):
        part = inner_json(value)
        return None if part is None else [part]
    if not isinstance(value, list) or not value:
        return None
    parts: list[tuple[Fields, bool]] = []
    for item in value:
        part = (item, False) if isinstance(item, dict) else inner_json(item)
        if part is None:
            return None
        parts.append(part)
    return parts
