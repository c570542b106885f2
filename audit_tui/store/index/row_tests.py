"""The tests of a row that no index answers: the slow and always right way."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import ANY_TEXT, Condition, MetaField
from audit_tui.core.filter.matching import is_inside, leaves
from audit_tui.store.tables.rows import NOT_JSON, stored_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from audit_tui.core.filter.filters import FilterField
    from audit_tui.core.filter.operators import TextTest


def columns_of(field: FilterField) -> tuple[str, ...]:
    """Return the columns of ``events`` that hold the texts of a field; metadata last."""
    if field is ANY_TEXT:
        return ("description", "target", "source_ip", "metadata")
    if isinstance(field, MetaField):
        return ("metadata",)
    return (field.attribute if isinstance(field, Column) else field.value,)


@lru_cache(maxsize=256)
def row_test(condition: Condition) -> Callable[[tuple[object, ...]], bool]:
    """Return the test of a row for a condition.

    It takes the columns of ``columns_of`` as bytes.
    """
    field, value = condition.field, condition.value
    test = condition.operator.test(None if value is None else stored_text(value))
    return lambda columns: test(row_texts(field, columns))


def text_test(condition: Condition) -> TextTest:
    """Return the test of one text for a condition with a positive operator and a value."""
    return condition.operator.meaning(stored_text(condition.value or ""))


# Numbers stay as they are written; 5,000 digits are not an error then. A decoder a text would take 3 µs.
_read_json = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str).decode


def metadata_leaves(stored: str) -> list[tuple[str, str]]:
    """The values of a stored metadata object; a text that is none counts as one value."""
    try:
        metadata = _read_json(stored)
    except (ValueError, RecursionError):
        metadata = stored
    return leaves(metadata if isinstance(metadata, dict) else {NOT_JSON: metadata})


def row_texts(field: FilterField, columns: tuple[object, ...]) -> Iterable[str]:
    """Yield the texts of a field; it takes the columns of ``columns_of`` as bytes."""
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
