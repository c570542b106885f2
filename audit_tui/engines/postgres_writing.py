"""Writing to PostgreSQL: batches of one store after the other, each in a transaction of its own."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from importlib import resources
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors

from audit_tui.core.event import packed_seq
from audit_tui.engines.layout import (
    FORMAT,
    GRAIN_US,
    NO_NAME,
    OUTCOMES,
    Field,
    derived,
    digest_of,
    mark_of,
)
from audit_tui.engines.postgres import PostgresConnection, check_format, told
from audit_tui.errors import NotAStore, SourceLost, StoreBusy, StoreError
from audit_tui.store.index.row_tests import metadata_leaves
from audit_tui.store.tables.rows import stored_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audit_tui.core.source import SourceUrl
    from audit_tui.engines.outgoing import Batch, OutgoingEvent, Removal

_COUNTED = (Field.ALL, Field.EVENT, Field.CATEGORY, Field.USER)
MAX_NAMES = 200_000
"""Numbers of names kept in memory."""
_EVENT_COLUMNS = (
    "id, occurred_us, event, category, username, origin, outcome, severity, key, description, source_ip,"
    " target, metadata, original, folded_description, folded_target, folded_source_ip, target_address,"
    " source_address, texts, folded_texts"
)
_ADD_TOTALS = (
    "INSERT INTO audit_totals (field, name, span, n)"
    " SELECT * FROM unnest(%s::smallint[], %s::int[], %s::int[], %s::bigint[])"
    " ON CONFLICT (field, name, span) DO UPDATE SET n = audit_totals.n + excluded.n"
)
_ADD_NAMES = (
    "INSERT INTO audit_names (field, digest, name, folded)"
    " SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::text[]) ON CONFLICT (field, digest) DO NOTHING"
)
ROLES = f"""\
INSERT INTO audit_about (name, value)
    VALUES ('format', '{FORMAT}'), ('id', replace(gen_random_uuid()::text, '-', ''));
-- Two roles, as a superuser or the owner of the tables. Give each user of yours one of them:
--     GRANT audit_reader TO oncall;
CREATE ROLE audit_reader NOLOGIN;
CREATE ROLE audit_shipper NOLOGIN;
GRANT SELECT ON audit_about, audit_stores, audit_names, audit_events, audit_totals, audit_batches,
    audit_removed TO audit_reader, audit_shipper;
GRANT INSERT ON audit_stores, audit_names, audit_events, audit_totals, audit_batches, audit_removed
    TO audit_shipper;
