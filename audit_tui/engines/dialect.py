"""The differences between the SQL of the engines, and the values of a statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit_tui.engines.layout import Field

Value: TypeAlias = "int | str | Sequence[int] | Sequence[str]"


class Args:
    """The values of a statement, which are sent beside it: none ever stands in its text.

    Args:
        dialect: How a place for a value is written.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.values: dict[str, Value] = {}

    def __call__(self, value: Value) -> str:
        """Take a value in, and return the place for it."""
        name = f"a{len(self.values)}"
        self.values[name] = value
        return self.dialect.place(name, value)


class Dialect(Protocol):
    """The SQL of one engine, over the tables of ``layout``. ``e`` is a row of ``audit_events``."""

    has_totals: bool
    """Counts by hour and day are kept beside the events."""
    stores_table: str
    """The stores, as a source of a statement."""

    def row_columns(self, *, with_metadata: bool) -> str:
        """Return the columns that the statement of keys selects."""
        ...

    def folded(self, column: str) -> str:
        """Return the text of a column without regard to case."""
        ...

    def place(self, name: str, value: Value) -> str:
        """Return the place for a value."""
        ...

    def negated(self, condition: str) -> str:
        """Return what holds where a condition does not, also where it gives NULL."""
        ...

    def matches(self, text: str, pattern: str) -> str:
        """Tell whether a regular expression matches a part of a text."""
        ...

    def leaf_pattern(self, args: Args, path: str, rest: str) -> str:
        """Return the pattern of a value of the metadata whose name is ``path``, or inside of it.

        Args:
            args: Of the statement.
            path: The dotted name.
            rest: The pattern of what follows the mark.
        """
        ...

    def has_value_in(self, args: Args, pattern: str, values: Sequence[str]) -> str:
        """Tell whether one of the values of the metadata that a pattern with a group takes is among these."""
        ...

    def leaf_values(self, pattern: str) -> tuple[str, str]:
        """Return what stands behind ``audit_events e``, and each value that a pattern's group takes."""
        ...

    def name_is(self, args: Args, field: Field, name: str) -> str:
        """Tell whether an event has a name."""
        ...

    def name_key(self) -> str:
        """The column of ``audit_names`` that stands in ``audit_events``."""
        ...

    def is_upto(self, args: Args, stores: Sequence[tuple[int, int]]) -> str:
        """Tell whether an event lies in a bound of several stores."""
        ...

    def store_number(self) -> str:
        """The number of an event's store."""
        ...

    def is_one_of(self, args: Args, expression: str, values: Sequence[int] | Sequence[str]) -> str:
        """Tell whether a value is among these; there may be many."""
        ...

    def info(self) -> str:
        """Return the statement of the facts of ``StoreInfo``."""
        ...

    def stores(self) -> str:
        """Return the statement of the stores, each with its newest event and when that came."""
        ...

    def heads(self) -> str:
        """Return the statement of the number of each store and of its newest event."""
        ...

    def rank(self, text: str, folded: str) -> str:
        """Return how near a name is to a text: 0 to 3."""
        ...

    def values(self, field: Field, where: str, rank: str, limit: int) -> str:
        """Return the statement of names with their folded forms, events and ranks, the missing one too."""
        ...

    def leaf_totals(self, args: Args, events: str, path: str) -> str:
        """Return the statement of the values of a part of the metadata, each with its number of events."""
        ...

    def bucket(self, args: Args, moment: str, edges_us: Sequence[int]) -> str:
        """Return the number of the bucket that a time lies in."""
        ...

    def histogram(self, args: Args, where: str, edges_us: Sequence[int]) -> str:
        """Return the statement of the buckets with their numbers of events."""
        ...

    def rows(self, keys: str, order: str, *, with_metadata: bool) -> str:
        """Return the statement of the rows of a list for a statement of keys; the metadata come last."""
        ...

    def named(self, grouped: str) -> str:
        """Return the statement that puts names in the place of the keys ``k`` that ``grouped`` gives."""
        ...

    def sealed(self, args: Args, first_seq: int, last_seq: int) -> str:
        """Return the statement of what is sealed of consecutive events, and of what is derived from it."""
        ...

    def problems(self) -> dict[str, str]:
        """Return statements that give a row for each fault of what is counted and named, with their words."""
        ...

    def whole(self, ids: str) -> str:
        """Return the statement of all columns of some events."""
        ...


Arguments: TypeAlias = "Mapping[str, Value]"
