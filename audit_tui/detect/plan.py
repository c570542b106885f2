"""A rule as a filter of stored events, by where its fields lie, and as a test of what that takes."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import (
    ANY_TEXT,
    FILTER_COLUMNS,
    All,
    Any,
    Condition,
    Filter,
    FilterField,
    MetaField,
    Not,
    condition_of,
)
from audit_tui.core.filter.matching import is_inside, leaves, texts_of
from audit_tui.core.filter.operators import CONTAINS, IN_NETWORK, IS, IS_NOT, MATCHES
from audit_tui.core.query_line.text import normal
from audit_tui.core.record import Record
from audit_tui.detect.tree import (
    ANY,
    KEYWORD,
    ORDERS,
    SINGLE,
    FieldTest,
    Group,
    Kind,
    Tree,
    escaped,
    literal_in,
    pieces,
    plain,
    record_test,
    tests_in,
    text_test,
)

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent
    from audit_tui.detect.tree import LogSource, Lookup, Rule


ANY_SOURCE = "any"
_META = "meta"
_COLUMNS = {column.value: column for column in FILTER_COLUMNS}


class Place(Record):
    """A field of an event that holds what a rule names."""

    field: FilterField
    suffix: str = ""
    """The end that the record's own text has besides."""


class SourceTable(Record):
    """The places of the fields of one source of events."""

    source: str
    """The ``source`` of the events; ``any`` for all."""
    names: dict[str, tuple[str, ...]]
    has_lower_names: bool = False
    """Warehouses wrote the outermost names in small letters."""
    records: tuple[str, ...] = ()
    """An event holds several records by type, most often these; empty where it is one record."""

    def places(self, field: str) -> tuple[Place, ...]:
        """Return where a field may lie; never empty."""
        places: list[Place] = []
        for name in self.names.get(field, (_META,)):
            column, _, suffix = name.partition(" + ")
            if column == _META or column.startswith("meta."):
                path = field if column == _META else column.removeprefix("meta.")
                places.append(Place(MetaField(path)))
                first, dot, rest = path.partition(".")
                if self.has_lower_names and first != first.lower():
                    places.append(Place(MetaField(first.lower() + dot + rest)))
            else:
                places.append(Place(_COLUMNS[column], suffix))
        return tuple(dict.fromkeys(places))


@cache
def _tables() -> dict[str, SourceTable]:
    tables: dict[str, SourceTable] = {}
    for source, table in tomllib.loads(Path(__file__).with_name("fields.toml").read_text("utf-8")).items():
        names = {**table.get("aliases", {}), **table.get("fields", {})}
        made = SourceTable(
            source,
            {name: tuple(places) for name, places in names.items()},
            table.get("has_lower_names", False),
            tuple(table.get("records", ())),
        )
        for logsource in table["logsources"]:
            tables[logsource] = made
    return tables


def table_of(logsource: LogSource) -> SourceTable | None:
    """Return what is known of a log source; None when its events are not among those that are imported."""
    tables = _tables()
    if logsource.service:
        return tables.get(f"{logsource.product}/{logsource.service}")
    if logsource.category:
        return tables.get(f"{logsource.product}/{logsource.category}")
    return tables.get(logsource.product)


NOTHING = Any(())
TYPE = "type"
"""The field by which a rule chooses among the records of one event."""
REPEATED = ("PATH",)
"""The types that an event may have several records of."""


class Plan(Record):
    """The way a rule is asked of a store."""

    filter: Filter
    """Takes every event that the rule hits, and only those when there is no test; as it is written: ask for
    it ``everywhere``."""
    test: Callable[[AuditEvent], bool] | None = None
    """Tells of an event that the filter takes whether the rule hits it; None when it does."""

    @property
    def is_exact(self) -> bool:
        """Tell whether the filter alone is the rule."""
        return self.test is None


def plan_of(rule: Rule) -> Plan | None:
    """Return how a rule is asked; None when no event of its log source can be in a store."""
    table = table_of(rule.logsource)
    if table is None or rule.tree is None:
        return None
    making = _Making(table)
    tree = rule.tree
    expression = making.by_records(tree) if table.records else making.filter_of(tree)
    parts = () if table.source == ANY_SOURCE else (Condition(Column.SOURCE, IS, table.source),)
    whole = normal(All((*parts, expression)))
    return Plan(whole, None if making.is_exact else _event_test(tree, table))


