"""Writing to ClickHouse, which has no transactions: the batch is told of last, and mended where it broke.

A batch whose events are there in part was interrupted: what is there is read, and the rest is inserted. A
token for each insert lets the server drop one that it had already taken when the connection broke.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from audit_tui.config import state_directory
from audit_tui.core.event import packed_seq
from audit_tui.core.new_file import private_folder
from audit_tui.core.source import CLICKHOUSE
from audit_tui.engines.clickhouse import ERRORS, ClickHouseConnection, told
from audit_tui.engines.layout import FORMATS, MARK_BYTES, MAX_STORES, Field, digest_of
from audit_tui.engines.writing import (
    EVENT_COLUMNS,
    MAX_NAMES,
    SharedWriter,
    escaped,
    folded_name,
    head_of,
    name_columns,
    names_of,
    rows_text,
    schema_sql,
)
from audit_tui.errors import StoreBusy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from audit_tui.core.source import SourceUrl
    from audit_tui.engines.outgoing import Batch, Removal

_TABLES = ("audit_stores", "audit_names", "audit_events", "audit_batches", "audit_leaves", "audit_removed")
_INDEX = re.compile(r"^    INDEX (\w+) (.*?GRANULARITY 1)", re.MULTILINE | re.DOTALL)
_OLD_INDEX = "grams"
"""Over the values of the metadata alone; since ``words`` is there, nothing asks it."""
_LEAVES_AT_ONCE = 8_192
_GRANTS = "".join(
    f"GRANT SELECT ON {table} TO audit_reader, audit_shipper;\n" for table in ("audit_about", *_TABLES)
)
_GRANTS_TO_SHIP = "".join(f"GRANT INSERT ON {table} TO audit_shipper;\n" for table in _TABLES)
ROLES = f"""\
INSERT INTO audit_about SELECT 'format', '{FORMATS[CLICKHOUSE]}'
    UNION ALL SELECT 'id', lower(hex(generateUUIDv4()));
