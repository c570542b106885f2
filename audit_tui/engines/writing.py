"""Writing to a shared engine: what its writers share."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from importlib import resources
from typing import TYPE_CHECKING

from audit_tui.core.event import packed_seq
from audit_tui.engines.layout import COLUMN_OF, OUTCOMES, Derived, Field, mark_of
from audit_tui.engines.pool import check_format
from audit_tui.errors import NotAStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from audit_tui.core.source import SourceUrl
    from audit_tui.engines.outgoing import Batch, Removal
    from audit_tui.engines.pool import Connection

MAX_NAMES = 200_000
"""Names remembered as being there."""
EVENT_COLUMNS = (
    "id", "occurred_us", *COLUMN_OF.values(), "outcome", "severity", "key", "description", "source_ip",
    "target", "metadata", "original", *Derived._fields,
)  # fmt: skip
NULL = "\\N"
_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
_OUTCOME_NUMBERS = {outcome: str(number) for number, outcome in enumerate(OUTCOMES)}


def schema_sql(engine: str) -> str:
    """Return the statements that make the tables of an engine."""
    return (resources.files("audit_tui.engines") / f"{engine}.sql").read_text(encoding="utf-8")


class SharedWriter(ABC):
    """Writes to a shared engine, for one store at a time.

    Args:
        url: The engine; its tables are made if there are none.
        connection: To it.

    Raises:
        SourceLost: If it cannot be reached.
        StoreError: If it refuses.
    """

    batch_events: int
    """The events that are best sent at once."""

    def __init__(self, url: SourceUrl, connection: Connection) -> None:
        self._url = url
        self._connection = connection
        try:
            check_format(connection, url)
        except NotAStore:
            self._make_tables()

    @abstractmethod
    def register(self, store_id: str, name: str) -> int:
        """Return the number of a store here, a new one for a new store.

        Raises:
            StoreBusy: If another shipper of this store is known to run.
        """

    @abstractmethod
    def head(self, store: int) -> tuple[int, str]:
        """Return the newest event of a store here, and the root up to it; 0 and nothing before the first."""

    @abstractmethod
    def send(self, store: int, batch: Batch) -> None:
        """Write a batch: all of it, or nothing that counts.

        Raises:
            StoreBusy: If another shipper of the same store was faster.
            SourceLost: If the server went away; whether the batch was written is told by ``head``.
        """

    @abstractmethod
    def declare(
        self, store: int, removals: Sequence[Removal], leaves: Callable[[int, int], Sequence[bytes]]
    ) -> None:
        """Write what declared acts removed.

        Args:
            store: The number of the store here.
            removals: What was removed.
            leaves: Reads the sealed leaves of consecutive events.
        """

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()

    @abstractmethod
    def _make_tables(self) -> None: ...


def head_of(store: int, batch: Batch) -> dict[str, int | str | None]:
    """Return the row of ``audit_batches`` of a batch, by its columns, but for the leaves."""
    return {
        "store": store,
        "last_n": batch.last,
        "first_n": batch.first,
        "root": batch.root,
        "note": batch.note,
        "shipped_us": time.time_ns() // 1000,
    }


def name_columns(batch: Batch) -> tuple[tuple[Field, Sequence[str | None]], ...]:
    """Return the columns of ``COLUMN_OF``."""
    events = batch.events
    return (
        (Field.EVENT, events.event),
        (Field.CATEGORY, events.category),
        (Field.USER, events.user),
        (Field.SOURCE, events.source),
    )


def names_of(batch: Batch) -> dict[Field, set[str]]:
    """Return the different names of a batch's events."""
    names = {
        field: {name for name in set(column) if name is not None} for field, column in name_columns(batch)
    }
    return names | {Field.PATH: set(batch.paths)}


def folded_name(field: Field, name: str) -> str:
    """Return what stands in ``folded`` of ``audit_names``."""
    return mark_of(name) if field is Field.PATH else name.casefold()


def rows_text(
    store: int, batch: Batch, names: Iterable[Iterable[str]], *, without: frozenset[int] = frozenset()
) -> bytes:
    """Return the rows of events as COPY and TabSeparated read them: both engines take them ten times as fast.

    Args:
        store: The number of the store.
        batch: The events.
        names: The columns of ``COLUMN_OF``, as they stand in the rows.
        without: Rows, by their ids, that are left out.
    """
    events = batch.events
    ids = [packed_seq(store, number) for number in events.number]
    texts = (
        events.key,
        events.description,
        events.source_ip,
        events.target,
        events.metadata,
        events.original,
    )
    columns = (
        map(str, ids),
        map(str, events.occurred_us),
        *names,
        map(_OUTCOME_NUMBERS.__getitem__, events.outcome),
        [NULL if severity is None else str(severity) for severity in events.severity],
        *map(escaped, (*texts, *batch.derived)),
    )
    rows: Iterable[str] = map("\t".join, zip(*columns, strict=True))
    if without:
        rows = (row for seq, row in zip(ids, rows, strict=True) if seq not in without)
    text = "\n".join(rows)
    return f"{text}\n".encode() if text else b""


def escaped(values: Sequence[str | None]) -> list[str]:
    """Return the texts of a column, with escapes for what would end them."""
    if values.count(None) == len(values):
        return [NULL] * len(values)
    every = "".join(filter(None, values))
    texts = [NULL if value is None else value for value in values]
    for mark, escape in _ESCAPES:
        if mark in every:
            texts = [
                text if value is None else text.replace(mark, escape)
                for text, value in zip(texts, values, strict=True)
            ]
    return texts