class _Making:
    def __init__(self, table: SourceTable) -> None:
        self.is_exact = True
        self._table = table
        self._type = ""

    def filter_of(self, tree: Tree, *, is_negated: bool = False) -> Filter:
        """Return a filter that takes at least what the tree does, or at most, under a "not"."""
        if isinstance(tree, FieldTest):
            return self._filter_of_test(tree, is_negated=is_negated)
        if tree.word == "not":
            return Not(self.filter_of(tree.parts[0], is_negated=not is_negated))
        parts = tuple(self.filter_of(part, is_negated=is_negated) for part in tree.parts)
        return All(parts) if tree.word == "all" else Any(parts)

    def by_records(self, tree: Tree) -> Filter:
        """Return the filter for events of several records, one of which must match by itself."""
        types = {test.value.upper() for test in tests_in(tree) if _is_type(test)}
        choices = []
        # A type that the rule does not name stands for all others.
        for kind in (*sorted(types), *self._table.records):
            chosen = _for_type(tree, kind)
            if chosen is None or (
                kind not in types and any(_for_type(tree, name) is not None for name in types)
            ):
                continue
            self._type = kind
            choices.append(All((Condition(MetaField(kind), IS_NOT, None), self.filter_of(chosen))))
            # Two tests may hold in two records of the type.
            self.is_exact &= kind not in REPEATED or _is_choice(chosen)
        return Any(tuple(choices))

    def _filter_of_test(self, test: FieldTest, *, is_negated: bool) -> Filter:
        if test.field == KEYWORD:
            choices = [self._keyword(test)]
        else:
            choices = []
            for place in self._places(test.field):
                choices += [self._condition(*pair) for pair in _at(test, *place)]
            if test.kind is Kind.NULL:
                return All(tuple(choice for choice, _ in choices))
        if all(is_exact for _, is_exact in choices):
            return Any(tuple(choice for choice, _ in choices))
        self.is_exact = False
        return NOTHING if is_negated else Any(tuple(choice for choice, _ in choices))

    def _places(self, field: str) -> list[tuple[FilterField, str]]:
        if self._type:
            return [(MetaField(f"{self._type}.{field}"), "")]
        return [(place.field, place.suffix) for place in self._table.places(field)]

    def _condition(self, field: FilterField, test: FieldTest) -> tuple[Filter, bool]:
        """Return the condition for a test, and whether it means the same; else it takes more."""
        kind, value = test.kind, test.value
        if kind is Kind.NULL:
            return Condition(field, IS, None), True
        if kind is Kind.NETWORK:
            return Condition(field, IN_NETWORK, value), True
        if kind in ORDERS:
            return Condition(field, ORDERS[kind], value), True
        if kind in (Kind.PATTERN, Kind.CASED):
            return _pattern(field, test)
        if kind is Kind.REGEX and (literal := literal_in(value)):
            # The index finds it; the rest is tried on what it leaves.
            return Condition(field, CONTAINS, literal), False
        return Condition(field, IS_NOT, None), False

    def _keyword(self, test: FieldTest) -> tuple[Filter, bool]:
        if test.kind not in (Kind.PATTERN, Kind.CASED):
            return All(()), False
        inside = pieces(test.value)
        while inside and inside[0] == ANY:
            inside.pop(0)
        while inside and inside[-1] == ANY:
            inside.pop()
        is_exact = test.kind is Kind.PATTERN
        if len(inside) == 1 and inside[0] != SINGLE:
            return Condition(ANY_TEXT, CONTAINS, plain(inside[0])), is_exact
        condition, is_same = _pattern(
            ANY_TEXT, FieldTest(KEYWORD, Kind.PATTERN, "".join([ANY, *inside, ANY]))
        )
        return condition, is_exact and is_same


def _pattern(field: FilterField, test: FieldTest) -> tuple[Filter, bool]:
    parts = pieces(test.value)
    literals = [plain(part) for part in parts if part not in (ANY, SINGLE)]
    is_exact = test.kind is Kind.PATTERN and SINGLE not in parts
    if not parts:
        return Condition(field, IS, ""), True
    if parts == [ANY]:
        return Condition(field, IS_NOT, None), True
    if len(literals) == len(parts) == 1 and test.kind is Kind.CASED:
        return Condition(field, IS, literals[0]), True
    has_star = any(ANY in literal for literal in literals)
    if len(parts) == 3 and len(literals) == 1 and parts[0] == parts[2] == ANY:
        return Condition(field, CONTAINS, literals[0]), is_exact
    if len(literals) == len(parts) == 1 and has_star:
        return Condition(field, MATCHES, literals[0]), False
    text = "".join(ANY if part in (ANY, SINGLE) else plain(part) for part in parts)
    return condition_of(field, MATCHES, text), is_exact and not has_star


