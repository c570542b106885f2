"""Writing to PostgreSQL: batches of one store after the other, each in a transaction of its own."""

from __future__ import annotations

import base64
import secrets
from collections import Counter
from contextlib import contextmanager, suppress
from itertools import repeat
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors

from audit_tui.core.source import POSTGRESQL
from audit_tui.engines.layout import FORMATS, HOUR_US, MONTH_US, MONTHS, NO_NAME, PAIRS, Field, digest_of
from audit_tui.engines.pool import check_format
from audit_tui.engines.postgres import NOT_NOW, PostgresConnection, told
from audit_tui.engines.writing import (
    EVENT_COLUMNS,
    MAX_NAMES,
    NULL,
    SharedWriter,
    folded_name,
    head_of,
    name_columns,
    names_of,
    rows_text,
    schema_sql,
)
from audit_tui.errors import SourceLost, StoreBusy, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from audit_tui.core.source import SourceUrl
    from audit_tui.engines.outgoing import Batch, Removal

_ADD_TOTALS = (
    "INSERT INTO audit_totals (field, name, span, n)"
    " SELECT * FROM unnest(%s::smallint[], %s::int[], %s::int[], %s::bigint[])"
    " ON CONFLICT (field, name, span) DO UPDATE SET n = audit_totals.n + excluded.n"
)
_COPY = f"COPY audit_events ({', '.join(EVENT_COLUMNS)}) FROM STDIN"
_ADD_BATCH = (
    "INSERT INTO audit_batches (store, last_n, first_n, root, note, shipped_us, leaves)"
    " VALUES (%(store)s, %(last_n)s, %(first_n)s, %(root)s, %(note)s, %(shipped_us)s, %(leaves)s)"
)
_CONFLICTS = (
    errors.UniqueViolation,
    errors.DuplicateTable,
    errors.DeadlockDetected,
    errors.SerializationFailure,
)
_ADD_NAMES = (
    "INSERT INTO audit_names (field, digest, name, folded)"
    " SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::text[]) ON CONFLICT (field, digest) DO NOTHING"
)
_FIND_NAMES = "SELECT digest, id FROM audit_names WHERE field = %s AND digest = ANY (%s)"
_MONTH_HOURS = MONTH_US // HOUR_US
ROLES = f"""\
INSERT INTO audit_about (name, value)
    VALUES ('format', '{FORMATS[POSTGRESQL]}'), ('id', replace(gen_random_uuid()::text, '-', ''));
-- Two roles, as a superuser or the owner of the tables. Give each user of yours one of them:
--     GRANT audit_reader TO oncall;
--     ALTER ROLE oncall SET default_transaction_read_only = on;  -- which is not inherited
CREATE ROLE audit_reader NOLOGIN;
CREATE ROLE audit_shipper NOLOGIN;
GRANT SELECT ON audit_about, audit_stores, audit_names, audit_events, audit_totals, audit_batches,
    audit_removed TO audit_reader, audit_shipper;
GRANT INSERT ON audit_stores, audit_names, audit_events, audit_totals, audit_batches, audit_removed
    TO audit_shipper;
-- The totals are the one thing that grows in place. Nobody may change or delete an event.
GRANT UPDATE (n) ON audit_totals TO audit_shipper;
-- Wanted where words in texts are searched for, and pg_trgm can be had: milliseconds instead of a look at all
-- rows, for a third more disk.
-- CREATE EXTENSION pg_trgm;
-- CREATE INDEX audit_events_trigrams ON audit_events USING gin (
--     coalesce(folded_texts, lower(texts)) gin_trgm_ops,
--     coalesce(folded_description, lower(description)) gin_trgm_ops,
--     coalesce(folded_target, lower(target)) gin_trgm_ops,
--     coalesce(folded_source_ip, lower(source_ip)) gin_trgm_ops);
"""


