"""The SQL of ClickHouse, over tables whose names are texts: its columns number them by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import NUMBER_BITS
from audit_tui.engines.conditions import FALSE
from audit_tui.engines.dialect import Dialect
from audit_tui.engines.layout import BEFORE_VALUE, BETWEEN, COLUMN_OF, MAX_NUMBER, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.engines.dialect import Args, Value

_STORE = f"intDiv(e.id, {1 << NUMBER_BITS})"
STORES = (
    "SELECT argMax(store, version) AS store, store_id, argMax(name, version) AS name,"
    " argMax(folded, version) AS folded FROM audit_stores GROUP BY store_id"
)
_TEXTS = ", ".join(
    f"coalesce(e.folded_{column}, lower(e.{column}))"
    for column in ("texts", "description", "target", "source_ip")
)
_HEADS = (
    "SELECT store, max(last_n) AS last_n, max(shipped_us) AS shipped_us FROM audit_batches GROUP BY store"
)


class ClickHouseDialect(Dialect):
    """Names are texts in the events: its columns number them by themselves."""

    has_totals = False
    has_projections = True
    reads_columns = True
    stores_table = f"({STORES})"
    leaves = "hex(b.leaves), hex(b.edge)"
    read_leaves = bytes.fromhex
    starts_with = "startsWith"
    all_texts = f"arrayStringConcat([{_TEXTS}], '{BETWEEN}')"

    def place(self, name: str, value: Value) -> str:
        if isinstance(value, str):
            return f"{{{name}:String}}"
        if isinstance(value, int):
            return f"{{{name}:Int64}}"
        return f"{{{name}:Array({'Int64' if value and isinstance(value[0], int) else 'String'})}}"

    def negated(self, condition: str) -> str:
        return f"ifNull(({condition}), 0) = 0"

    def matches(self, text: str, pattern: str) -> str:
        return f"match({text}, {pattern})"

    def leaf_pattern(self, args: Args, path: str, rest: str) -> str:
        begin, end = args(f"{BETWEEN}(?:"), args(f"){BEFORE_VALUE}{rest}")
        return (
            f"(SELECT concat({begin}, arrayStringConcat(groupArray(folded), '|'), {end}) FROM audit_names"
            f" WHERE field = {int(Field.PATH)}"
            f" AND (name = {args(path)} OR startsWith(name, {args(f'{path}.')})))"
        )

    def has_value_in(self, args: Args, pattern: str, values: Sequence[str]) -> str:
        return f"hasAny({_leaves(pattern)}, {args(values)})" if values else FALSE

    def leaf_values(self, pattern: str) -> tuple[str, str]:
        return f" ARRAY JOIN {_leaves(pattern)} AS leaf", "leaf"

    def is_upto(self, args: Args, stores: Sequence[tuple[int, int]]) -> str:
        numbers, ends = (args(list(column)) for column in zip(*stores, strict=True))
        return f"bitAnd(e.id, {MAX_NUMBER}) <= transform({_STORE}, {numbers}, {ends}, -1)"

    def store_number(self) -> str:
        return _STORE

    def is_one_of(self, args: Args, expression: str, values: Sequence[int] | Sequence[str]) -> str:
        return f"{expression} IN {args(values)}" if values else FALSE

    def info(self) -> str:
        about = "(SELECT any(value) FROM audit_about WHERE name = '{}')"
        size = "(SELECT sum(total_bytes) FROM system.tables WHERE database = currentDatabase())"
        return (
            f"SELECT {about.format('id')}, {about.format('format')}, count(), min(occurred_us),"
            f" max(occurred_us), {size} FROM audit_events"
        )

    def stores(self) -> str:
        return (
            f"SELECT s.store, s.store_id, s.name, b.last_n, b.shipped_us FROM ({STORES}) s"
            f" LEFT JOIN ({_HEADS}) b ON b.store = s.store ORDER BY s.store"
        )

    def values(self, field: Field, where: str, rank: str, limit: int) -> str:
        column = f"e.{COLUMN_OF[field]}"
        names = f"SELECT DISTINCT name, folded, field FROM audit_names WHERE field = {int(field)}"
        counts = f"SELECT {column} AS k, count() AS c FROM audit_events e GROUP BY k"
        return (
            f"SELECT * FROM (SELECT toNullable(n.name), n.folded, t.c, {rank} AS nearness FROM ({names}) n"
            f" INNER JOIN ({counts}) t ON t.k = n.name WHERE ({where})"
            f" ORDER BY nearness, t.c DESC, n.folded, n.name LIMIT {limit})"
            f" UNION ALL SELECT NULL, '', count(), 3 FROM audit_events e WHERE {column} IS NULL"
        )

    def bucket(self, args: Args, moment: str, edges_us: Sequence[int]) -> str:
        """Return the edge at which the bucket begins that a time lies in."""
        return f"roundDown({moment}, {args(list(edges_us))})"

    def histogram(self, args: Args, where: str, edges_us: Sequence[int]) -> str:
        bucket = self.bucket(args, "e.occurred_us", edges_us)
        grouped = f"SELECT {bucket} AS b, count() AS n FROM audit_events e WHERE {where} GROUP BY b"
        return f"SELECT indexOf({args(list(edges_us))}, b) - 1, n FROM ({grouped})"

    def removed_leaves(self, args: Args, store: int, first: int, last: int) -> str:
        return (
            f"SELECT first_n, hex(leaves) FROM audit_leaves WHERE store = {args(store)}"
            f" AND first_n <= {args(last)} AND last_n >= {args(first)}"
        )

    def problems(self) -> dict[str, str]:
        return {
            "an event is there twice": "SELECT id FROM audit_events GROUP BY id HAVING count() > 1 LIMIT 1",
            "an event is of no store": (
                f"SELECT 1 FROM audit_events e WHERE {_STORE} NOT IN (SELECT store FROM ({STORES})) LIMIT 1"
            ),
        }


def _leaves(pattern: str) -> str:
    return f"extractAll(ifNull(e.texts, ''), {pattern})"
