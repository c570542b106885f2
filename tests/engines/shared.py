"""Stores that were shipped to an engine, and readers of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg

from audit_tui.core.event import packed_seq
from audit_tui.core.source import SourceUrl
from audit_tui.engines.clickhouse_writing import ClickHouseWriter
from audit_tui.engines.opening import open_shared, open_table, shipper_of, writer_of
from audit_tui.engines.postgres_writing import PostgresWriter
from audit_tui.formats.mapping import Mapping
from audit_tui.store.tables.rows import stored_text
from audit_tui.store.write.writer import StoreWriter
from tests.store.samples import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from audit_tui.core.event import AuditEvent
    from audit_tui.core.query import EventReader


def append(path: Path, events: Iterable[AuditEvent]) -> None:
    with StoreWriter(path, durable=False) as writer:
        writer.append(list(events))


def ship(path: Path, url: str, name: str = "web-1", batch_events: int = 7) -> None:
    shipper = shipper_of(path, SourceUrl(url), name)
    shipper._batch_events = batch_events
    try:
        shipper.run(lambda *_: None)
    finally:
        shipper.close()


def store_id_of(path: Path) -> str:
    from audit_tui.engines.outgoing import OutgoingStore

    with OutgoingStore(path) as store:
        return store.store_id


def number_stores(url: str, paths: dict[int, Path], name: str = "") -> None:
    """Give stores their numbers in an engine before they are shipped.

    The events of number 0 have the numbers there that they have at home.
    """
    writer = writer_of(SourceUrl(url))()
    for number, path in paths.items():
        called, store_id = name or f"web-{number}", store_id_of(path)
        if isinstance(writer, PostgresWriter):
            writer._raw.execute(
                "INSERT INTO audit_stores (store, store_id, name, folded) VALUES (%s, %s, %s, %s)",
                (number, store_id, called, called),
            )
        else:
            assert isinstance(writer, ClickHouseWriter)
            columns = ("store", "store_id", "name", "folded", "version")
            writer._insert("audit_stores", [[number, store_id, called, called, 1]], columns)
    writer.close()


TABLE = """
CREATE TABLE acts (
    number bigint PRIMARY KEY, at bigint NOT NULL, act text NOT NULL, kind text, who text, words text,
    result text, level int, place text, thing text, origin text, name text, a jsonb, b jsonb
)
"""
MAPPING = Mapping(
    "acts",
    "acts",
    {
        "time": ("at",),
        "event": ("act",),
        "category": ("kind",),
        "user": ("who",),
        "description": ("words",),
        "outcome": ("result",),
        "severity": ("level",),
        "source_ip": ("place",),
        "target": ("thing",),
        "source": ("origin",),
        "key": ("name",),
    },
    time_unit="us",
    severities={str(number): number for number in range(7)},
)


def foreign(url: str) -> tuple[dict[int, AuditEvent], EventReader]:
    """Let another program keep the events in its own table; return them by number, and a reader of it."""
    # Its own lower() knows ASCII alone.
    texts = {"y ß": "y s"}
    events = {
        number: replace(
            event,
            description=texts.get(event.description or "", event.description),
            metadata=event.metadata | {"number": number},
        )
        for number, event in enumerate(EVENTS, 1)
    }
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(TABLE)
        rows = [
            (
                number,
                event.occurred_us,
                *map(_stored, (event.event, event.category, event.user, event.description, event.outcome)),
                event.severity,
                *map(_stored, (event.source_ip, event.target, event.source, event.key)),
                *(
                    json.dumps(event.metadata[name]) if name in event.metadata else None
                    for name in ("a", "b")
                ),
            )
            for number, event in events.items()
        ]
        cursor.executemany(f"INSERT INTO acts VALUES ({', '.join(['%s'] * 14)})", rows)
    return events, open_table(SourceUrl(url), "acts", MAPPING)()


def _stored(text: str | None) -> str | None:
    return None if text is None else stored_text(text)


def shipped(folder: Path, url: str) -> tuple[dict[int, AuditEvent], EventReader]:
    """Ship two stores that grow while a reader has the engine open; return the events by number, and it."""
    paths = [folder / "first.db", folder / "second.db"]
    parts = [EVENTS[:60], EVENTS[60:]]
    for path, events in zip(paths, parts, strict=True):
        append(path, events[:3])
    number_stores(url, dict(enumerate(paths)))
    reader = open_shared(SourceUrl(url))()
    for begin in range(3, max(map(len, parts)), 11):
        for path, events in zip(paths, parts, strict=True):
            append(path, events[begin : begin + 11])
            ship(path, url, batch_events=4)
        assert reader.newest_seq() == sum(min(begin + 11, len(part)) for part in parts)
    by_number = {
        packed_seq(number, place): event
        for number, part in enumerate(parts)
        for place, event in enumerate(part, 1)
    }
    return by_number, reader
