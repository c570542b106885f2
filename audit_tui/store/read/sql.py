"""Statements over the events: pure, text with marks and the values to bind, never a value in the text.

Every statement names its index and orders by what that index delivers, so that no plan depends on
statistics, and none sorts or touches a row before the page is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from audit_tui.core.columns import NAME_COLUMNS, Column, ListColumn, NameColumn, is_name_column
from audit_tui.core.record import Record
from audit_tui.errors import FilterError
from audit_tui.store.predicate import MISSING, Group, OneOf, Predicate, RowTest
from audit_tui.store.read.row_tests import ROW_TEST, columns_of, token
from audit_tui.store.tables.rows import stored_text
from audit_tui.store.tables.schema import FIELD_INDEXES, NAME_TABLES, TIME_INDEX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit_tui.core.filters import Condition
    from audit_tui.core.query import Interval
    from audit_tui.store.plan import Branch
    from audit_tui.store.scope import Scope

Bound: TypeAlias = int | str | None
MAX_PARAMETERS = 900
FIRST_SEQ = -(2**63)
"""Below every seq, so that (time, this) is the edge before all events of that time."""
_COLUMNS = {field: NAME_TABLES[field].column for field in NAME_COLUMNS}


class Statement(NamedTuple):
    """An SQL text and what is bound to its marks."""

    text: str
    parameters: tuple[Bound, ...] = ()


class Moment(NamedTuple):
    """A place in the order by time."""

    occurred_us: int
    seq: int


class NameKey(NamedTuple):
    """A place in the order of names."""

    folded: str
    name: str


class Span(Record):
    """The events between two moments, both outside; None has no end."""

    after: Moment | None = None
    before: Moment | None = None

    @classmethod
    def of(cls, interval: Interval) -> Span:
        """The span of a half-open interval."""
        return cls(
            None if interval.start_us is None else Moment(interval.start_us, FIRST_SEQ),
            None if interval.end_us is None else Moment(interval.end_us, FIRST_SEQ),
        )

    def since(self, moment: Moment) -> Span:
        """What of it comes after this moment."""
        return Span(moment if self.after is None else max(moment, self.after), self.before)

    def until(self, moment: Moment) -> Span:
        """What of it comes before this moment."""
        return Span(self.after, moment if self.before is None else min(moment, self.before))

    @property
    def is_everything(self) -> bool:
        """Whether it has no end on either side."""
        return self.after is None and self.before is None


class Scan(Record):
    """The events of one index range that match."""

    branch: Branch
    span: Span
    upto_seq: int | None


class Walk(Record):
    """The events that match, name by name in the order of names, those without a name left out."""

    field: NameColumn
    predicate: Predicate
    span: Span
    upto_seq: int | None
    after: NameKey | None = None
    """Only names after this one."""
    before: NameKey | None = None
    """Only names before this one."""


class TextEdge(Record):
    """One side of a key in an order by description."""

    folded: str
    text: str | None
    moment: Moment
    is_greater: bool
    """The descriptions after this one in their own order, else those before."""
    is_newer: bool
    """Of the same description, the newer events, else the older."""


def scan_keys(
    scan: Scan,
    indexes: frozenset[str],
    *,
    newest_first: bool,
    limit: int,
    offset: int = 0,
    column: str = "",
) -> Statement:
    """Time and seq of the events of a range, in the order of time; a further column if asked for."""
    source, where, parameters = _scan(scan, indexes)
    direction = "DESC" if newest_first else "ASC"
    extra = f", {column}" if column else ""
    return Statement(
        f"SELECT occurred_us, seq{extra} FROM {source} WHERE {where}"  # noqa: S608 - our own names
        f" ORDER BY occurred_us {direction}, seq {direction} LIMIT ? OFFSET ?",
        (*parameters, limit, offset),
    )


def scan_count(scan: Scan, indexes: frozenset[str]) -> Statement:
    """How many events of a range match."""
    source, where, parameters = _scan(scan, indexes)
    return Statement(f"SELECT count(*) FROM {source} WHERE {where}", parameters)  # noqa: S608 - our own names


def totals(scan: Scan, indexes: frozenset[str], field: NameColumn) -> Statement:
    """How many matching events of a range have each number of a field."""
    source, where, parameters = _scan(scan, indexes)
    column = _COLUMNS[field]
    return Statement(
        f"SELECT {column}, count(*) FROM {source} WHERE {where} GROUP BY {column}",  # noqa: S608 - our own names
        parameters,
    )


def late_count(predicate: Predicate, span: Span, upto_seq: int) -> Statement:
    """How many of the events appended after this one match."""
    parts = [Statement("seq > ?", (upto_seq,)), *_span(span, ""), *_check(predicate, _COLUMNS)]
    where = _joined(parts, "AND")
    return Statement(
        f"SELECT count(*) FROM events NOT INDEXED WHERE {where.text}",  # noqa: S608 - our own names
        where.parameters,
    )


def walk_keys(
    walk: Walk,
    indexes: frozenset[str],
    *,
    descending: bool,
    newest_first: bool,
    limit: int,
    offset: int = 0,
) -> Statement:
    """Time and seq of the events, name by name, each name's by time."""
    source, where, parameters = _walk(walk, indexes)
    names, times = ("DESC" if descending else "ASC"), ("DESC" if newest_first else "ASC")
    return Statement(
        f"SELECT e.occurred_us, e.seq FROM {source} WHERE {where}"  # noqa: S608 - our own names
        f" ORDER BY n.folded {names}, n.name {names}, e.occurred_us {times}, e.seq {times} LIMIT ? OFFSET ?",
        (*parameters, limit, offset),
    )


