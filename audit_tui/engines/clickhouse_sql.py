"""The SQL of ClickHouse, over tables whose names are texts: its columns number them by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import NUMBER_BITS
from audit_tui.engines.conditions import FALSE
from audit_tui.engines.layout import BEFORE_VALUE, BETWEEN, COLUMN_OF, MAX_NUMBER, Derived, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.engines.dialect import Args, Value

_STORE = f"intDiv(e.id, {1 << NUMBER_BITS})"
_LISTED = (
    *("id", "occurred_us", "event", "category", "username", "description"),
    *("outcome", "severity", "source_ip", "target", "origin"),
)
_SEALED = (
    "e.id, e.occurred_us, e.key, e.event, e.category, e.username, e.description, e.outcome, e.severity,"
    " e.source_ip, e.target, e.origin, e.metadata, e.original"
)
_WHOLE = (
    "e.id, e.key, e.occurred_us, e.event, e.category, e.username, e.description, e.outcome, e.severity,"
    " e.source_ip, e.target, e.origin, e.metadata, e.original, s.name"
)
STORES = (
    "SELECT argMax(store, version) AS store, store_id, argMax(name, version) AS name,"
    " argMax(folded, version) AS folded FROM audit_stores GROUP BY store_id"
)
_HEADS = (
    "SELECT store, max(last_n) AS last_n, max(shipped_us) AS shipped_us FROM audit_batches GROUP BY store"
)


class ClickHouseDialect:
    """Implements ``dialect.Dialect``."""

    has_totals = False
    stores_table = f"({STORES})"

    def row_columns(self, *, with_metadata: bool) -> str:
        """Return the columns of a row: reading them with the keys is as fast as the keys alone."""
        columns = (*_LISTED, "metadata") if with_metadata else _LISTED
        return ", ".join(f"e.{column} AS {column}" for column in columns)

    def place(self, name: str, value: Value) -> str:
        """Return the place for a value, which the server binds."""
        if isinstance(value, str):
            return f"{{{name}:String}}"
        if isinstance(value, int):
            return f"{{{name}:Int64}}"
        return f"{{{name}:Array({'Int64' if value and isinstance(value[0], int) else 'String'})}}"

    def negated(self, condition: str) -> str:
        """Return what holds where a condition does not, also where it gives NULL."""
        return f"ifNull(({condition}), 0) = 0"

    def folded(self, column: str) -> str:
        """Return the text of a column without regard to case."""
        if column == "texts":
            # As the index over parts of texts has it.
            return "ifNull(e.folded_texts, lower(ifNull(e.texts, '')))"
        return f"coalesce(e.folded_{column}, lower(e.{column}))"

    def matches(self, text: str, pattern: str) -> str:
        """Tell whether a regular expression matches a part of a text."""
        return f"match({text}, {pattern})"

    def leaf_pattern(self, args: Args, path: str, rest: str) -> str:
        """Return the pattern of a value of the metadata with this name, or inside of it."""
        begin, end = args(f"{BETWEEN}(?:"), args(f"){BEFORE_VALUE}{rest}")
        return (
            f"(SELECT concat({begin}, arrayStringConcat(groupArray(folded), '|'), {end}) FROM audit_names"
            f" WHERE field = {int(Field.PATH)}"
            f" AND (name = {args(path)} OR startsWith(name, {args(f'{path}.')})))"
        )

    def has_value_in(self, args: Args, pattern: str, values: Sequence[str]) -> str:
        """Tell whether one of the values of a pattern's group is among these."""
        return f"hasAny({_leaves(pattern)}, {args(values)})" if values else FALSE

    def leaf_values(self, pattern: str) -> tuple[str, str]:
        """Return the source and the expression of each value of a pattern's group."""
        return f" ARRAY JOIN {_leaves(pattern)} AS leaf", "leaf"

    def name_is(self, args: Args, field: Field, name: str) -> str:
        """Tell whether an event has a name."""
        return f"e.{COLUMN_OF[field]} = {args(name)}"

    def name_key(self) -> str:
        """The column of ``audit_names`` that stands in ``audit_events``."""
        return "name"

    def is_upto(self, args: Args, stores: Sequence[tuple[int, int]]) -> str:
        """Tell whether an event lies in a bound of several stores."""
        numbers, ends = (args(list(column)) for column in zip(*stores, strict=True))
        return f"bitAnd(e.id, {MAX_NUMBER}) <= transform({_STORE}, {numbers}, {ends}, -1)"

    def store_number(self) -> str:
        """The number of an event's store."""
        return _STORE

    def is_one_of(self, args: Args, expression: str, values: Sequence[int] | Sequence[str]) -> str:
        """Tell whether a value is among these."""
        return f"{expression} IN {args(values)}" if values else FALSE

    def info(self) -> str:
        """Return the statement of the facts of ``StoreInfo``."""
        about = "(SELECT any(value) FROM audit_about WHERE name = '{}')"
        size = "(SELECT sum(total_bytes) FROM system.tables WHERE database = currentDatabase())"
        return (
            f"SELECT {about.format('id')}, {about.format('format')}, count(), min(occurred_us),"
            f" max(occurred_us), {size}, (SELECT count() FROM ({STORES})) FROM audit_events"
        )

    def stores(self) -> str:
        """Return the statement of the stores, each with its newest event and when that came."""
        return (
            f"SELECT s.store, s.store_id, s.name, b.last_n, b.shipped_us FROM ({STORES}) s"
            f" LEFT JOIN ({_HEADS}) b ON b.store = s.store ORDER BY s.store"
        )

    def heads(self) -> str:
        """Return the statement of the number of each store and of its newest event."""
        return f"SELECT store, last_n FROM ({_HEADS}) ORDER BY store"

    def rank(self, text: str, folded: str) -> str:
        """Return how near a name is to a text: 0 to 3."""
        return f"multiIf(n.name = {text}, 0, n.folded = {folded}, 1, startsWith(n.folded, {folded}), 2, 3)"

    def values(self, field: Field, where: str, rank: str, limit: int) -> str:
        """Return the statement of names with their folded forms, events and ranks, the missing one too."""
        column = f"e.{COLUMN_OF[field]}"
        names = f"SELECT DISTINCT name, folded, field FROM audit_names WHERE field = {int(field)}"
        counts = f"SELECT {column} AS k, count() AS c FROM audit_events e GROUP BY k"
        return (
            f"SELECT * FROM (SELECT toNullable(n.name), n.folded, t.c, {rank} AS nearness FROM ({names}) n"
            f" INNER JOIN ({counts}) t ON t.k = n.name WHERE ({where})"
            f" ORDER BY nearness, t.c DESC, n.folded, n.name LIMIT {limit})"
            f" UNION ALL SELECT NULL, '', count(), 3 FROM audit_events e WHERE {column} IS NULL"
        )

    def leaf_totals(self, args: Args, events: str, path: str) -> str:
        """Return the statement of the values of the metadata, with the number of events that have each."""
        source, each = self.leaf_values(self.leaf_pattern(args, path, f"([^{BETWEEN}]*)"))
        several = f"SELECT DISTINCT e.id AS id, {each} AS v FROM ({events}) e{source}"
        return f"SELECT v, count() FROM ({several}) GROUP BY v"

    def bucket(self, args: Args, moment: str, edges_us: Sequence[int]) -> str:
        """Return the edge at which the bucket begins that a time lies in."""
        return f"roundDown({moment}, {args(list(edges_us))})"

    def histogram(self, args: Args, where: str, edges_us: Sequence[int]) -> str:
        """Return the statement of the buckets with their numbers of events."""
        bucket = self.bucket(args, "e.occurred_us", edges_us)
        grouped = f"SELECT {bucket} AS b, count() AS n FROM audit_events e WHERE {where} GROUP BY b"
        return f"SELECT indexOf({args(list(edges_us))}, b) - 1, n FROM ({grouped})"

    def rows(self, keys: str, order: str, *, with_metadata: bool) -> str:
        """Return the statement of the rows of a list, which the statement of keys has read already."""
        del order, with_metadata
        return keys

    def named(self, grouped: str) -> str:
        """Return names as they are."""
        return grouped

    def sealed(self, args: Args, first_seq: int, last_seq: int) -> str:
        """Return what is sealed of consecutive events, and what is derived from it."""
        derived = ", ".join(f"e.{column}" for column in Derived._fields)
        return (
            f"SELECT {_SEALED}, {derived} FROM audit_events e"
            f" WHERE e.id >= {args(first_seq)} AND e.id <= {args(last_seq)} ORDER BY e.id"
        )

    def problems(self) -> dict[str, str]:
        """Return statements that give a row for each fault, with their words."""
        return {
            "an event is there twice": "SELECT id FROM audit_events GROUP BY id HAVING count() > 1 LIMIT 1",
            "an event is of no store": (
                f"SELECT 1 FROM audit_events e WHERE {_STORE} NOT IN (SELECT store FROM ({STORES})) LIMIT 1"
            ),
        }

    def whole(self, ids: str) -> str:
        """Return all columns of some events."""
        return (
            f"SELECT {_WHOLE} FROM audit_events e LEFT JOIN ({STORES}) s ON s.store = {_STORE}"
            f" WHERE e.id IN {ids}"
        )


def _leaves(pattern: str) -> str:
    return f"extractAll(ifNull(e.texts, ''), {pattern})"
