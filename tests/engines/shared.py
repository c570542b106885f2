"""Stores that were shipped to an engine, and readers of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import packed_seq
from audit_tui.core.source import SourceUrl
from audit_tui.engines.clickhouse_writing import ClickHouseWriter
from audit_tui.engines.opening import open_shared, shipper_of, writer_of
from audit_tui.engines.postgres_writing import PostgresWriter
from audit_tui.store.write.writer import StoreWriter
from tests.store.samples import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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


def number_stores(url: str, paths: Mapping[int, Path], name: str = "") -> None:
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
