"""The differences between the SQL of the engines, the values of a statement, and what its rows become."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from audit_tui.core.columns import Column
from audit_tui.core.event import NUMBER_BITS, AuditEvent, EventRow, Outcome
from audit_tui.engines.layout import BETWEEN, COLUMN_OF, OUTCOMES, Derived
from audit_tui.store.tables.rows import read_event, read_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from audit_tui.core.query import FacetField
    from audit_tui.engines.layout import Field

Value: TypeAlias = "int | str | Sequence[int] | Sequence[str]"


_REST = ("category", "username", "description", "outcome", "severity", "source_ip", "target", "origin")
_NAMED = {"seq": "id", "user": "username", "source": "origin"}
LISTED = tuple(_NAMED.get(name, name) for name in EventRow._fields[:-1])
"""The columns of a row of the list."""
SEALED = ("id", "occurred_us", "key", "event", *_REST, "metadata", "original")
WHOLE = ("id", "key", "occurred_us", "event", *_REST, "metadata", "original")


class Args:
    """The values of a statement, which are sent beside it: none ever stands in its text.

    Args:
        dialect: How a place for a value is written.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.values: dict[str, Value] = {}

    def __call__(self, value: Value) -> str:
        """Take a value in, and return the place for it."""
        name = f"a{len(self.values)}"
        self.values[name] = value
        return self.dialect.place(name, value)