-- Two roles. Give each user of yours one of them: GRANT audit_reader TO oncall;
CREATE ROLE IF NOT EXISTS audit_reader SETTINGS readonly = 2;
CREATE ROLE IF NOT EXISTS audit_shipper;
{_GRANTS}-- Nobody may change or delete an event: no ALTER, no DELETE.
{_GRANTS_TO_SHIP}"""


class ClickHouseWriter(SharedWriter):
    """A batch counts once its head is written, which comes last."""

    batch_events = 20_000

    def __init__(self, url: SourceUrl) -> None:
        connection = ClickHouseConnection(url)
        self._client = connection.client
        self._names: set[tuple[Field, str]] = set()
        self._locked: dict[str, int] = {}
        super().__init__(url, connection)
        self._add_indexes()

    def register(self, store_id: str, name: str) -> int:
        self._lock(store_id)
        while True:
            rows = self._connection.rows(
                "SELECT store_id, argMax(store, version) FROM audit_stores GROUP BY store_id", {}
            )
            numbers = {str(other): int(number) for other, number in rows}
            mine = numbers.get(store_id)
            others = {number: other for other, number in numbers.items() if other != store_id}
            # Nothing is unique by itself here: of two that took a number at once, one takes another.
            if mine is not None and not (mine in others and others[mine] < store_id):
                return mine
            number = int(digest_of(store_id)[:8], 16) % MAX_STORES
            while number in others:
                number = (number + 1) % MAX_STORES
            row = [number, store_id, name, name.casefold(), time.time_ns()]
            self._insert("audit_stores", [row], ("store", "store_id", "name", "folded", "version"))

    def head(self, store: int) -> tuple[int, str]:
        rows = self._connection.rows(
            "SELECT max(last_n), argMax(root, last_n) FROM audit_batches WHERE store = {store:Int64}",
            {"store": store},
        )
        return int(rows[0][0]), str(rows[0][1])

    def send(self, store: int, batch: Batch) -> None:
        self._learn(batch)
        ends = {"first": packed_seq(store, batch.first), "end": packed_seq(store + 1, 0)}
        find = "SELECT id FROM audit_events WHERE id >= {first:Int64} AND id < {end:Int64}"
        existing = frozenset(seq for (seq,) in self._connection.rows(find, ends))
        names = [escaped(column) for _, column in name_columns(batch)]
        if rows := rows_text(store, batch, names, without=existing):
            token: dict[str, int | str] = {
                "insert_deduplication_token": f"{store}:{batch.first}-{batch.last}:{len(existing)}",
                # Made when parts are merged, not twice: 5 of 39 us of CPU an event.
                "materialize_skip_indexes_on_insert": 0,
            }
            with self._refusals():
                self._client.raw_insert(
                    "audit_events", EVENT_COLUMNS, rows, settings=token, fmt="TabSeparated"
                )
        marks = b"".join(leaf[:MARK_BYTES] for leaf in batch.leaves)
        head = head_of(store, batch) | {"leaves": marks, "edge": b"".join(batch.edge)}
        self._insert("audit_batches", [list(head.values())], tuple(head))

    def declare(
        self, store: int, removals: Sequence[Removal], leaves: Callable[[int, int], Sequence[bytes]]
    ) -> None:
        for _, first, last in removals:
            for begin in range(first, last + 1, _LEAVES_AT_ONCE):
                end = min(begin + _LEAVES_AT_ONCE - 1, last)
                sealed = [store, begin, end, b"".join(leaves(begin, end))]
                self._insert("audit_leaves", [sealed], ("store", "first_n", "last_n", "leaves"))
        if removals:
            rows = [[store, *removal] for removal in removals]
            self._insert("audit_removed", rows, ("store", "by_n", "first_n", "last_n"))

    def close(self) -> None:
        super().close()
        for descriptor in self._locked.values():
            os.close(descriptor)
        self._locked.clear()

    def _lock(self, store_id: str) -> None:
        """Keep other shippers of this store on this machine away."""
        if store_id in self._locked:
            return
        folder = state_directory() / "shipping"
        private_folder(folder)
        descriptor = os.open(
            folder / f"{digest_of(store_id)}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise StoreBusy(
                "Another shipper of this store is running.", "One for each store is enough."
            ) from None
        self._locked[store_id] = descriptor

    def _make_tables(self) -> None:
        for statement in schema_sql("clickhouse").split(";"):
            if statement.strip():
                with self._refusals():
                    self._client.command(statement)
        about = [["id", secrets.token_hex(16)], ["format", str(FORMATS[CLICKHOUSE])]]
        self._insert("audit_about", about, ("name", "value"))

    def _add_indexes(self) -> None:
        """Add what tables of an older program lack: the owner's next shipping makes it, others cannot."""
        find = "SELECT name FROM system.data_skipping_indices WHERE database = currentDatabase()"
        existing = {str(name) for (name,) in self._connection.rows(find, {})}
        declared = _INDEX.findall(schema_sql("clickhouse"))
        changes = [
            change
            for name, declaration in declared
            if name not in existing
            for change in (f"ADD INDEX {name} {declaration}", f"MATERIALIZE INDEX {name}")
        ]
        names = {name for name, _ in declared}
        changes += [f"DROP INDEX {name}" for name in sorted(existing - names) if name == _OLD_INDEX]
        with suppress(*ERRORS):
            for change in changes:
                self._client.command(f"ALTER TABLE audit_events {change}")

    def _learn(self, batch: Batch) -> None:
        """Write the names of events that are not known to be there."""
        if len(self._names) > MAX_NAMES:
            self._names.clear()
        names = names_of(batch).items()
        new = {(field, name) for field, some in names for name in some} - self._names
        if new:
            rows = [[int(field), name, folded_name(field, name)] for field, name in sorted(new)]
            self._insert("audit_names", rows, ("field", "name", "folded"))
            self._names |= new

    def _insert(self, table: str, rows: list[list[Any]], columns: Sequence[str]) -> None:
        with self._refusals():
            self._client.insert(table, rows, column_names=list(columns))

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except ERRORS as error:
            raise told(error, self._url) from None
