"""Completing and checking an event that a program or a person records.

What is not told is filled from the catalogue and never guessed; what cannot be stored as it is given is
refused, because a record that was quietly changed is worth little.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from audit_tui.core.event import MAX_SEVERITY, MAX_US, MIN_US, AuditEvent, Outcome, to_us
from audit_tui.core.text import closest
from audit_tui.errors import EventError

IP_ADDRESS = "IP Address"
"""The metadata name of the address that the user acted from; it fills an event's source IP."""


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """An entry of the catalogue."""

    event: str
    category: str
    meaning: str
    """A sentence for a person that says what it records."""
    metadata: tuple[str, ...]
    """The names that its metadata should have, in the catalogue's order."""
    target: tuple[str, ...]
    """The metadata names that say what was acted upon, the best one first: Name, else ID."""

    def missing(self, metadata: Mapping[str, Any]) -> tuple[str, ...]:
        """The expected names that are not there, in the catalogue's order.

        Names are compared without regard to case. A name that is there with a null counts as recorded:
        that nothing was set is what the record says.
        """
        recorded = {name.casefold() for name in metadata}
        return tuple(name for name in self.metadata if name.casefold() not in recorded)

    def target_of(self, metadata: Mapping[str, Any]) -> str | None:
        """Return what was acted upon: the name, else the ID, of the thing that the category is about.

        A list of IDs is joined by commas; None when the metadata does not say.
        """
        return _first_text(metadata, self.target)