class Dialect(ABC):
    """The SQL of one engine, over the tables of ``layout``. ``e`` is a row of ``audit_events``."""

    has_totals = True
    """Counts by hour and day are kept beside the events."""
    has_projections = False
    """The engine keeps such counts by itself."""
    reads_columns = False
    """Rows that are skipped cost little where only their times are read."""
    stores_table = "audit_stores"
    """The stores, as a source of a statement."""
    names: Mapping[str, str] = {}
    """Expressions in the place of the columns of names, where those are numbers."""
    joined = ""
    """The tables of those expressions, joined to ``audit_events e``."""
    source_name = "g.k"
    """The name of a source that ``g`` groups by."""
    leaves = "b.leaves, ''"
    """The leaves of a batch, or marks of them, and the right edge of the tree; ``read_leaves`` reads them."""
    read_leaves: Callable[[str], bytes] = staticmethod(base64.b64decode)
    all_texts = ""
    """An expression of all texts that ``ANY_TEXT`` looks into, folded, over which there is an index."""
    starts_with = "starts_with"
    """The function that tells whether a text begins with another."""

    def row_columns(self, *, with_metadata: bool) -> str:
        """Return the columns that the statement of keys selects: those of the rows, where that is as fast."""
        columns = (*LISTED, "metadata") if with_metadata else LISTED
        return ", ".join(f"e.{column} AS {column}" for column in columns)

    def columns(self, columns: Iterable[str]) -> str:
        """Return columns of ``audit_events``, with names as texts."""
        return ", ".join(self.names.get(column, f"e.{column}") for column in columns)

    def folded(self, column: str) -> str:
        """Return the text of a column without regard to case."""
        return f"coalesce(e.folded_{column}, lower(e.{column}))"

    @abstractmethod
    def place(self, name: str, value: Value) -> str:
        """Return the place for a value."""

    @abstractmethod
    def negated(self, condition: str) -> str:
        """Return what holds where a condition does not, also where it gives NULL."""

    @abstractmethod
    def matches(self, text: str, pattern: str) -> str:
        """Tell whether a regular expression matches a part of a text."""

    @abstractmethod
    def leaf_pattern(self, args: Args, path: str, rest: str) -> str:
        """Return the pattern of a value of the metadata whose name is ``path``, or inside of it.

        Args:
            args: Of the statement.
            path: The dotted name.
            rest: The pattern of what follows the mark.
        """

    @abstractmethod
    def has_value_in(self, args: Args, pattern: str, values: Sequence[str]) -> str:
        """Tell whether one of the values of the metadata that a pattern with a group takes is among these."""

    @abstractmethod
    def leaf_values(self, pattern: str) -> tuple[str, str]:
        """Return what stands behind ``audit_events e``, and each value that a pattern's group takes."""

    def name_is(self, args: Args, field: Field, name: str) -> str:
        """Tell whether an event has a name."""
        return f"e.{COLUMN_OF[field]} = {args(name)}"

    def name_key(self) -> str:
        """Return the column of ``audit_names`` that stands in ``audit_events``."""
        return "name"

    @abstractmethod
    def is_upto(self, args: Args, stores: Sequence[tuple[int, int]]) -> str:
        """Tell whether an event lies in a bound of several stores."""

    def store_number(self) -> str:
        """Return the number of an event's store."""
        return f"(e.id >> {NUMBER_BITS})"

    @abstractmethod
    def is_one_of(self, args: Args, expression: str, values: Sequence[int] | Sequence[str]) -> str:
        """Tell whether a value is among these; there may be many."""

    @abstractmethod
    def info(self) -> str:
        """Return the statement of the facts of ``StoreInfo``."""

    @abstractmethod
    def stores(self) -> str:
        """Return the statement of the stores, each with its newest event and when that came."""

    def heads(self) -> str:
        """Return the statement of the number of each store, of its newest event, and when that came."""
        return (
            f"SELECT h.store, coalesce(h.last_n, 0), h.shipped_us FROM ({self.stores()}) h ORDER BY h.store"
        )

    def rank(self, text: str, folded: str) -> str:
        """Return how near a name is to a text: 0 to 3."""
        return (
            f"CASE WHEN n.name = {text} THEN 0 WHEN n.folded = {folded} THEN 1"
            f" WHEN {self.starts_with}(n.folded, {folded}) THEN 2 ELSE 3 END"
        )

    @abstractmethod
    def values(self, field: Field, where: str, rank: str, limit: int) -> str:
        """Return the statement of names with their folded forms, events and ranks, the missing one too."""

    def leaf_totals(self, args: Args, events: str, path: str) -> str:
        """Return the statement of the values of a part of the metadata, each with its number of events."""
        source, each = self.leaf_values(self.leaf_pattern(args, path, f"([^{BETWEEN}]*)"))
        several = f"SELECT DISTINCT e.id, {each} AS v FROM ({events}) e{source}"
        return f"SELECT d.v, count(*) FROM ({several}) d GROUP BY d.v"

    @abstractmethod
    def bucket(self, args: Args, moment: str, edges_us: Sequence[int]) -> str:
        """Return the number of the bucket that a time lies in."""

    @abstractmethod
    def histogram(self, args: Args, where: str, edges_us: Sequence[int]) -> str:
        """Return the statement of the buckets with their numbers of events."""

    def rows(self, keys: str, order: str, *, with_metadata: bool) -> str:
        """Return the statement of the rows of a list for a statement of keys; the metadata come last."""
        del order, with_metadata
        return keys

    def named(self, grouped: str) -> str:
        """Return the statement that puts names in the place of the keys ``k`` that ``grouped`` gives."""
        return grouped

    def sources(self, events: str) -> str:
        """Return the statement of the sources of events: what they name, the store they are of, how many."""
        grouped = f"SELECT e.origin AS k, {self.store_number()} AS h, count(*) AS n FROM ({events}) e"
        return (
            f"SELECT {self.source_name}, s.name, g.n FROM ({grouped} GROUP BY 1, 2) g"
            f" LEFT JOIN {self.stores_table} s ON s.store = g.h"
        )

    def sealed(self, args: Args, first_seq: int, last_seq: int) -> str:
        """Return the statement of what is sealed of consecutive events, and of what is derived from it."""
        return (
            f"SELECT {self.columns((*SEALED, *Derived._fields))} FROM audit_events e {self.joined}"
            f" WHERE e.id >= {args(first_seq)} AND e.id <= {args(last_seq)} ORDER BY e.id"
        )

    def removed_leaves(self, args: Args, store: int, first: int, last: int) -> str:
        """Return the statement of the whole leaves of removed events; empty where all are in the batches."""
        del args, store, first, last
        return ""

    @abstractmethod
    def problems(self) -> dict[str, str]:
        """Return statements that give a row for each fault of what is counted and named, with their words."""

    def whole(self, args: Args, ids: Sequence[int]) -> str:
        """Return the statement of all columns of some events, and of the names of their stores."""
        return (
            f"SELECT {self.columns(WHOLE)}, s.name FROM audit_events e {self.joined}"
            f" LEFT JOIN {self.stores_table} s ON s.store = {self.store_number()}"
            f" WHERE {self.is_one_of(args, 'e.id', ids)}"
        )


def row_of(values: Sequence[Any], paths: Sequence[str]) -> EventRow:
    """Return a row of the list from what an engine gives."""
    row = EventRow(*values[: len(LISTED)])
    return row._replace(
        seq=int(row.seq),
        occurred_us=int(row.occurred_us),
        event=row.event or "",
        outcome=Outcome(OUTCOMES[int(row.outcome)]),
        severity=None if row.severity is None else int(row.severity),
        metadata=read_fields(values[-1], paths) if paths else (),
    )


def event_of(row: Sequence[Any]) -> AuditEvent:
    """Return an event from what an engine gives."""
    (seq, key, occurred_us, event, category, user, description, outcome, severity, source_ip, target, source,
     metadata, original, store) = row  # fmt: skip
    values = (
        int(seq), key, int(occurred_us), event, category, user, description, OUTCOMES[int(outcome)],
        None if severity is None else int(severity), source_ip, target, source, metadata,
        None if original is None else base64.b64decode(original),
    )  # fmt: skip
    return replace(read_event(values), store=store or "")


def facet_text(field: FacetField, value: Any) -> str | None:  # noqa: ANN401 - as the engine gives it
    """Return a value of a field as text; None for the missing one."""
    if value is None:
        return None
    return OUTCOMES[int(value)] if field is Column.OUTCOME else str(value)
