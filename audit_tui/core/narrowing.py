"""A filter that is narrowed, and its share that the Filter dialog edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.filters import EVERYTHING, All, Any, Condition
from audit_tui.core.flat_filter import FlatFilter, Match, flat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_tui.core.filters import Filter


def for_dialog(expression: Filter) -> tuple[FlatFilter, Filter]:
    """Return the rows that the Filter dialog edits, and the rest, which goes on to hold beside them.

    A filter of rows is edited whole, of others the first group of alternatives, else the single conditions.
    """
    rows = flat(expression)
    if rows is not None:
        return rows, EVERYTHING
    if not isinstance(expression, All):
        return FlatFilter(), expression
    group = next((part for part in expression.parts if isinstance(part, Any) and flat(part)), None)
    if group is not None:
        return flat(group) or FlatFilter(), _all(part for part in expression.parts if part is not group)
    single = tuple(part for part in expression.parts if isinstance(part, Condition))
    rest = _all(part for part in expression.parts if not isinstance(part, Condition))
    return FlatFilter(Match.ALL, single), rest


def _all(parts: Iterable[Filter]) -> Filter:
    parts = tuple(parts)
    return parts[0] if len(parts) == 1 else All(parts)


def narrowed(expression: Filter, more: Filter) -> Filter:
    """Return a filter with one more part that must hold; a part that it has already changes nothing."""
    parts = expression.parts if isinstance(expression, All) else (expression,)
    new = more.parts if isinstance(more, All) else (more,)
    parts += tuple(part for part in new if part not in parts)
    return parts[0] if len(parts) == 1 else All(parts)
