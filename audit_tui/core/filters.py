"""Which events are wanted: an expression tree over a table of operators.

The Filter dialog and ``--filter`` make the flat ones (all of these, any of these); the tree holds what a
query language needs later.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.core.record import Record
from audit_tui.errors import FilterError

if TYPE_CHECKING:
    from collections.abc import Iterable

NO_VALUE_WORDS = "(none)"
"""How a missing value reads in a filter."""


class Field(StrEnum):
    """What a condition can look at; the value is its name in commands."""

    EVENT = "event"
    CATEGORY = "category"
    USER = "user"

    @property
    def label(self) -> str:
        """The name on the screen."""
        return self.value.capitalize()


class Match(StrEnum):
    """How the rows of a flat filter combine."""

    ALL = "all"
    ANY = "any"

    @property
    def label(self) -> str:
        """The name on the dialog's tab."""
        return "AND" if self is Match.ALL else "OR"


class Operator(Record):
    """One way to compare a field with a value."""

    key: str
    """The stable name, for saved views and for the store's SQL."""
    symbol: str
    """How it is written in ``--filter``."""
    label: str
    """How the dialog names it."""
    words: str
    """How a sentence says it."""


IS = Operator("is", "=", "Is Equal To", "is")
IS_NOT = Operator("is_not", "!=", "Is Not Equal To", "is not")
OPERATORS = (IS, IS_NOT)


class Condition(Record):
    """One comparison of a field with a value.

    Values compare exactly, case included. An event without a user *is not* every user.
    """

    field: Field
    operator: Operator
    value: str | None
    """What to compare with; None is the missing value."""


class Not(Record):
    """Holds where its part does not."""

    part: Filter


class All(Record):
    """Holds where every part holds; an empty one always holds."""

    parts: tuple[Filter, ...]


class Any(Record):
    """Holds where at least one part holds; an empty one never holds."""

    parts: tuple[Filter, ...]


Filter: TypeAlias = Condition | Not | All | Any
EVERYTHING = All(())


class FlatFilter(Record):
    """What the Filter dialog edits: rows, and one choice of how they combine."""

    match: Match = Match.ALL
    conditions: tuple[Condition, ...] = ()

    def expression(self) -> Filter:
        """The same as a tree; everything when there are no rows."""
        if not self.conditions:
            return EVERYTHING
        if len(self.conditions) == 1:
            return self.conditions[0]
        return (All if self.match is Match.ALL else Any)(self.conditions)


class Draft(Record):
    """A row of the Filter dialog while it is edited: a condition that may lack its parts."""

    field: Field | None = None
    """None while no column is chosen."""
    operator: Operator = IS
    text: str | None = None
    """The value as typed or picked, exactly; None while there is none. The empty text can be picked."""
    is_missing: bool = False
    """The missing value was picked; ``text`` says nothing then. The text "(none)" is another value."""

    @classmethod
    def of(cls, condition: Condition) -> Draft:
        """The row that edits this condition."""
        return cls(condition.field, condition.operator, condition.value, condition.value is None)

    @property
    def has_value(self) -> bool:
        """Whether there is something to compare with."""
        return self.is_missing or self.text is not None

    @property
    def is_complete(self) -> bool:
        """Whether it makes a condition."""
        return self.field is not None and self.has_value

    @property
    def is_untouched(self) -> bool:
        """Whether it says nothing yet: neither column nor value. An operator alone is nothing to mark."""
        return self.field is None and not self.has_value

    def condition(self) -> Condition | None:
        """What it says; None while a part is missing."""
        if self.field is None or not self.has_value:
            return None
        return Condition(self.field, self.operator, None if self.is_missing else self.text)


def flat_filter(match: Match, drafts: Iterable[Draft]) -> FlatFilter:
    """The complete rows as a filter; the others are left out."""
    conditions = (draft.condition() for draft in drafts)
    return FlatFilter(match, tuple(condition for condition in conditions if condition is not None))


NO_FILTER = FlatFilter()


def in_words(expression: Filter) -> str:
    """The filter as a sentence part, "Category is not Roles and User is bob"; empty for everything.

    The values are as given: clean the result before it is drawn.
    """
    match expression:
        case Condition(field=field, operator=operator, value=value):
            said = NO_VALUE_WORDS if value is None else value
            return f"{field.label} {operator.words} {said}"
        case Not(part=part):
            return f"not ({in_words(part)})"
        case All(parts=parts):
            return " and ".join(_grouped(part) for part in parts)
        case Any(parts=parts):
            return " or ".join(_grouped(part) for part in parts) if parts else "nothing"


def _grouped(part: Filter) -> str:
    words = in_words(part)
    is_group = isinstance(part, All | Any) and len(part.parts) > 1
    return f"({words})" if is_group else words


def parse_condition(text: str) -> Condition:
    """Read ``COLUMN=VALUE`` or ``COLUMN!=VALUE``; the first ``=`` or ``!=`` splits.

    An empty value is the missing one: ``user=`` means no user.

    Raises:
        FilterError: If there is no operator, or the column is unknown.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise FilterError(
            f"The filter {text!r} has no = or !=.", 'Write it as "user=alice" or "event!=Login".'
        )
    operator = IS_NOT if name.endswith("!") else IS
    name = name.removesuffix("!").strip()
    try:
        field = Field(name.lower())
    except ValueError:
        known = ", ".join(Field)
        raise FilterError(
            f"The filter {text!r} names an unknown column {name!r}.", f"Columns are {known}."
        ) from None
    return Condition(field, operator, value or None)


def condition_text(condition: Condition) -> str:
    """The condition as ``--filter`` reads it: the inverse of ``parse_condition``."""
    return f"{condition.field}{condition.operator.symbol}{condition.value or ''}"
