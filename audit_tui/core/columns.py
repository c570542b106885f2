"""The columns of an event: the one declaration that lists, commands, exports, filters and imports follow.

To add a column to the list, add it to ``ListColumn`` and to ``EventRow``: the type checker then names the
places that must give its text. Every column of the list is one that a result can be sorted by.
"""

from __future__ import annotations

from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, get_args

if TYPE_CHECKING:
    from typing_extensions import TypeIs


class Kind(Enum):
    """The sort of values that a column has, which decides what a filter can ask of it."""

    NAME = auto()
    """A text that many events share; a store numbers these and lists them."""
    TEXT = auto()
    ADDRESS = auto()
    """A text that may be an IP address, and so lie in a network."""
    NUMBER = auto()
    TIME = auto()
    OBJECT = auto()
    """A JSON object."""


class Width(NamedTuple):
    """The terminal cells that a list gives to a column."""

    least: int
    comfortable: int
    """Its cells before others get their most."""
    most: int


NARROW = Width(9, 15, 24)
MIDDLE = Width(15, 22, 40)
PERSON = Width(16, 22, 36)
WIDE = Width(14, 34, 34)


class Column(StrEnum):
    """A column of an event; the value is its name in commands and JSON, the order that of the JSON."""

    label: str
    """The heading, and the name in sentences."""
    kind: Kind
    attribute: str
    """The attribute of ``AuditEvent`` that holds it."""
    width: Width
    """Its place in a list; a time has the width of its format instead."""

    def __new__(cls, key: str, label: str, kind: Kind, width: Width = MIDDLE, attribute: str = "") -> Column:
        """Declare a column."""
        column = str.__new__(cls, key)
        column._value_ = key
        column.label, column.kind, column.width = label, kind, width
        column.attribute = attribute or key
        return column

    @property
    def words(self) -> str:
        """Its name within a sentence."""
        return self.label if self.label.isupper() else self.label[:1].lower() + self.label[1:]

    SEQ = "seq", "Seq", Kind.NUMBER
    KEY = "key", "Key", Kind.TEXT
    TIME = "time", "Date", Kind.TIME, MIDDLE, "occurred_us"
    EVENT = "event", "Event", Kind.NAME, MIDDLE
    CATEGORY = "category", "Category", Kind.NAME, NARROW
    USER = "user", "User", Kind.NAME, PERSON
    DESCRIPTION = "description", "Description", Kind.TEXT, WIDE
    OUTCOME = "outcome", "Outcome", Kind.TEXT, NARROW
    SEVERITY = "severity", "Severity", Kind.NUMBER, NARROW
    SOURCE_IP = "source_ip", "Source IP", Kind.ADDRESS, NARROW
    TARGET = "target", "Target", Kind.ADDRESS, MIDDLE
    SOURCE = "source", "Source", Kind.TEXT, NARROW
    METADATA = "metadata", "Metadata", Kind.OBJECT, WIDE


COLUMNS = tuple(Column)
"""All of them, which are the keys of an event as JSON and the columns of an export."""

NameColumn: TypeAlias = Literal[Column.EVENT, Column.CATEGORY, Column.USER]
"""A column of names: a store lists its values and counts them."""
NAME_COLUMNS: tuple[NameColumn, ...] = get_args(NameColumn)

ListColumn: TypeAlias = Literal[
    Column.EVENT,
    Column.CATEGORY,
    Column.USER,
    Column.TIME,
    Column.DESCRIPTION,
    Column.OUTCOME,
    Column.SEVERITY,
    Column.SOURCE_IP,
    Column.TARGET,
    Column.SOURCE,
    Column.SEQ,
]
"""A column that the list can show."""
LISTABLE_COLUMNS: tuple[ListColumn, ...] = get_args(ListColumn)
LIST_COLUMNS = LISTABLE_COLUMNS[:5]
"""Those of the list in their first order."""

READ_TO_SORT: tuple[ListColumn, ...] = (Column.DESCRIPTION, Column.TARGET)
"""Columns with another text in nearly every event: no index has their order, and a store reads all rows."""

IMPORTABLE = tuple(column for column in COLUMNS if column not in (Column.SEQ, Column.METADATA))
"""The columns that a field of a log can become; all other fields are metadata."""

_OTHER_NAMES: dict[str, Column] = {
    "date": Column.TIME,
    "ip": Column.SOURCE_IP,
    "host": Column.SOURCE,
}
"""Further names of columns in commands and settings."""


def column_named(name: str) -> Column | None:
    """Return the column that commands call so, in any case; None if there is none."""
    folded = name.lower()
    return _OTHER_NAMES.get(folded) or _BY_NAME.get(folded)


_BY_NAME: dict[str, Column] = {column.value: column for column in COLUMNS}
_LIST_COLUMNS: dict[Column, ListColumn] = {column: column for column in LISTABLE_COLUMNS}


def is_name_column(field: object) -> TypeIs[NameColumn]:
    """Tell whether a field of a filter is a column of names."""
    return field in NAME_COLUMNS


def list_column(column: Column | None) -> ListColumn | None:
    """Return a column as one of the list; None if the list cannot show it."""
    return None if column is None else _LIST_COLUMNS.get(column)
