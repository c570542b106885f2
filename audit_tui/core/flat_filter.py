"""The filters of the Filter dialog and of ``--filter`` with ``--match``: rows, and how they combine.

Everything else holds a filter as a tree (``core.filters``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from audit_tui.core.filters import EVERYTHING, All, Any, Condition, condition_of, has_addresses
from audit_tui.core.networks import network_of
from audit_tui.core.operators import IN_NETWORK, IS, IS_NOT
from audit_tui.core.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_tui.core.filters import Filter, FilterField
    from audit_tui.core.operators import Operator


class Match(StrEnum):
    """The way in which the rows of a flat filter combine."""

    ALL = "all"
    ANY = "any"

    @property
    def label(self) -> str:
        """The name on the dialog's tab."""
        return "AND" if self is Match.ALL else "OR"


class FlatFilter(Record):
    """A filter as the Filter dialog edits it: rows, and one choice of how they combine."""

    match: Match = Match.ALL
    conditions: tuple[Condition, ...] = ()

    def expression(self) -> Filter:
        """Return the same as a tree; everything when there are no rows."""
        if not self.conditions:
            return EVERYTHING
        if len(self.conditions) == 1:
            return self.conditions[0]
        return (All if self.match is Match.ALL else Any)(self.conditions)


def flat(expression: Filter) -> FlatFilter | None:
    """Return a tree as rows; None if it is not all, or any, of some conditions."""
    match expression:
        case Condition():
            return FlatFilter(Match.ALL, (expression,))
        case All(parts=parts) | Any(parts=parts):
            conditions = tuple(part for part in parts if isinstance(part, Condition))
            is_any = isinstance(expression, Any)
            if len(conditions) == len(parts) and (parts or not is_any):
                return FlatFilter(Match.ANY if is_any else Match.ALL, conditions)
    return None


class Draft(Record):
    """A row of the Filter dialog while it is edited: a condition that may lack its parts."""

    field: FilterField | None = None
    """None while no column is chosen."""
    operator: Operator = IS
    text: str | None = None
    """The value as typed or picked, exactly; None while there is none. The empty text can be picked."""
    is_missing: bool = False
    """The missing value was picked; ``text`` says nothing then. The text "(none)" is another value."""

    @classmethod
    def of(cls, condition: Condition) -> Draft:
        """Return the row that edits this condition."""
        return cls(condition.field, condition.operator, condition.value, condition.value is None)

    @property
    def has_value(self) -> bool:
        """True when it has something to compare with."""
        return self.is_missing or self.text is not None

    @property
    def is_complete(self) -> bool:
        """True when it makes a condition."""
        return self.field is not None and self.has_value

    @property
    def is_untouched(self) -> bool:
        """True when it says nothing yet: neither column nor value. An operator alone is nothing to mark."""
        return self.field is None and not self.has_value

    def condition(self) -> Condition | None:
        """Return the condition that it says; None while a part is missing."""
        if self.field is None or not self.has_value:
            return None
        value = None if self.is_missing else self.text
        operator = self.operator
        is_network = has_addresses(self.field) and value is not None and network_of(value) is not None
        if operator.base is IN_NETWORK and not is_network:
            # The column or the value was changed to what has no networks.
            operator = IS_NOT if operator.is_negated else IS
        return condition_of(self.field, operator, value)


def flat_filter(match: Match, drafts: Iterable[Draft]) -> FlatFilter:
    """Return the complete rows as a filter; the others are left out."""
    conditions = (draft.condition() for draft in drafts)
    return FlatFilter(match, tuple(condition for condition in conditions if condition is not None))
