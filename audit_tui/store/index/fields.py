"""The fields of an event that have bitmaps: add a line here, and a field has counts, facets and an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import MAX_SEVERITY, Outcome
from audit_tui.core.record import Record
from audit_tui.store.tables.schema import ALL_NAME_TABLES, NameTable

if TYPE_CHECKING:
    from collections.abc import Sequence

MISSING = 0
"""The number of the missing value in every field."""
MAX_VALUE = (1 << 32) - 1


class IndexField(Record):
    """A field with bitmaps. Its values are numbers: of a name, of a choice, or of a text of the segment."""

    number: int
    """In the file; it never changes."""
    name: str
    """Its name in filters."""
    column: str
    """Of the table ``events``."""
    names: NameTable | None = None
    """The table of its names, when the column holds their numbers."""
    choices: tuple[str | int, ...] = ()
    """The values that the column may hold, when that is little; the first has the number 1."""
    other: int = MISSING
    """The number of anything else that a field with choices may hold in a damaged store."""

    @property
    def is_text(self) -> bool:
        """Tell whether each segment has a dictionary of its texts."""
        return self.names is None and not self.choices


_EVENTS, _CATEGORIES, _USERS, _SOURCES = ALL_NAME_TABLES
_OUTCOMES = tuple(outcome.value for outcome in Outcome)
FIELDS = (
    IndexField(1, "event", "event_id", names=_EVENTS),
    IndexField(2, "category", "category_id", names=_CATEGORIES),
    IndexField(3, "user", "user_id", names=_USERS),
    IndexField(4, "source", "source_id", names=_SOURCES),
    IndexField(5, "outcome", "outcome", choices=_OUTCOMES, other=1 + _OUTCOMES.index(Outcome.UNKNOWN.value)),
    IndexField(6, "severity", "severity", choices=tuple(range(MAX_SEVERITY + 1))),
    IndexField(7, "source_ip", "source_ip"),
)
BY_NAME = {field.name: field for field in FIELDS}
"""The fields by their names in filters."""

_SELECTED = ", ".join(f"CAST({field.column} AS BLOB)" if field.is_text else field.column for field in FIELDS)
ROWS = f"SELECT seq, occurred_us, {_SELECTED} FROM events NOT INDEXED"  # noqa: S608 - our own names
"""The rows that a segment is made of, to be followed by WHERE; texts as bytes, for they may not be UTF-8."""


def number_of_choice(field: IndexField) -> dict[object, int]:
    """Return the number of what the column of a field with choices may hold; None is missing."""
    numbers: dict[object, int] = {choice: number for number, choice in enumerate(field.choices, 1)}
    return numbers | {None: MISSING}


def texts_of(field: IndexField, values: Sequence[int]) -> list[str | None]:
    """Return the texts of the values of a field with choices."""
    return [None if value == MISSING else str(field.choices[value - 1]) for value in values]