class Catalogue:
    """The known events, found by name; a store may hold any other event as well."""

    def __init__(self, entries: tuple[CatalogueEntry, ...]) -> None:
        self._entries = {entry.event: entry for entry in entries}

    def __iter__(self) -> Iterator[CatalogueEntry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories, each once, in the catalogue's order."""
        return tuple(dict.fromkeys(entry.category for entry in self))

    def find(self, event: str) -> CatalogueEntry | None:
        """Return the entry of the event of exactly this name; None if it has none."""
        return self._entries.get(event)


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The catalogue that ships with the package; read at the first call."""
    # Only the detail pane and recording need it: 8 ms that the first paint does not wait for.
    import tomllib
    from importlib.resources import files

    text = (files("audit_tui.core") / "catalogue.toml").read_text(encoding="utf-8")
    return Catalogue(tuple(_entries(tomllib.loads(text))))


def source_ip_of(metadata: Mapping[str, Any]) -> str | None:
    """The address that the user acted from, as the metadata names it; None when it does not."""
    return _first_text(metadata, (IP_ADDRESS,))


def _entries(data: dict[str, Any]) -> Iterator[CatalogueEntry]:
    for category in data["category"]:
        for event in category["event"]:
            yield CatalogueEntry(
                event=event["name"],
                category=category["name"],
                meaning=event["meaning"],
                metadata=tuple(event["metadata"]),
                target=tuple(category["target"]),
            )


def _first_text(metadata: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    by_name = {name.casefold(): value for name, value in metadata.items()}
    for name in names:
        text = _text(by_name.get(name.casefold()))
        if text:
            return text
    return None


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case bool() | None:
            return ""
        case int() | float():
            return str(value)
        case list() | tuple():
            return ", ".join(part for part in map(_text, value) if part)
        case _:
            return ""


MAX_EVENT_CHARS = 16 * 1024 * 1024
"""A larger event is refused, as at import: a viewer reads no row above four times that many bytes."""
_SHOWN_CHARS = 60
_TEXTS = ("category", "user", "description", "source_ip", "target", "source")
_COMPARED = ("event", *_TEXTS, "outcome", "severity", "metadata")
# NaN and the infinities are not JSON: SQLite's own JSON functions end at them.
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def moment_us(occurred_at: datetime) -> int:
    """When an event happened, as events hold it.

    Raises:
        EventError: If it is not a datetime, has no zone, or lies outside the years 1 to 9999 in UTC.
    """
    if not isinstance(occurred_at, datetime):
        raise EventError(f"The time must be a datetime, not {_shown(occurred_at)}.")
    if occurred_at.utcoffset() is None:
        raise EventError(
            f"The time {occurred_at} has no zone, so nobody can tell which moment it is.",
            "Give an aware datetime: datetime.now(UTC), or naive.astimezone() for the machine's zone.",
        )
    occurred_us = to_us(occurred_at)
    _require_moment(occurred_us)
    return occurred_us


def outcome_named(name: str) -> Outcome:
    """The outcome of this name; EventError if there is none."""
    try:
        return Outcome(name)
    except ValueError:
        raise EventError(
            f"There is no outcome {_shown(name)}.", f"Outcomes are {', '.join(Outcome)}."
        ) from None


def completed(event: AuditEvent) -> AuditEvent:
    """The event as it will be recorded.

    An empty text counts as not told. What is not told comes from elsewhere where it is known: the category
    from the catalogue, the source IP from the metadata "IP Address", the target from the metadata that name
    what the event's category is about.

    Raises:
        EventError: If it cannot be stored as it is given.
    """
    _require_text("event", event.event)
    if not event.event.strip():
        raise EventError("An event needs a name.", 'As "Role created", or any other.')
    if event.key is not None:
        _require_text("key", event.key)
        if not event.key.strip():
            raise EventError("The key is empty.", "Leave it out for a random one.")
    for name in _TEXTS:
        if getattr(event, name) is not None:
            _require_text(name, getattr(event, name))
    _require_moment(event.occurred_us)
    severity = event.severity
    if severity is not None and (
        isinstance(severity, bool) or not isinstance(severity, int) or not 0 <= severity <= MAX_SEVERITY
    ):
        message = f"The severity must be a number from 0 to {MAX_SEVERITY}, not {_shown(severity)}."
        raise EventError(message)
    metadata = _json_object(event.metadata)
    _require_small(event, metadata)
    entry = catalogue().find(event.event)
    return replace(
        event,
        category=event.category or (entry.category if entry else None),
        user=event.user or None,
        description=event.description or None,
        source_ip=event.source_ip or source_ip_of(metadata),
        target=event.target or (entry.target_of(metadata) if entry else None),
        source=event.source or None,
        outcome=outcome_named(event.outcome),
        metadata=metadata,
    )


def require_known(event: AuditEvent) -> None:
    """Refuse what the catalogue does not know.

    Raises:
        EventError: If the catalogue has no such event, has it in another category, or expects other
            metadata; all of it in one message.
    """
    entry = catalogue().find(event.event)
    if entry is None:
        meant = event_meant(event.event)
        raise EventError(
            f"The catalogue has no event {_shown(event.event)}.",
            f"Did you mean {meant}?" if meant else "Only events of the catalogue are recorded strictly.",
        )
    problems = list(_problems(event, entry))
    if problems:
        raise EventError(
            f"{event.event} is not as the catalogue has it: {'; '.join(problems)}.",
            f"Its category is {entry.category}, its metadata {', '.join(entry.metadata)}.",
        )


def expected_missing(event: AuditEvent) -> tuple[str, ...]:
    """The metadata that the catalogue expects of this event and that it does not have."""
    entry = catalogue().find(event.event)
    return () if entry is None else entry.missing(event.metadata)


def event_meant(name: str) -> str | None:
    """The event of the catalogue that somebody probably meant; None when it has this one, or none like it."""
    entries = catalogue()
    return None if entries.find(name) else _like(name, (entry.event for entry in entries))


def is_same(event: AuditEvent, other: AuditEvent) -> bool:
    """Tell whether two events with one key say the same.

    Their times may differ: who records again after a failure does it later.
    """
    return all(getattr(event, name) == getattr(other, name) for name in _COMPARED)


def _problems(event: AuditEvent, entry: CatalogueEntry) -> Iterable[str]:
    if event.category != entry.category:
        yield f"its category is not {_shown(event.category)}"
    missing = entry.missing(event.metadata)
    if missing:
        yield f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    expected = {name.casefold() for name in entry.metadata}
    for name in event.metadata:
        if name.casefold() not in expected:
            meant = _like(name, missing) or _like(name, entry.metadata)
            yield f"{_shown(name)} is unknown" + (f" (did you mean {meant}?)" if meant else "")
    for folded, times in Counter(name.casefold() for name in event.metadata).items():
        if times > 1:
            yield f"{_shown(folded)} stands there {times} times"


def _like(name: str, names: Iterable[str]) -> str | None:
    by_folded = {other.casefold(): other for other in names}
    return by_folded.get(closest(name[:_SHOWN_CHARS].casefold(), by_folded, cutoff=0.75))


def _require_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise EventError(f"The {name} must be text, not {_shown(value)}.")


def _require_moment(occurred_us: int) -> None:
    if not isinstance(occurred_us, int) or not MIN_US <= occurred_us <= MAX_US:
        raise EventError(f"The time lies outside the years 1 to 9999 in UTC: {_shown(occurred_us)} µs.")


def _json_object(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata as the store gives it back: tuples as lists, say."""
    stored = {}
    for name, value in metadata.items():
        _require_text("name of metadata", name)
        try:
            stored[name] = json.loads(_ENCODER.encode(value))
        except (TypeError, ValueError, RecursionError) as error:
            raise EventError(
                f"The metadata {_shown(name)} is not JSON: {error}.",
                "JSON has texts, finite numbers, true, false, null, lists and objects.",
            ) from None
    return stored


def _require_small(event: AuditEvent, metadata: dict[str, Any]) -> None:
    texts = (event.event, event.key, *(getattr(event, name) for name in _TEXTS))
    size_chars = sum(len(text) for text in texts if text is not None)
    if metadata:
        size_chars += len(_ENCODER.encode(metadata))
    size_chars += len(event.original or b"")
    if size_chars > MAX_EVENT_CHARS:
        raise EventError(
            f"The event has {size_chars:,} characters; {MAX_EVENT_CHARS:,} can be recorded.",
            "Keep the bulk elsewhere, and record where it is.",
        )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