def walk_count(walk: Walk, indexes: frozenset[str]) -> Statement:
    """How many events a walk meets."""
    source, where, parameters = _walk(walk, indexes)
    return Statement(f"SELECT count(*) FROM {source} WHERE {where}", parameters)  # noqa: S608 - our own names


def names_in_order(walk: Walk, *, descending: bool) -> Statement:
    """The names a walk goes through, each with how many events of the store have it."""
    table, direction = NAME_TABLES[walk.field].table, ("DESC" if descending else "ASC")
    bounds = _joined(_name_bounds(walk), "AND")
    return Statement(
        f"SELECT n.folded, n.name, n.events FROM {table} AS n INDEXED BY {table}_order"  # noqa: S608 - our own
        f" WHERE {bounds.text} ORDER BY n.folded {direction}, n.name {direction}",
        bounds.parameters,
    )


def text_keys(
    scan: Scan,
    indexes: frozenset[str],
    edge: TextEdge | None,
    *,
    descending: bool,
    newest_first: bool,
    limit: int,
    offset: int = 0,
) -> Statement:
    """Time and seq of the events by their description: a sorter, for there is no index of it."""
    source, where, parameters = _text(scan, indexes, edge)
    texts, times = ("DESC" if descending else "ASC"), ("DESC" if newest_first else "ASC")
    return Statement(
        f"SELECT occurred_us, seq FROM {source} WHERE {where} ORDER BY description IS NULL {texts},"  # noqa: S608 - our own
        f" {FOLDED}(description) {texts}, description {texts}, occurred_us {times}, seq {times}"
        " LIMIT ? OFFSET ?",
        (*parameters, limit, offset),
    )


def text_count(scan: Scan, indexes: frozenset[str], edge: TextEdge | None) -> Statement:
    """How many events lie on one side of a description."""
    source, where, parameters = _text(scan, indexes, edge)
    return Statement(f"SELECT count(*) FROM {source} WHERE {where}", parameters)  # noqa: S608 - our own names


FOLDED = "folded"
"""The SQL function for a text without regard to case; SQLite's lower() knows only ASCII."""

ROW = Statement(
    "SELECT occurred_us, event_id, category_id, user_id, description, outcome FROM events WHERE seq = ?"
)
_WHOLE_EVENT = (
    "SELECT seq, key, occurred_us,"
    " (SELECT name FROM event_names WHERE id = event_id),"
    " (SELECT name FROM category_names WHERE id = category_id),"
    " (SELECT name FROM user_names WHERE id = user_id),"
    " description, outcome, severity, source_ip, target,"
    " (SELECT name FROM source_names WHERE id = source_id),"
    " metadata, original FROM events"
)
EVENT = Statement(f"{_WHOLE_EVENT} WHERE seq = ?")
EVENT_OF_KEY = Statement(f"{_WHOLE_EVENT} WHERE key = ?")