-- The totals are the one thing that grows in place. Nobody may change or delete an event.
GRANT UPDATE (n) ON audit_totals TO audit_shipper;
ALTER ROLE audit_reader SET default_transaction_read_only = on;
-- Wanted where words in texts are searched for, and pg_trgm can be had: milliseconds instead of a look at all
-- rows, for a third more disk.
-- CREATE EXTENSION pg_trgm;
-- CREATE INDEX audit_events_trigrams ON audit_events USING gin (
--     coalesce(folded_texts, lower(texts)) gin_trgm_ops,
--     coalesce(folded_description, lower(description)) gin_trgm_ops,
--     coalesce(folded_target, lower(target)) gin_trgm_ops,
--     coalesce(folded_source_ip, lower(source_ip)) gin_trgm_ops);
"""


def schema_sql() -> str:
    """Return the statements that make the tables."""
    return (resources.files("audit_tui.engines") / "postgres.sql").read_text(encoding="utf-8")


class PostgresWriter:
    """Implements ``shipping.SharedWriter``.

    Args:
        url: The server and the database; its tables are made if there are none.

    Raises:
        SourceLost: If it cannot be reached.
        StoreError: If it refuses.
    """

    def __init__(self, url: SourceUrl) -> None:
        self._url = url
        self._connection = PostgresConnection(url, is_writing=True)
        self._raw = self._connection.raw
        self._names: dict[tuple[Field, str], int] = {}
        try:
            check_format(self._connection, url)
        except NotAStore:
            self._make_tables()

    def register(self, store_id: str, name: str) -> int:
        """Return the number of a store here, a new one for a new store."""
        find = "SELECT store FROM audit_stores WHERE store_id = %s"
        add = (
            "INSERT INTO audit_stores (store, store_id, name, folded)"
            " SELECT coalesce(max(store), 0) + 1, %s, %s, %s FROM audit_stores ON CONFLICT DO NOTHING"
        )
        try:
            while True:
                row = self._raw.execute(find, (store_id,)).fetchone()
                if row is not None:
                    return int(row[0])
                self._raw.execute(add, (store_id, name, name.casefold()))
        except psycopg.Error as error:
            raise self._told(error) from None

    def head(self, store: int) -> tuple[int, str]:
        """Return the newest event of a store here, and the root up to it; 0 and nothing before the first."""
        query = "SELECT last_n, root FROM audit_batches WHERE store = %s ORDER BY last_n DESC LIMIT 1"
        try:
            row = self._raw.execute(query, (store,)).fetchone()
        except psycopg.Error as error:
            raise self._told(error) from None
        return (int(row[0]), str(row[1])) if row else (0, "")

    def send(self, store: int, batch: Batch) -> None:
        """Write a batch, its totals and its head in one transaction.

        Raises:
            StoreBusy: If another shipper of the same store was faster.
            SourceLost: If the server went away; whether the batch was written is told by ``head``.
        """
        try:
            self._learn(batch.events)
            rows, totals = self._rows(store, batch.events)
            with self._raw.transaction():
                # First, so that the second of two shippers of one store ends before it has sent anything.
                self._raw.execute(
                    "INSERT INTO audit_batches (store, last_n, first_n, root, note, shipped_us, leaves)"
                    " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                    (
                        store,
                        batch.last,
                        batch.first,
                        batch.root,
                        batch.note,
                        time.time_ns() // 1000,
                        batch.leaves,
                    ),
                )
                with self._raw.cursor().copy(f"COPY audit_events ({_EVENT_COLUMNS}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                # In one order for all shippers, so that none waits for another in a circle.
                keys = sorted(totals)
                columns: list[list[int]] = [list(column) for column in zip(*keys, strict=True)] or [
                    [],
                    [],
                    [],
                ]
                self._raw.execute(_ADD_TOTALS, (*columns, [totals[key] for key in keys]))
        except (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure):
            raise StoreBusy(
                "Another shipper of this store was faster.", "One for each store is enough."
            ) from None
        except psycopg.Error as error:
            raise self._told(error) from None

    def declare(self, store: int, removals: Sequence[Removal]) -> None:
        """Write what declared acts removed."""
        if not removals:
            return
        columns = [list(column) for column in zip(*removals, strict=True)]
        try:
            self._raw.execute(
                "INSERT INTO audit_removed (store, by_n, first_n, last_n)"
                " SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) ON CONFLICT DO NOTHING",
                (store, *columns),
            )
        except psycopg.Error as error:
            raise self._told(error) from None

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()

    def _make_tables(self) -> None:
        try:
            with self._raw.transaction():
                self._raw.execute(schema_sql())
                about = {"id": secrets.token_hex(16), "format": str(FORMAT)}
                for name, value in about.items():
                    self._raw.execute("INSERT INTO audit_about (name, value) VALUES (%s, %s)", (name, value))
        except (errors.DuplicateTable, errors.UniqueViolation):
            # Another shipper made them at the same moment.
            check_format(self._connection, self._url)
        except psycopg.Error as error:
            raise self._told(error) from None

    def _learn(self, events: Iterable[OutgoingEvent]) -> None:
        """Number the names of events."""
        if len(self._names) > MAX_NAMES:
            self._names.clear()
        wanted: dict[Field, set[str]] = {field: set() for field in Field}
        for event in events:
            for field, name in (
                (Field.EVENT, event.event),
                (Field.CATEGORY, event.category),
                (Field.USER, event.user),
                (Field.SOURCE, event.source),
            ):
                if name is not None:
                    wanted[field].add(name)
            if event.metadata is not None:
                wanted[Field.PATH].update(stored_text(path) for path, _ in metadata_leaves(event.metadata))
        for field, names in wanted.items():
            new = sorted(name for name in names if (field, name) not in self._names)
            if new:
                self._number(field, new)

    def _number(self, field: Field, names: list[str]) -> None:
        digests = list(map(digest_of, names))
        folded = [mark_of(name) if field is Field.PATH else name.casefold() for name in names]
        self._raw.execute(_ADD_NAMES, (int(field), digests, names, folded))
        rows = self._raw.execute(
            "SELECT digest, id FROM audit_names WHERE field = %s AND digest = ANY (%s)", (int(field), digests)
        ).fetchall()
        numbers = dict(rows)
        for name, digest in zip(names, digests, strict=True):
            self._names[field, name] = numbers[digest]

    def _rows(
        self, store: int, events: Sequence[OutgoingEvent]
    ) -> tuple[list[tuple[Any, ...]], Counter[tuple[int, int, int]]]:
        """Return the rows of events, and what they add to the totals by field, name and span."""
        names = self._names
        rows: list[tuple[Any, ...]] = []
        totals: Counter[tuple[int, int, int]] = Counter()
        for event in events:
            numbers = [
                None if name is None else names[field, name]
                for field, name in (
                    (Field.EVENT, event.event),
                    (Field.CATEGORY, event.category),
                    (Field.USER, event.user),
                    (Field.SOURCE, event.source),
                )
            ]
            more = derived(event.description, event.target, event.source_ip, event.metadata)
            rows.append(
                (packed_seq(store, event.number), event.occurred_us, *numbers, OUTCOMES.index(event.outcome),
                 event.severity, event.key, event.description, event.source_ip, event.target, event.metadata,
                 event.original, *more)
            )  # fmt: skip
            for field, number in zip(_COUNTED, (0, *numbers), strict=False):
                totals[int(field), number or NO_NAME, event.occurred_us // GRAIN_US[field]] += 1
        return rows, totals

    def _told(self, error: psycopg.Error) -> StoreError:
        kind = SourceLost if self._raw.closed else StoreError
        return told(error, self._url, kind)
