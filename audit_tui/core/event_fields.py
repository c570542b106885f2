"""A field that a list or a file can show: a column, or a part of the metadata."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from audit_tui.core.columns import LISTABLE_COLUMNS, Column, ListColumn, column_named, list_column
from audit_tui.core.filter.filters import META, MetaField, field_named
from audit_tui.core.filter.matching import deeper_path, is_inside

if TYPE_CHECKING:
    from audit_tui.core.event import EventRow

EventField: TypeAlias = Column | MetaField
ListField: TypeAlias = ListColumn | MetaField
FIELDS_HINT = f"Columns are {', '.join(LISTABLE_COLUMNS)} and meta.NAME."
BETWEEN = ", "
"""Stands between the values of a field that has several."""


def event_field(name: str) -> EventField | None:
    """Return the field that commands and settings call so; None if there is none.

    Raises:
        FilterError: If a metadata field has no name.
    """
    if not name.lower().startswith(META):
        return column_named(name)
    field = field_named(name)
    return field if isinstance(field, MetaField) else None


def list_field(name: str) -> ListField | None:
    """Return the field that commands and settings call so, if a list can show it; None else."""
    field = event_field(name)
    return field if isinstance(field, MetaField) else list_column(field)


def field_words(field: ListField) -> str:
    """Return the name of a field in a sentence."""
    return field.label if isinstance(field, MetaField) else field.words


def metadata_text(metadata: dict[str, Any], path: str) -> str | None:
    """Return the values that a name in the metadata leads to, as one text; None where there are none."""
    texts: list[str] = []
    waiting: list[tuple[str, Any]] = [("", metadata)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            inner = [(deeper_path(name, key), deeper) for key, deeper in value.items()]
            waiting += (
                pair for pair in reversed(inner) if is_inside(pair[0], path) or is_inside(path, pair[0])
            )
        elif isinstance(value, list | tuple):
            waiting += ((name, member) for member in reversed(value))
        elif value is not None and is_inside(name, path):
            texts.append(value if isinstance(value, str) else json.dumps(value))
    return BETWEEN.join(texts) if texts else None


def metadata_texts(metadata: dict[str, Any], paths: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the names and texts of fields of the metadata, as a row carries them."""
    texts = ((path, metadata_text(metadata, path)) for path in paths)
    return tuple((path, text) for path, text in texts if text is not None)


def row_text(row: EventRow, field: ListField) -> str | None:
    """Return the text of a field of a row; None if it has none, as the time, which is a number."""
    if isinstance(field, MetaField):
        return next((text for path, text in row.metadata if path == field.path), None)
    return row.text(field)
