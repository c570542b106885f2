"""Intervals as conditions, and divided into whole spans that have totals, and the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_tui.core.query import (
    Interval,
)
from audit_tui.engines.conditions import TRUE

if TYPE_CHECKING:
    from audit_tui.engines.dialect import Args
    from audit_tui.engines.layout import Field


def within(args: Args, interval: Interval) -> list[str]:
    """Return the conditions of an interval."""
    parts = []
    if interval.start_us is not None:
        parts.append(f"e.occurred_us >= {args(interval.start_us)}")
    if interval.end_us is not None:
        parts.append(f"e.occurred_us < {args(interval.end_us)}")
    return parts


def whole_spans(
    edges: tuple[int | None, int | None], grain: int
) -> tuple[tuple[int | None, int | None] | None, list[Any]]:
    """Divide an interval into whole spans and the rest at its ends.

    Returns:
        The first whole span and the one after the last, None without an end; None for none. And the intervals
        at both ends.
    """
    start, end = edges
    first = None if start is None else -(-start // grain)
    last = None if end is None else end // grain
    if first is not None and last is not None and first >= last:
        return None, []
    parts = []
    if first is not None and first * grain != start:
        parts.append(Interval(start, first * grain))
    if last is not None and last * grain != end:
        parts.append(Interval(last * grain, end))
    return (first, last), parts


def span_range(args: Args, whole: tuple[int | None, int | None]) -> list[str]:
    """Return the conditions of whole spans."""
    first, last = whole
    parts = []
    if first is not None:
        parts.append(f"t.span >= {args(first)}")
    if last is not None:
        parts.append(f"t.span < {args(last)}")
    return parts or [TRUE]


def summed(args: Args, field: Field, names: str, whole: tuple[int | None, int | None]) -> str:
    """Return the sum of the totals of names over whole spans."""
    spans = " AND ".join(span_range(args, whole))
    where = f"t.field = {int(field)} AND {spans} AND ({names})"
    return f"coalesce((SELECT sum(t.n) FROM audit_totals t WHERE {where}), 0)"