class PostgresWriter(SharedWriter):
    """Each batch is a transaction, with its totals and its head."""

    batch_events = 2_000

    def __init__(self, url: SourceUrl) -> None:
        connection = PostgresConnection(url, is_writing=True)
        self._raw = connection.raw
        self._names: dict[tuple[Field, str], int] = {}
        super().__init__(url, connection)

    def register(self, store_id: str, name: str) -> int:
        find = "SELECT store FROM audit_stores WHERE store_id = %s"
        add = (
            "INSERT INTO audit_stores (store, store_id, name, folded)"
            " SELECT coalesce(max(store), 0) + 1, %s, %s, %s FROM audit_stores ON CONFLICT DO NOTHING"
        )
        with self._refusals():
            while (row := self._raw.execute(find, (store_id,)).fetchone()) is None:
                self._raw.execute(add, (store_id, name, name.casefold()))
            return int(row[0])

    def head(self, store: int) -> tuple[int, str]:
        query = "SELECT last_n, root FROM audit_batches WHERE store = %s ORDER BY last_n DESC LIMIT 1"
        with self._refusals():
            row = self._raw.execute(query, (store,)).fetchone()
        return (int(row[0]), str(row[1])) if row else (0, "")

    def send(self, store: int, batch: Batch) -> None:
        with self._refusals():
            self._learn(batch)
            numbers = [
                [None if name is None else self._names[field, name] for name in column]
                for field, column in name_columns(batch)
            ]
            rows, totals = rows_text(store, batch, map(_numbers_text, numbers)), _totals(batch, numbers)
            with self._raw.transaction():
                # First, so that the second of two shippers of one store ends before it has sent anything.
                leaves = base64.b64encode(b"".join(batch.leaves)).decode()
                self._raw.execute(_ADD_BATCH, head_of(store, batch) | {"leaves": leaves})
                with self._raw.cursor().copy(_COPY) as copy:
                    copy.write(rows)
                # In one order for all shippers, so that none waits for another in a circle.
                added = [(*key, n) for key, n in sorted(totals.items())]
                columns = [list(column) for column in zip(*added, strict=True)] or [[]] * 4
                self._raw.execute(_ADD_TOTALS, columns)

    def declare(
        self, store: int, removals: Sequence[Removal], leaves: Callable[[int, int], Sequence[bytes]]
    ) -> None:
        del leaves  # all of them are in the batches
        columns = [list(column) for column in zip(*removals, strict=True)] or [[]] * 3
        with self._refusals():
            self._raw.execute(
                "INSERT INTO audit_removed (store, by_n, first_n, last_n)"
                " SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) ON CONFLICT DO NOTHING",
                (store, *columns),
            )

    def _make_tables(self) -> None:
        with suppress(StoreBusy), self._refusals(), self._raw.transaction():
            self._raw.execute(schema_sql("postgres"))
            about = {"id": secrets.token_hex(16), "format": str(FORMATS[POSTGRESQL])}
            for name, value in about.items():
                self._raw.execute("INSERT INTO audit_about (name, value) VALUES (%s, %s)", (name, value))
        # Another shipper may have made them at the same moment.
        check_format(self._connection, self._url)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except _CONFLICTS:
            raise StoreBusy(
                "Another shipper of this store was faster.", "One for each store is enough."
            ) from None
        except psycopg.Error as error:
            is_away = self._raw.closed or isinstance(error, NOT_NOW)
            raise told(error, self._url, SourceLost if is_away else StoreError) from None

    def _learn(self, batch: Batch) -> None:
        """Number the names of events."""
        if len(self._names) > MAX_NAMES:
            self._names.clear()
        for field, names in names_of(batch).items():
            if new := sorted(name for name in names if (field, name) not in self._names):
                digests = list(map(digest_of, new))
                folded = [folded_name(field, name) for name in new]
                self._raw.execute(_ADD_NAMES, (int(field), digests, new, folded))
                numbers = dict(self._raw.execute(_FIND_NAMES, (int(field), digests)).fetchall())
                self._names |= {
                    (field, name): numbers[digest] for name, digest in zip(new, digests, strict=True)
                }


def _numbers_text(numbers: Iterable[int | None]) -> Iterator[str]:
    return (NULL if number is None else str(number) for number in numbers)


def _totals(batch: Batch, numbers: Sequence[Sequence[int | None]]) -> Counter[tuple[int, int, int]]:
    """Return what events add to the totals, by field, name and span."""
    events, categories, users = ([number or NO_NAME for number in column] for column in numbers[:3])
    hours = [moment // HOUR_US for moment in batch.events.occurred_us]
    totals: Counter[tuple[int, int, int]] = Counter()
    # Few are different here: of 2,000 events 300.
    for (event, category, hour), n in Counter(zip(events, categories, hours, strict=True)).items():
        names = {Field.ALL: NO_NAME, Field.EVENT: event, Field.CATEGORY: category}
        for field, name in names.items():
            totals[int(field), name, hour] += n
            totals[field + MONTHS, name, hour // _MONTH_HOURS] += n
        totals[PAIRS[Field.EVENT, Field.CATEGORY], event, category] += n
    user, user_months = int(Field.USER), Field.USER + MONTHS
    by_day = Counter(zip(users, (hour // 24 for hour in hours), strict=True))
    for (name, day), n in by_day.items():
        totals[user, name, day] = n
        totals[user_months, name, day * 24 // _MONTH_HOURS] += n
    totals.update(zip(repeat(PAIRS[Field.EVENT, Field.USER]), events, users, strict=False))
    totals.update(zip(repeat(PAIRS[Field.CATEGORY, Field.USER]), categories, users, strict=False))
    return totals
