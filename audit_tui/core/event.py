"""One audit event, the row that a list shows of it, and its JSON form."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any, NamedTuple

from audit_tui.core.columns import COLUMNS, Column, ListColumn
from audit_tui.core.json_encoding import compact_encoder

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIN_US = -62_135_596_800_000_000
"""0001-01-01T00:00:00Z, the earliest time that a datetime holds."""
MAX_US = 253_402_300_799_999_999
"""9999-12-31T23:59:59.999999Z, the latest time that a datetime holds."""
MAX_SEVERITY = 6


NUMBER_BITS = 43
"""A shared engine counts the events of each store; the ``seq`` there is the store's number and, in the lowest
bits, the event's."""
_NUMBER_MASK = (1 << NUMBER_BITS) - 1


class Outcome(StrEnum):
    """The end of the act (ECS event.outcome). Never guessed: what is not told is unknown."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = "unknown"


class EventRow(NamedTuple):
    """The part of an event that a list shows. The texts are as stored: hostile until cleaned."""

    seq: int
    occurred_us: int
    event: str
    category: str | None
    user: str | None
    description: str | None
    outcome: Outcome
    severity: int | None
    source_ip: str | None
    target: str | None
    source: str | None
    metadata: tuple[tuple[str, str], ...] = ()
    """The names and texts of the metadata fields that the query asks for; absent ones are left out."""

    def text(self, column: ListColumn) -> str | None:
        """Return the text of a column of the list; None if it has none, as the time, which is a number."""
        if column is Column.TIME:
            return None
        value = getattr(self, column.attribute)
        return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One audit record, before or after it is stored.

    The texts are as given: hostile until cleaned (``core.text``).
    """

    event: str
    """The name of what happened (ECS event.action)."""
    occurred_us: int
    """When, in microseconds since 1970-01-01T00:00:00Z; negative before."""
    key: str | None = None
    """The mark that makes a second import of the record store nothing; None lets the store make one."""
    category: str | None = None
    """The kind of thing it happened to (ECS event.category); None when not told."""
    user: str | None = None
    """The user who did it (ECS user.name); None when nobody is named."""
    description: str | None = None
    """A sentence for people (ECS message); None when not told."""
    outcome: Outcome = Outcome.UNKNOWN
    severity: int | None = None
    """0 (unknown) to 6 (fatal), as OCSF severity_id; None when not told."""
    source_ip: str | None = None
    """The address the act came from, as text; may be a host name where the source says so."""
    target: str | None = None
    """The thing that was acted upon; None when not told."""
    source: str | None = None
    """The origin of the record: a format, an application, a host."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """The rest of the record, a JSON object as given."""
    original: bytes | None = None
    """The record's own bytes, kept only when columns and metadata cannot give it back, or on request."""
    seq: int | None = None
    """1, 2, 3 ... in order of append, without gaps; None before the event is stored."""
    store: str = ""
    """The name of the store that it was shipped from; empty in that store itself."""

    @property
    def number_words(self) -> str:
        """Its number for people, ``1,204`` or ``1,204 of web-1``; empty before it is stored."""
        if self.seq is None:
            return ""
        return number_text(self.seq) + (f" of {self.store}" if self.store else "")

    @property
    def occurred_at(self) -> datetime:
        """When it happened, as an aware datetime in UTC."""
        return from_us(self.occurred_us)

    def to_json(self) -> dict[str, Any]:
        """The event as a JSON object with the keys of the commands; what is absent is None."""
        values = dict(zip(_KEYS, _values_of(self), strict=True))
        values["time"], values["outcome"] = iso_utc(self.occurred_us), self.outcome.value
        return values


_KEYS = [column.value for column in COLUMNS]
_values_of = attrgetter(*(column.attribute for column in COLUMNS))


def number_text(seq: int) -> str:
    """The number of an event in its store, for people."""
    return f"{seq & _NUMBER_MASK:,}"


def packed_seq(store_number: int, number: int) -> int:
    """The ``seq`` in a shared engine of an event of a store, 1 to 2 ** 43 - 1, by both numbers."""
    return store_number << NUMBER_BITS | number


def from_us(occurred_us: int) -> datetime:
    """The moment as an aware datetime in UTC; clamped to the years 1 to 9999, which datetime can hold."""
    return EPOCH + timedelta(microseconds=min(max(occurred_us, MIN_US), MAX_US))


def to_us(moment: datetime) -> int:
    """An aware datetime in microseconds since 1970, exact.

    Raises:
        ValueError: If the datetime is naive: a time without a zone is not a moment.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return (moment - EPOCH) // timedelta(microseconds=1)


def iso_utc(occurred_us: int) -> str:
    """The moment as ``2026-11-01T14:00:00.000000Z``: always six digits, so that text sorts as time."""
    moment = from_us(occurred_us)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z".rjust(27, "0")


_encode = compact_encoder()


def json_text(value: object) -> str:
    """A JSON value as compact text that UTF-8 can hold.

    Lone surrogates, which real logs contain, are written as escapes; everything else as itself.
    """
    text = _encode(value)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text
