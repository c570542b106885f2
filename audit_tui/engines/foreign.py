"""Another program's table in PostgreSQL, read as events: filters and order in its own SQL, and no seals.

A view of our columns stands in the place of ``audit_events``. The time stays the table's own column wherever
it is compared or sorted by, so that the table's index on it is used.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from psycopg import sql

from audit_tui.core.filter.filters import ANY_TEXT, NO_VALUE_WORDS, MetaField
from audit_tui.core.filter.matching import leaves
from audit_tui.core.filter.operators import IS, MATCHES
from audit_tui.core.investigate.facets import facet_of
from audit_tui.core.query import EventQuery, StoreInfo, ValueCount
from audit_tui.engines.conditions import Conditions, guard_of
from audit_tui.engines.dialect import WHOLE, Dialect
from audit_tui.engines.layout import COLUMN_OF, NAME_FIELDS, OUTCOMES
from audit_tui.engines.pool import Pool
from audit_tui.engines.postgres_sql import PostgresDialect
from audit_tui.engines.reader import SharedReader
from audit_tui.engines.totals import Scope
from audit_tui.errors import StoreError, UsageError
from audit_tui.formats.generic import ALIASES, read_column
from audit_tui.formats.mapping import Mapping as TableMapping
from audit_tui.store.tables.rows import stored_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.columns import NameColumn
    from audit_tui.core.filter.filters import FilterField
    from audit_tui.core.filter.operators import Operator
    from audit_tui.core.query import Facet, FacetField
    from audit_tui.core.source import SourceUrl
    from audit_tui.engines.dialect import Args
    from audit_tui.engines.layout import Field
    from audit_tui.engines.postgres import PostgresConnection

NOTICE = "another program's table: read only, without seals"
_SAMPLE_ROWS = 200
_MOST_WORDS = 1_000
"""Different outcomes and severities whose meaning is worked out."""
_COMPARED = re.compile(r"e\.occurred_us (<=|>=|<|>|=) (%\(\w+\)s)::bigint")
_COMPARED_PAIR = re.compile(r"\(e\.occurred_us, e\.id\) (<|>) \((%\(\w+\)s)::bigint, ")
_ORDERED = re.compile(r"(?<=ORDER BY )e\.occurred_us( DESC)?, e\.id")
_COLUMNS = r"""
SELECT a.attname, format_type(a.atttypid, NULL), EXISTS (
    SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indnkeyatts = 1
    AND i.indkey[0] = a.attnum AND i.indpred IS NULL
) FROM pg_attribute a WHERE a.attrelid = to_regclass(%(a0)s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_TEXTS = ("event", "category", "user", "description", "source_ip", "target", "source", "key")


class TableColumn(NamedTuple):
    """A column of the table."""

    name: str
    kind: str
    """Its type, as PostgreSQL writes it."""
    is_unique: bool


class ForeignView(NamedTuple):
    """The table, as ``audit_events``."""

    name: str
    statement: str
    has_numbers: bool
    """Its key is a whole number, which grows with the events; else a hash of the row."""
    moment: Callable[[str], str]
    """Returns a number of microseconds, given as a place, as a value of the table's time."""


def guessed_mapping(columns: Sequence[TableColumn]) -> TableMapping:
    """Return the mapping that the names of columns tell, as the header of a CSV file does.

    Raises:
        UsageError: If none is a time.
    """
    by_name = {_squashed(column.name): column for column in columns}
    mapped: dict[str, tuple[str, ...]] = {}
    for column, aliases in ALIASES.items():
        names = [by_name[name].name for name in map(_squashed, aliases.split()) if name in by_name]
        free = [name for name in names if (name,) not in mapped.values()]
        if free:
            mapped[column] = (free[0],)
    times = [column.name for column in columns if column.kind.startswith(("timestamp", "date"))]
    if "time" not in mapped and times:
        mapped["time"] = (times[0],)
    outcome = by_name.get("outcome") or by_name.get("status") or by_name.get("result")
    if outcome is not None:
        mapped["outcome"] = (outcome.name,)
    return TableMapping("table", "table", mapped)


def _squashed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def view_of(
    connection: PostgresConnection, url: SourceUrl, table: str, mapping: TableMapping | None
) -> ForeignView:
    """Look at a table, and make the view.

    Raises:
        StoreError: If there is none of that name.
        UsageError: If a mapping names what it does not have, or nothing in it is a time.
    """
    columns = [TableColumn(*row) for row in connection.rows(_COLUMNS, {"a0": table})]
    if not columns:
        raise StoreError(f"{url} has no table {table} that you may read.", "Write it as SCHEMA.TABLE.")
    mapping = mapping or guessed_mapping(columns)
    if "time" not in mapping.columns:
        raise UsageError(f"No column of {table} is a time.", "Name it in a mapping file: --mapping FILE.")
    return _View(connection, table, columns, mapping).made()


class _View:
    """Puts the statement of a view together; every name of the table is quoted by the driver."""

    def __init__(
        self,
        connection: PostgresConnection,
        table: str,
        columns: Sequence[TableColumn],
        mapping: TableMapping,
    ) -> None:
        self._connection = connection
        self._raw = connection.raw
        self._table = ".".join(self._quoted(part) for part in table.split("."))
        self._columns = {column.name: column for column in columns}
        self._mapping = mapping

    def made(self) -> ForeignView:
        key = next(
            (c for c in self._columns.values() if c.is_unique and c.kind in ("bigint", "integer")), None
        )
        unique = key or next((c for c in self._columns.values() if c.is_unique), None)
        identity = f"t.{self._quoted(unique.name)}::text" if unique else "t::text"
        hashed = f"(('x' || substr(md5({identity}), 1, 16))::bit(64)::bigint & {2**62 - 1})"
        number = f"t.{self._quoted(key.name)}::bigint" if key else hashed
        moment_column, occurred_us, moment = self._time()
        texts = {name: self._text(name) for name in _TEXTS}
        texts["event"] = f"coalesce({texts['event']}, {self._literal(self._mapping.title)})"
        texts["key"] = f"coalesce({texts['key']}, {identity})"
        used = [path.split(".")[0] for paths in self._mapping.columns.values() for path in paths]
        rest = f"(to_jsonb(t) - {self._literal(sorted(set(used)))}::text[])"
        outcome = self._words("outcome", lambda raw: OUTCOMES.index(self._mapping.verdict(raw).outcome), "0")
        severity = self._words("severity", self._severity, "NULL")
        parts = {
            "id": number,
            "moment": moment_column,
            "occurred_us": occurred_us,
            "event": texts["event"],
            "category": texts["category"],
            "username": texts["user"],
            "origin": texts["source"],
            "outcome": f"({outcome})::smallint",
            "severity": f"({severity})::smallint",
            "key": texts["key"],
            "description": texts["description"],
            "source_ip": texts["source_ip"],
            "target": texts["target"],
            "meta": rest,
            "metadata": f"{rest}::text",
        }
        selected = ", ".join(f"{expression} AS {name}" for name, expression in parts.items())
        statement = f"SELECT {selected} FROM {self._table} t WHERE {moment_column} IS NOT NULL"
        return ForeignView(self._table, statement, key is not None, moment)

    def _time(self) -> tuple[str, str, Callable[[str], str]]:
        path = self._mapping.columns["time"][0]
        column = self._columns.get(path)
        if column is None:
            raise UsageError(f"{self._table} has no column {path} for the time.", "Mend the mapping file.")
        name = f"t.{self._quoted(column.name)}"
        if column.kind in ("bigint", "integer", "numeric", "double precision"):
            unit = _UNITS.get(self._mapping.time_unit or "s", 1_000_000)
            return name, f"({name} * {unit})::bigint", lambda place: f"({place}::numeric / {unit})"
        if column.kind in ("text", "character varying"):
            name = f"{name}::timestamptz"
        epoch = (
            "'1970-01-01'::timestamp"
            if column.kind == "timestamp without time zone"
            else "'epoch'::timestamptz"
        )
        if column.kind == "date":
            epoch = "'1970-01-01'::timestamp"
        moment_us = f"(extract(epoch FROM {name}) * 1000000)::bigint"
        return name, moment_us, lambda place: f"({epoch} + {place}::bigint * interval '1 microsecond')"

    def _text(self, column: str) -> str:
        """Return the text of one of our columns: the first path that gives one, else a constant."""
        parts = [self._path(path) for path in self._mapping.columns.get(column, ())]
        if column in self._mapping.constants:
            parts.append(self._literal(self._mapping.constants[column]))
        return f"coalesce({', '.join(parts)})" if parts else "NULL::text"

    def _path(self, path: str) -> str:
        if path in self._columns:
            return f"(t.{self._quoted(path)})::text"
        name, *inner = path.split(".")
        if name not in self._columns or not inner:
            raise UsageError(f"{self._table} has no column {path}.", "Mend the mapping file.")
        return f"((t.{self._quoted(name)})::jsonb #>> {self._literal(inner)}::text[])"

    def _words(self, column: str, number_of: Callable[[str], int | None], otherwise: str) -> str:
        """Return the number of each word of a column, as the mapping reads it."""
        paths = self._mapping.columns.get(column, ())
        if not paths:
            return otherwise
        text = f"coalesce({', '.join(map(self._path, paths))})"
        words = f"SELECT DISTINCT {text} FROM {self._table} t LIMIT {_MOST_WORDS}"
        cases = []
        for (word,) in self._connection.rows(words, {}):
            number = None if word is None else number_of(str(word))
            if number is not None:
                cases.append(f"WHEN {self._literal(str(word))} THEN {number}")
        return f"CASE {text} {' '.join(cases)} ELSE {otherwise} END" if cases else otherwise

    def _severity(self, raw: str) -> int | None:
        severity = self._mapping.severities.get(raw.lower())
        number = read_column("severity", raw) if severity is None else severity
        return number if isinstance(number, int) else None

    def _quoted(self, name: str) -> str:
        return sql.Identifier(name).as_string(self._raw).replace("%", "%%")

    def _literal(self, value: object) -> str:
        return sql.Literal(value).as_string(self._raw).replace("%", "%%")


class ForeignPool(Pool):
    """Asks about a view where others ask about ``audit_events``."""

    view: ForeignView

    def written(self, statement: str) -> str:
        """Return a statement about the table."""
        moment = self.view.moment
        statement = _COMPARED.sub(lambda m: f"e.moment {m[1]} {moment(m[2])}", statement)
        statement = _COMPARED_PAIR.sub(lambda m: f"(e.moment, e.id) {m[1]} ({moment(m[2])}, ", statement)
        statement = _ORDERED.sub(r"e.moment\1, e.id", statement)
        return statement.replace("audit_events e", f"({self.view.statement}) e")


class ForeignDialect(PostgresDialect):
    """The SQL over a view whose names are texts."""

    has_totals = False
    names: Mapping[str, str] = {}
    joined = ""
    row_columns, name_is = Dialect.row_columns, Dialect.name_is
    rows, named = Dialect.rows, Dialect.named

    def folded(self, column: str) -> str:
        """Return the text of a column without regard to case, as the database sees it."""
        return f"lower(e.{column})"

    def whole(self, args: Args, ids: Sequence[int]) -> str:
        """Return all columns of some events."""
        columns = self.columns(column for column in WHOLE if column != "original")
        return f"SELECT {columns}, NULL, '' FROM audit_events e WHERE {self.is_one_of(args, 'e.id', ids)}"


class ForeignConditions(Conditions):
    """Conditions on a view: names are texts, and the metadata a JSON object of PostgreSQL."""

    addresses: Mapping[str, str] = {}

    def _name(self, field: Field, operator: Operator, value: str) -> str:
        return self._text_of(COLUMN_OF[field], operator, value)

    def _missing(self, field: FilterField) -> str:
        if isinstance(field, MetaField):
            return self._dialect.negated(self._exists(stored_text(field.path), "TRUE"))
        if field is ANY_TEXT:
            none = " AND ".join(f"e.{column} IS NULL" for column in ("description", "target", "source_ip"))
            return f"{none} AND {self._dialect.negated(self._exists(None, 'TRUE'))}"
        return super()._missing(field)

    def _leaf(self, path: str | None, operator: Operator, value: str) -> str:
        args, text = self._args, "(v.j #>> '{}')"
        if operator is IS:
            return self._exists(path, f"{text} = {args(value)}")
        if operator.is_by_parts and (operator is not MATCHES or "*" in value):
            return self._exists(path, self._like(f"lower({text})", operator, value))
        test = operator.meaning(value)
        guard = self._dialect.matches(text, args(guard_of(operator)))
        could = f"({guard} OR lower({text}) = {args(value.casefold())})"
        statement = f"SELECT DISTINCT {text} FROM audit_events e, {self._values(path)} WHERE {could}"
        passing = [other for other in self._lookup(statement, args) if test(other)]
        return self._exists(path, self._dialect.is_one_of(args, text, passing))

    def _exists(self, path: str | None, condition: str) -> str:
        kinds = "jsonb_typeof(v.j) IN ('string', 'number', 'boolean')"
        return f"EXISTS (SELECT FROM {self._values(path)} WHERE {kinds} AND {condition})"

    def _values(self, path: str | None) -> str:
        names = [] if path is None else [json.dumps(name) for name in path.split(".")]
        return f"jsonb_path_query(e.meta, {self._args('.'.join(['$', *names, '**']))}::jsonpath) AS v (j)"


class ForeignReader(SharedReader):
    """Answers about another program's table; implements ``core.query.EventReader``."""

    _has_hosts = False

    def __init__(self, pool: ForeignPool, url: SourceUrl, table: str) -> None:
        self._view = pool.view
        super().__init__(pool, ForeignDialect(), url)
        self._table = table

    def info(self) -> StoreInfo:
        """Return what is known without a query of ours."""
        ends = "SELECT e.occurred_us FROM audit_events e ORDER BY e.occurred_us{}, e.id LIMIT 1"
        relation = self._pool.rows(
            "SELECT pg_total_relation_size(to_regclass(%(a0)s)), (SELECT count(*) FROM audit_events e),"
            f" ({ends.format('')}), ({ends.format(' DESC')})",
            {"a0": self._view.name},
        )
        size, events, first, last = relation[0]
        return StoreInfo(
            name=f"{self._table} in {self._url.name}",
            path=str(self._url),
            store_id=f"{self._url.name}/{self._table}",
            schema_version=0,
            events=int(events),
            first_us=first,
            last_us=last,
            size_bytes=int(size or 0),
            notice=NOTICE,
        )

    def newest_seq(self) -> int:
        """Return the largest number; 0 where the table has none, and everything is always shown."""
        if self._view.has_numbers:
            self._newest = int(self._pool.rows("SELECT max(e.id) FROM audit_events e", {})[0][0] or 0)
        return self._newest

    def values(
        self, field: NameColumn, search: str, limit: int, cancel: CancelToken | None = None
    ) -> tuple[ValueCount, ...]:
        """Return values of a field that contain ``search`` without regard to case."""
        text = stored_text(search)
        folded = text.casefold()

        def rank(value: ValueCount) -> tuple[int, int, bool, str, str]:
            shown, name = NO_VALUE_WORDS if value.value is None else value.value, value.value or ""
            nearness = (
                value.value != text,
                shown.casefold() != folded,
                not shown.casefold().startswith(folded),
            )
            near = nearness.index(False) if text and False in nearness else 3
            return near, -value.events, value.value is None, name.casefold(), name

        totals = self._name_totals(EventQuery(), NAME_FIELDS[field], cancel)
        matches = [
            ValueCount(name, events)
            for name, events in totals.items()
            if folded in (NO_VALUE_WORDS if name is None else name).casefold()
        ]
        return tuple(sorted(matches, key=rank)[:limit])

    def facets(
        self,
        query: EventQuery,
        field: FacetField,
        limit: int,
        cancel: CancelToken | None = None,
        *,
        rarest: bool = False,
        counts_all: bool = False,
        most_events: int | None = None,
    ) -> Facet:
        """Return the values that a result's events have in a field, with how many of them have each."""
        if not isinstance(field, MetaField):
            return super().facets(
                query, field, limit, cancel, rarest=rarest, counts_all=counts_all, most_events=most_events
            )
        from audit_tui.core.filter.matching import texts_of

        most = _MOST_WORDS if most_events is None else most_events
        events = 0
        totals: Counter[str | None] = Counter()
        for event in self.events(replace(query, sort=EventQuery().sort), cancel):
            if events == most:
                return facet_of(totals, events, limit, rarest=rarest, is_whole=False)
            events += 1
            texts: set[str | None] = {*texts_of(field, event)}
            totals.update(texts or {None})
        return facet_of(totals, events, limit, rarest=rarest)

    def metadata_names(self, cancel: CancelToken | None = None) -> dict[str, int]:
        """Return the dotted names of what the newest rows hold beside our columns, and in how many."""
        args_free = (
            f"SELECT e.metadata FROM audit_events e ORDER BY e.occurred_us DESC, e.id LIMIT {_SAMPLE_ROWS}"
        )
        rows = self._pool.rows(args_free, {}, cancel)
        names = (name for (text,) in rows for name in {path for path, _ in leaves(json.loads(text or "{}"))})
        return dict(sorted(Counter(names).items()))

    def _conditions(self, args: Args, cancel: CancelToken | None) -> Conditions:
        return ForeignConditions(args, self._lookup(cancel))

    def _scope_of(self, dialect: Dialect) -> Scope:
        return Scope(dialect, self._conditions, has_bound=self._view.has_numbers)
