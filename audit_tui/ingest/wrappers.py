"""What log records come wrapped in, in two tables: lists of records, and frames around one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audit_tui.formats.decoding import inner_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_tui.formats.record import Fields

_ANYTHING: frozenset[str] | None = None

_LISTS: dict[str, frozenset[str] | None] = {
    # The key of the list -> the keys that may stand beside it; others make it an event that has a list.
    "Records": _ANYTHING,  # CloudTrail
    "records": frozenset(),  # Azure
    "Events": frozenset({"NextToken"}),  # CloudTrail LookupEvents
    "value": frozenset({"@odata.context", "@odata.nextLink", "@odata.count", "nextLink", "count"}),
    "items": frozenset({"kind", "apiVersion", "metadata", "etag", "nextPageToken"}),
    "events": frozenset({"searchedLogStreams", "nextToken", "nextForwardToken", "nextBackwardToken"}),
}


def list_key(fields: Fields) -> str | None:
    """Under which key an object holds the records that it wraps; None when it is a record itself."""
    if len(fields) > 8 or _LISTS.keys().isdisjoint(fields):
        return None
    for key, beside in _LISTS.items():
        records = fields.get(key)
        if not isinstance(records, list):
            continue
        holds_objects = all(isinstance(record, dict) for record in records[:3])
        if holds_objects and (beside is None or fields.keys() - {key} <= beside):
            return key
    return None


def may_be_list_key(key: str) -> bool:
    """Whether an array under this key may hold records, when the object is too big to look at whole."""
    return key in _LISTS


class _Frame(NamedTuple):
    """One kind of object that stands around a record."""

    name: str
    """Under which the metadata keep what stood around."""
    key: str
    """Where the record is: an object, JSON in a text, or a list of them."""
    inner_key: str = ""
    """Where it is in there; empty for all of it."""
    needs: frozenset[str] = frozenset()
    """Keys that stand beside it."""
    beside: frozenset[str] | None = _ANYTHING
    """The only keys that may stand beside it."""
    is_sure: bool = False
    """It is peeled even when what is inside is of no known format."""


_FRAMES = (
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
_JSON_STARTS = frozenset("{ \t\r\n")
_CELLS = frozenset({"AuditData", "_raw"})


class Peeled(NamedTuple):
    """What was inside a frame."""

    name: str
    """The kind of frame."""
    parts: list[tuple[Fields, bool]]
    """The records, and whether each does not say all that its text says; at least one."""
    frame: Fields
    """What stood around them."""
    is_sure: bool
    """They are the records, also when they are of no known format."""


def has_record_cells(names: list[str]) -> bool:
    """Whether a CSV header names a column whose cells hold whole records as JSON."""
    return not _CELLS.isdisjoint(names)


def frame_keys(names: Iterable[str]) -> tuple[str, ...]:
    """Which keys of a record may hold what it is a frame around, or a list of records; mostly none.

    Records of one kind have the same keys, so this is asked once for many.
    """
    there = set(names)
    return tuple(key for key in (*_LISTS, *_FRAME_KEYS) if key in there)


def may_hold_records(value: object) -> bool:
    """Whether a value may be, or hold as JSON, a record or a list of them; cheap, a guess for texts."""
    return value[:1] in _JSON_STARTS if isinstance(value, str) else isinstance(value, dict | list)


def peeled(fields: Fields) -> list[Peeled]:
    """What a record may be a frame around, the most telling first; empty when it is none."""
    found: list[Peeled] = []
    # The reader peels lists of the file itself; this one lies in a list or a text.
    inner_list = list_key(fields)
    if inner_list is not None:
        parts = _parts(fields[inner_list])
        if parts is not None:
            found.append(Peeled("list", parts, _without(fields, inner_list), is_sure=True))
    for key in _FRAME_KEYS:
        # Most records have a key of these, with a plain text that is no frame: this must cost nothing.
        value = fields.get(key)
        if not may_hold_records(value):
            continue
        for frame in _FRAMES_OF[key]:
            inside = _peeled(frame, fields, value)
            if inside is not None:
                found.append(inside)
    return found


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
    return Peeled(frame.name, parts, around | {frame.key: rest} if rest else around, frame.is_sure)


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
