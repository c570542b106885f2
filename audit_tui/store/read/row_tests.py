"""The tests of a row that no index of names answers, as an SQL function: the slow and always right way.

What a test looks for is bound to the statement as text, made into a callable once.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.core.filters import ANY_TEXT, Condition, FilterField, MetaField, field_named
from audit_tui.core.metadata import is_inside, leaves
from audit_tui.core.networks import in_network, network_of
from audit_tui.core.operators import CONTAINS, IN_NETWORK, OPERATORS
from audit_tui.store.tables.rows import NOT_JSON, stored_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    TextTest: TypeAlias = Callable[[str], bool]

ROW_TEST = "row_test"
"""The SQL function: what to look for, then the columns of ``columns_of`` as bytes."""
_OPERATORS = {operator.key: operator for operator in OPERATORS}


def columns_of(condition: Condition) -> tuple[str, ...]:
    """The columns of ``events`` that a test looks at; metadata last."""
    field = condition.field
    if field is ANY_TEXT:
        return ("description", "target", "source_ip", "metadata")
    return ("metadata",) if isinstance(field, MetaField) else (field.value,)


def token(condition: Condition) -> str:
    """The condition as one text to bind."""
    return json.dumps([condition.field.value, condition.operator.key, condition.value])


def row_test(bound: str, *columns: object) -> bool:
    """The SQL function."""
    return _test_of(bound)(columns)


def text_test(condition: Condition) -> TextTest:
    """What one text must be for a condition with a positive operator and a value."""
    value = stored_text(condition.value or "")
    folded = value.casefold()
    if condition.operator is CONTAINS:
        return lambda text: folded in text.casefold()
    network = network_of(value) if condition.operator is IN_NETWORK else None
    if network is not None:
        # The network's own text may stand where an address should.
        return lambda text: in_network(text, network) or text.casefold() == folded
    return lambda text: text == value


def metadata_leaves(stored: str) -> list[tuple[str, str]]:
    """The values of a stored metadata object; a text that is none counts as one value."""
    try:
        # Numbers stay as they are written; 5,000 digits are no error then.
        metadata = json.loads(stored, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        metadata = stored
    return leaves(metadata if isinstance(metadata, dict) else {NOT_JSON: metadata})


@lru_cache(maxsize=256)
def _test_of(bound: str) -> Callable[[tuple[object, ...]], bool]:
    name, key, value = json.loads(bound)
    field, operator = field_named(name), _OPERATORS[key]
    condition = Condition(field, operator, value)
    if value is None:
        return lambda columns: not any(True for _ in _texts(field, columns))
    test = text_test(condition)
    return lambda columns: any(test(text) for text in _texts(field, columns))


def _texts(field: FilterField, columns: tuple[object, ...]) -> Iterable[str]:
    has_metadata = field is ANY_TEXT or isinstance(field, MetaField)
    plain = columns[:-1] if has_metadata else columns
    for column in plain:
        if column is not None:
            yield _decoded(column)
    if has_metadata and columns[-1] is not None:
        for path, text in metadata_leaves(_decoded(columns[-1])):
            if not isinstance(field, MetaField) or is_inside(stored_text(path), stored_text(field.path)):
                yield stored_text(text)


def _decoded(column: object) -> str:
    return column.decode("utf-8", "backslashreplace") if isinstance(column, bytes) else str(column)