def values(field: NameColumn, *, has_search: bool) -> Statement:
    """Names that contain a text, best first.

    Marks: the text as typed, three times the text folded, the limit; without a search the limit only.
    """
    table = NAME_TABLES[field].table
    if not has_search:
        return Statement(
            f"SELECT name, events, 3, folded FROM {table} WHERE events > 0"  # noqa: S608
            " ORDER BY events DESC, folded, name LIMIT ?"
        )
    rank = "CASE WHEN name = ? THEN 0 WHEN folded = ? THEN 1 WHEN instr(folded, ?) = 1 THEN 2 ELSE 3 END"
    return Statement(
        f"SELECT name, events, {rank} AS rank, folded FROM {table} WHERE instr(folded, ?) > 0 AND events > 0"  # noqa: S608
        " ORDER BY rank, events DESC, folded, name LIMIT ?"
    )


def value_of(column: ListColumn, seq: int) -> Statement:
    """What a row holds in a column of the list: the number of a name, or a text."""
    own = {Column.TIME: "occurred_us", Column.DESCRIPTION: "description"}
    held = own.get(column) or f"{column.value}_id"
    return Statement(f"SELECT {held} FROM events WHERE seq = ?", (seq,))  # noqa: S608 - our own names


def names_with(field: NameColumn, folded: str) -> Statement:
    """The numbers of the names that contain a folded text."""
    table = NAME_TABLES[field].table
    return Statement(f"SELECT id FROM {table} WHERE instr(folded, ?) > 0", (folded,))  # noqa: S608 - our own


def test_of_event(condition: Condition, seq: int) -> Statement:
    """1 if a test of a row holds for this event."""
    test = _row_test(condition, _COLUMNS, is_negated=False)
    return Statement(
        f"SELECT count(*) FROM events WHERE seq = ? AND {test.text}",  # noqa: S608 - our own names
        (seq, *test.parameters),
    )


def stretch_count(scope: Scope, first_seq: int, last_seq: int) -> Statement:
    """How many events of a stretch of seqs match, by their rows."""
    parts = [
        Statement("seq BETWEEN ? AND ?", (first_seq, last_seq)),
        *_span(scope.span, ""),
        *_upto(scope.upto_seq, ""),
        *_check(scope.predicate, _COLUMNS),
    ]
    where = _joined(parts, "AND")
    return Statement(
        f"SELECT count(*) FROM events NOT INDEXED WHERE {where.text}",  # noqa: S608 - our own names
        where.parameters,
    )


def tested_rows(predicate: Predicate, first_seq: int, last_seq: int) -> Statement:
    """Time and seq of the events of a stretch of seqs that match."""
    where = _joined(
        [Statement("seq BETWEEN ? AND ?", (first_seq, last_seq)), *_check(predicate, _COLUMNS)], "AND"
    )
    return Statement(
        f"SELECT occurred_us, seq FROM events NOT INDEXED WHERE {where.text}",  # noqa: S608 - our own names
        where.parameters,
    )


def _scan(scan: Scan, indexes: frozenset[str]) -> tuple[str, str, tuple[Bound, ...]]:
    driver = scan.branch.driver
    parts: list[Statement] = []
    if driver is not None:
        number = None if driver.number == MISSING else driver.number
        parts.append(Statement(f"{_COLUMNS[driver.field]} IS ?", (number,)))
    parts += [*_span(scan.span, ""), *_upto(scan.upto_seq, ""), *_check(scan.branch.rest, _COLUMNS)]
    where = _joined(parts, "AND")
    index = TIME_INDEX if driver is None else FIELD_INDEXES[driver.field]
    return _indexed("events", index.name, indexes), where.text, where.parameters


def _walk(walk: Walk, indexes: frozenset[str]) -> tuple[str, str, tuple[Bound, ...]]:
    names = NAME_TABLES[walk.field]
    # The name's own number decides before its events are looked at.
    columns = {**{field: f"e.{column}" for field, column in _COLUMNS.items()}, walk.field: "n.id"}
    parts = [
        *_name_bounds(walk),
        Statement(f"e.{names.column} = n.id"),
        *_span(walk.span, "e."),
        *_upto(walk.upto_seq, "e."),
        *_check(walk.predicate, columns),
    ]
    where = _joined(parts, "AND")
    events = _indexed("events AS e", FIELD_INDEXES[walk.field].name, indexes)
    source = f"{names.table} AS n INDEXED BY {names.table}_order CROSS JOIN {events}"
    return source, where.text, where.parameters