def _at(test: FieldTest, field: FilterField, suffix: str) -> Iterator[tuple[FilterField, FieldTest]]:
    """Yield a test as it is of a place where texts lie without their suffix."""
    if not suffix or test.kind is Kind.NULL:
        yield field, test
    elif test.kind in (Kind.PATTERN, Kind.CASED):
        for pattern in _without_end(tuple(_signs(test.value)), suffix):
            yield field, test._replace(value=pattern)
    else:
        # Of the whole text nothing is known here: the test of the event decides.
        yield field, FieldTest(test.field, Kind.REGEX, "(?s).*")


def _signs(pattern: str) -> Iterator[str]:
    """Yield a pattern sign by sign: ``*``, ``?`` and escaped characters."""
    for part in pieces(pattern):
        if part in (ANY, SINGLE):
            yield part
        else:
            yield from (escaped(character) for character in plain(part))


def _without_end(signs: tuple[str, ...], suffix: str) -> list[str]:
    """Return the patterns; a text that matches one of them matches these signs with the suffix."""
    if not suffix:
        return ["".join(signs)]
    if not signs:
        return []
    *before, last = signs
    if last == ANY:
        patterns = [*_without_end(signs, suffix[:-1]), *_without_end(tuple(before), suffix)]
        return list(dict.fromkeys(patterns))
    is_same = last == SINGLE or plain(last).casefold() == suffix[-1].casefold()
    return _without_end(tuple(before), suffix[:-1]) if is_same else []


def _is_choice(tree: Tree) -> bool:
    if isinstance(tree, FieldTest):
        return True
    return (
        (tree.word == "any" or len(tree.parts) < 2)
        and tree.word != "not"
        and all(map(_is_choice, tree.parts))
    )


def _is_type(test: FieldTest) -> bool:
    return test.field == TYPE and test.kind is Kind.PATTERN and test.value.isidentifier()


def _for_type(tree: Tree, kind: str) -> Tree | None:
    """Return what a tree asks of a record of this type besides; None when it cannot match."""
    folded = _fold(tree, kind)
    if folded is False:
        return None
    return Group("all", ()) if folded is True else folded


def _fold(tree: Tree, kind: str) -> Tree | bool:
    if isinstance(tree, FieldTest):
        if tree.field != TYPE or tree.kind not in (Kind.PATTERN, Kind.CASED):
            return tree
        return text_test(tree)(kind) if not _is_type(tree) else tree.value.upper() == kind
    if tree.word == "not":
        inner = _fold(tree.parts[0], kind)
        return not inner if isinstance(inner, bool) else Group("not", (inner,))
    absorbing = tree.word == "any"
    parts: list[Tree] = []
    for part in tree.parts:
        folded = _fold(part, kind)
        if isinstance(folded, bool):
            if folded is absorbing:
                return absorbing
        else:
            parts.append(folded)
    return Group(tree.word, tuple(parts)) if parts else not absorbing


def _event_test(tree: Tree, table: SourceTable) -> Callable[[AuditEvent], bool]:
    test = record_test(tree)
    if not table.records:
        return lambda event: test(lookup_of(event, table))
    return lambda event: any(
        test(_record_lookup(kind, record))
        for kind, value in event.metadata.items()
        for record in (value if isinstance(value, list) else [value])
        if isinstance(record, dict)
    )


def lookup_of(event: AuditEvent, table: SourceTable) -> Lookup:
    """Return what gives the texts of a field as the record had it."""
    all_leaves = leaves(event.metadata)

    def texts(field: str) -> Sequence[str]:
        if field == KEYWORD:
            names = (event.event, event.category, event.user)
            return [*texts_of(ANY_TEXT, event), *(name for name in names if name is not None)]
        values: list[str] = []
        for place in table.places(field):
            if isinstance(place.field, MetaField):
                values += (text for path, text in all_leaves if is_inside(path, place.field.path))
            else:
                values += (text + place.suffix for text in texts_of(place.field, event))
        return values

    return texts


def _record_lookup(kind: str, record: dict[str, object]) -> Lookup:
    all_leaves = leaves(record)

    def texts(field: str) -> Sequence[str]:
        if field == KEYWORD:
            return [text for _, text in all_leaves]
        if field == TYPE:
            return [kind]
        return [text for path, text in all_leaves if is_inside(path, field)]

    return texts
