"""The SQL of PostgreSQL, over tables that number their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.engines.conditions import FALSE
from audit_tui.engines.dialect import LISTED, Dialect
from audit_tui.engines.layout import (
    BEFORE_VALUE,
    BETWEEN,
    COLUMN_OF,
    GRAIN_US,
    MAX_NUMBER,
    MONTH_US,
    MONTHS,
    NO_NAME,
    PAIRS,
    Field,
    digest_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit_tui.engines.dialect import Args, Value


class PostgresDialect(Dialect):
    """The SQL of PostgreSQL 13 and its relatives, without any extension."""

    names: Mapping[str, str] = {column: f"n{field}.name" for field, column in COLUMN_OF.items()}
    joined = " ".join(
        f"LEFT JOIN audit_names n{field} ON n{field}.id = e.{column}" for field, column in COLUMN_OF.items()
    )

    source_name = "(SELECT name FROM audit_names WHERE id = g.k)"

    def row_columns(self, *, with_metadata: bool) -> str:
        """Return the keys: they lie in every index."""
        del with_metadata
        return "e.occurred_us, e.id"

    def place(self, name: str, value: Value) -> str:
        if isinstance(value, str):
            return f"%({name})s::text"
        if isinstance(value, int):
            return f"%({name})s::bigint"
        is_numbers = bool(value) and isinstance(value[0], int)
        return f"%({name})s::{'bigint' if is_numbers else 'text'}[]"

    def negated(self, condition: str) -> str:
        return f"({condition}) IS NOT TRUE"

    def matches(self, text: str, pattern: str) -> str:
        return f"{text} ~ {pattern}"

    def leaf_pattern(self, args: Args, path: str, rest: str) -> str:
        begin, end = args(f"{BETWEEN}(?:"), args(f"){BEFORE_VALUE}{rest}")
        return (
            f"(SELECT {begin} || string_agg(folded, '|') || {end} FROM audit_names"
            f" WHERE field = {int(Field.PATH)}"
            f" AND (name = {args(path)} OR starts_with(name, {args(f'{path}.')})))"
        )

    def has_value_in(self, args: Args, pattern: str, values: Sequence[str]) -> str:
        if not values:
            return FALSE
        matches = f"regexp_matches(e.texts, {pattern}, 'g') AS m (v)"
        return f"EXISTS (SELECT FROM {matches} WHERE m.v[1] = ANY ({args(values)}))"

    def leaf_values(self, pattern: str) -> tuple[str, str]:
        return f", LATERAL regexp_matches(e.texts, {pattern}, 'g') AS m (v)", "m.v[1]"

    def name_is(self, args: Args, field: Field, name: str) -> str:
        return (
            f"e.{COLUMN_OF[field]} = (SELECT id FROM audit_names"
            f" WHERE field = {int(field)} AND digest = {args(digest_of(name))})"
        )

    def name_key(self) -> str:
        return "id"

    def is_upto(self, args: Args, stores: Sequence[tuple[int, int]]) -> str:
        numbers = [0] * (max(store for store, _ in stores) + 1)
        for store, number in stores:
            numbers[store] = number
        place = args(numbers)
        return f"(e.id & {MAX_NUMBER}) <= ({place})[{self.store_number()} + 1]"

    def is_one_of(self, args: Args, expression: str, values: Sequence[int] | Sequence[str]) -> str:
        return f"{expression} = ANY ({args(values)})" if values else FALSE

    def info(self) -> str:
        tables = " + ".join(
            f"pg_total_relation_size('{table}')"
            for table in ("audit_events", "audit_names", "audit_totals", "audit_batches")
        )
        about = "(SELECT value FROM audit_about WHERE name = '{}')"
        end = "(SELECT occurred_us FROM audit_events ORDER BY occurred_us {} LIMIT 1)"
        return (
            f"SELECT {about.format('id')}, {about.format('format')},"
            f" (SELECT sum(n) FROM audit_totals WHERE field = {MONTHS}),"
            f" {end.format('')}, {end.format('DESC')}, {tables}"
        )

    def stores(self) -> str:
        return (
            "SELECT s.store, s.store_id, s.name, b.last_n, b.shipped_us FROM audit_stores s"
            " LEFT JOIN LATERAL (SELECT last_n, shipped_us FROM audit_batches"
            " WHERE store = s.store ORDER BY last_n DESC LIMIT 1) b"
            " ON TRUE ORDER BY s.store"
        )

    def values(self, field: Field, where: str, rank: str, limit: int) -> str:
        totals = f"SELECT name, sum(n) AS n FROM audit_totals WHERE field = {field + MONTHS} GROUP BY name"
        chosen = (
            f"SELECT n.name, n.folded, t.n, {rank} AS rank FROM ({totals}) t"
            f" JOIN audit_names n ON n.id = t.name WHERE ({where}) AND t.n > 0"
            f" ORDER BY 4, 3 DESC, 2, 1 LIMIT {limit}"
        )
        missing = f"SELECT sum(n) FROM audit_totals WHERE field = {field + MONTHS} AND name = {NO_NAME}"
        return f"({chosen}) UNION ALL SELECT NULL, '', coalesce(({missing}), 0), 3"

    def bucket(self, args: Args, moment: str, edges_us: Sequence[int]) -> str:
        return f"width_bucket({moment}, {args(list(edges_us))}) - 1"

    def histogram(self, args: Args, where: str, edges_us: Sequence[int]) -> str:
        bucket = self.bucket(args, "e.occurred_us", edges_us)
        return f"SELECT {bucket} AS b, count(*) AS n FROM audit_events e WHERE {where} GROUP BY 1"

    def rows(self, keys: str, order: str, *, with_metadata: bool) -> str:
        """Return the rows of a list: the keys from an index first, the rows after, by the primary key."""
        columns = self.columns((*LISTED, "metadata") if with_metadata else LISTED)
        return (
            f"WITH k AS MATERIALIZED ({keys}) SELECT {columns} FROM k JOIN audit_events e ON e.id = k.id"
            f" {self.joined} ORDER BY {order}"
        )

    def named(self, grouped: str) -> str:
        return f"SELECT a.name, g.n FROM ({grouped}) AS g (k, n) LEFT JOIN audit_names a ON a.id = g.k"

    def problems(self) -> dict[str, str]:
        def name(field: Field) -> str:
            return f"coalesce(e.{COLUMN_OF[field]}, {NO_NAME})" if field else str(NO_NAME)

        counted = [
            f"SELECT {int(field)} AS field, {name(field)} AS name,"
            f" floor(e.occurred_us::numeric / {grain})::int AS span, 1 AS n FROM audit_events e"
            for field, grain in GRAIN_US.items()
        ]
        counted += [
            f"SELECT {pair}, {name(first)}, {name(second)}, 1 FROM audit_events e"
            for (first, second), pair in PAIRS.items()
        ]
        counted += [
            f"SELECT {field + MONTHS}, t.name, floor(t.span::numeric / {MONTH_US // grain})::int, t.n"
            f" FROM audit_totals t WHERE t.field = {int(field)}"
            for field, grain in GRAIN_US.items()
        ]
        grouped = (
            f"SELECT c.field, c.name, c.span, sum(c.n) AS n FROM ({' UNION ALL '.join(counted)}) c"
            " GROUP BY 1, 2, 3"
        )
        return {
            "a total is not the number of its events": (
                f"SELECT 1 FROM ({grouped}) g FULL JOIN audit_totals t"
                " ON t.field = g.field AND t.name = g.name AND t.span = g.span"
                " WHERE g.n IS DISTINCT FROM t.n LIMIT 1"
            ),
            "an event is of no store": (
                "SELECT 1 FROM audit_events e LEFT JOIN audit_stores s"
                f" ON s.store = {self.store_number()} WHERE s.store IS NULL LIMIT 1"
            ),
        }