def _text(scan: Scan, indexes: frozenset[str], edge: TextEdge | None) -> tuple[str, str, tuple[Bound, ...]]:
    source, where, parameters = _scan(scan, indexes)
    if scan.branch.driver is None and scan.span.is_everything:
        source = "events NOT INDEXED"
    if edge is None:
        return source, where, parameters
    texts, times = (">" if edge.is_greater else "<"), (">" if edge.is_newer else "<")
    own = f"(description IS NULL, {FOLDED}(description), ifnull(description, ''))"
    key = (int(edge.text is None), edge.folded, edge.text or "")
    side = (
        f"({own} {texts} (?, ?, ?) OR ({own} = (?, ?, ?) AND (occurred_us, seq) {times} (?, ?)))",
        (*key, *key, *edge.moment),
    )
    return source, f"{where} AND {side[0]}", (*parameters, *side[1])


def _indexed(table: str, index: str, indexes: frozenset[str]) -> str:
    return f"{table} INDEXED BY {index}" if index in indexes else table


def _name_bounds(walk: Walk) -> list[Statement]:
    parts = []
    if walk.after is not None:
        parts.append(Statement("(n.folded, n.name) > (?, ?)", tuple(walk.after)))
    if walk.before is not None:
        parts.append(Statement("(n.folded, n.name) < (?, ?)", tuple(walk.before)))
    return parts


def _span(span: Span, prefix: str) -> list[Statement]:
    key = f"({prefix}occurred_us, {prefix}seq)"
    parts = []
    if span.after is not None:
        parts.append(Statement(f"{key} > (?, ?)", tuple(span.after)))
    if span.before is not None:
        parts.append(Statement(f"{key} < (?, ?)", tuple(span.before)))
    return parts


def _upto(upto_seq: int | None, prefix: str) -> list[Statement]:
    return [] if upto_seq is None else [Statement(f"{prefix}seq <= ?", (upto_seq,))]


def _check(predicate: Predicate, columns: Mapping[NameColumn, str]) -> list[Statement]:
    """The test of each row, as one part; none when it always holds."""
    if predicate is True:
        return []
    test = _test(predicate, columns)
    if len(test.parameters) > MAX_PARAMETERS:
        raise FilterError("The filter names too many values.", "Write it more simply.")
    return [test]


def _test(predicate: Predicate, columns: Mapping[NameColumn, str]) -> Statement:
    match predicate:
        case bool():
            return Statement("1" if predicate else "0")
        case OneOf(field=field, numbers=numbers, is_negated=is_negated):
            own = f"ifnull({columns[field]}, {MISSING})"
            marks = ", ".join("?" * len(numbers))
            return Statement(f"{own} {'NOT ' if is_negated else ''}IN ({marks})", tuple(sorted(numbers)))
        case RowTest(condition=condition, is_negated=is_negated):
            return _row_test(condition, columns, is_negated)
        case Group(parts=parts, is_any=is_any):
            return _joined([_test(part, columns) for part in parts], "OR" if is_any else "AND")


def _row_test(condition: Condition, columns: Mapping[NameColumn, str], is_negated: bool) -> Statement:
    word = "NOT " if is_negated else ""
    if is_name_column(condition.field):
        table, folded = NAME_TABLES[condition.field].table, stored_text(condition.value or "").casefold()
        found = f"SELECT instr(folded, ?) FROM {table} WHERE id = {columns[condition.field]}"  # noqa: S608 - our own
        return Statement(f"{word}ifnull(({found}), 0)", (folded,))
    # As bytes, for a text that is no UTF-8 would end the statement.
    tested = ", ".join(f"CAST({column} AS BLOB)" for column in columns_of(condition))
    return Statement(f"{word}{ROW_TEST}(?, {tested})", (token(condition),))


def _joined(parts: Sequence[Statement], word: str) -> Statement:
    """The parts as one balanced expression: SQLite limits its depth."""
    if not parts:
        return Statement("1")
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    left, right = _joined(parts[:half], word), _joined(parts[half:], word)
    return Statement(f"({left.text} {word} {right.text})", left.parameters + right.parameters)
