"""Rules asked by pySigma's own SQLite backend, of records as they were before anything was imported."""

from __future__ import annotations

import json
import re
import sqlite3
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection

from audit_tui.core.filter.filters import MetaField
from audit_tui.detect.tree import KEYWORD, tests_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from audit_tui.detect.plan import SourceTable
    from audit_tui.detect.tree import Rule

RAW = "_raw"
MOST_ROWS = 64
"""Combinations of the members of lists that are tried of one record."""


def values_at(record: Any, path: str, *, ignores_case: bool) -> list[Any]:  # noqa: ANN401 - JSON
    """The values under a dotted path; the members of lists one by one."""
    here: list[Any] = [record]
    if not isinstance(record, dict) or path not in record:
        for part in path.split("."):
            here = [inner for value in here for inner in _inside(value, part, ignores_case=ignores_case)]
    else:
        here = [record[path]]
    return list(_leaves(here))


def _inside(value: Any, part: str, *, ignores_case: bool) -> Iterator[Any]:  # noqa: ANN401 - JSON
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            for name, inner in each.items():
                if name == part or (ignores_case and name.lower() == part.lower()):
                    yield inner


def _leaves(value: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)


def raw_names(table: SourceTable, field: str, given_back: set[str]) -> tuple[str, ...]:
    """The names in a record itself that a rule means by a field.

    Args:
        table: Where fields lie in events.
        field: As the rule names it.
        given_back: The names of ``fields``, which are those of records.
    """
    if field in given_back or field not in table.names:
        return (field,)
    names: list[str] = []
    for place in table.places(field):
        if isinstance(place.field, MetaField):
            names.append(place.field.path)
        else:
            names += [name for name in given_back if place in table.places(name)]
    return tuple(dict.fromkeys(names))


def hits(
    rule: Rule,
    text: str,
    records: Iterable[tuple[int, dict[str, Any]]],
    names: dict[str, tuple[str, ...]],
    *,
    ignores_case: bool = False,
    seen: dict[tuple[int, str], list[Any]] | None = None,
) -> set[int]:
    """Return the numbers of the records that pySigma's backend finds for a rule.

    Args:
        rule: The rule as we read it, for the names of its fields.
        text: Its YAML.
        records: Numbered records.
        names: For each field, the names that it may have in a record.
        ignores_case: Names differ in their case.
        seen: What stood in these records, by number and name: for the next rule.
    """
    values = {} if seen is None else seen
    assert rule.tree is not None
    fields = sorted({test.field for test in tests_in(rule.tree)} - {KEYWORD})
    fields += sorted(
        {test.value for test in tests_in(rule.tree) if test.kind.value.startswith("field")} - {*fields}
    )
    backend = sqliteBackend(fulltext_field=RAW)
    (statement,) = backend.convert(SigmaCollection.from_yaml(text))
    connection = sqlite3.connect(":memory:")
    connection.create_function("regexp", 2, lambda pattern, value: _search(pattern, value))
    columns = ", ".join(f'"{field}" text collate nocase' for field in (*fields, RAW))
    connection.execute(f"CREATE TABLE logs (number integer, {columns})")
    has_keywords = any(test.field == KEYWORD for test in tests_in(rule.tree))
    rows = []
    for number, record in records:
        lists = [
            [
                value
                for name in names.get(field, (field,))
                for value in _remembered(values, number, record, name, ignores_case=ignores_case)
            ]
            or [None]
            for field in fields
        ]
        raw = "\n".join(map(str, _leaves(record))) if has_keywords else ""
        rows += [(number, *values, raw) for values in islice(product(*lists), MOST_ROWS)]
    marks = ", ".join("?" * (len(fields) + 2))
    connection.executemany(f"INSERT INTO logs VALUES ({marks})", rows)
    asked = statement.replace("<TABLE_NAME>", "logs").replace("SELECT *", "SELECT number")
    return {row[0] for row in connection.execute(asked)}


def _remembered(
    seen: dict[tuple[int, str], list[Any]],
    number: int,
    record: dict[str, Any],
    name: str,
    *,
    ignores_case: bool,
) -> list[Any]:
    if (number, name) not in seen:
        seen[number, name] = values_at(record, name, ignores_case=ignores_case)
    return seen[number, name]


def _search(pattern: str, value: object) -> bool:
    return value is not None and re.search(pattern, str(value)) is not None
