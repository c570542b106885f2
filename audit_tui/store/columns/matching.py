"""A condition over the columns of a block: which of its events match."""

from __future__ import annotations

from functools import lru_cache, reduce
from operator import and_, or_
from typing import TYPE_CHECKING

import numpy as np

from audit_tui.core.columns import Column
from audit_tui.store.predicate import Group, OneOf, Predicate, RowTest
from audit_tui.store.read.row_tests import text_test
from audit_tui.store.segment_layout import FIELD_COLUMNS, OUTCOMES, SegmentColumn

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.filters import Condition
    from audit_tui.store.columns.blocks import Block, Mask, Numbers

_COMPARED = 6
"""Comparing with each of so many numbers is quicker than one table of them."""
_TABLED = 1 << 16
"""The largest table: one byte for each number that two bytes can hold."""


def matching(predicate: Predicate, block: Block) -> Mask | bool:
    """Which events of a block match; True for all, False for none.

    Args:
        predicate: One that ``choosing.is_columnar`` takes.
        block: The events.
    """
    match predicate:
        case bool():
            return predicate
        case OneOf(field=field, numbers=numbers, is_negated=is_negated):
            return _among(block.numbers(FIELD_COLUMNS[field]), numbers, is_negated=is_negated)
        case RowTest(condition=condition, is_negated=is_negated):
            wanted, column = _wanted(condition, block)
            return _among(block.numbers(column), wanted, is_negated=is_negated)
        case Group(parts=parts, is_any=is_any):
            return _together(parts, block, is_any=is_any)


def _together(parts: tuple[Predicate, ...], block: Block, *, is_any: bool) -> Mask | bool:
    found: Mask | bool = not is_any
    for part in parts:
        one = matching(part, block)
        if isinstance(one, bool):
            if one is is_any:
                return is_any
        elif isinstance(found, bool):
            found = one
        else:
            found = found | one if is_any else found & one
        if not is_any and not isinstance(found, bool) and not found.any():
            # The next column need not be read.
            return False
    return found


def _among(found: Numbers, wanted: frozenset[int], *, is_negated: bool) -> Mask | bool:
    limit = 1 << 8 * found.dtype.itemsize
    if len(wanted) > _COMPARED:
        if limit <= _TABLED:
            return _table(wanted, limit, is_negated=is_negated)[found]
        held = [number for number in wanted if 0 <= number < limit]
        return np.isin(found, np.array(held, dtype=found.dtype), invert=is_negated)
    held = [number for number in wanted if 0 <= number < limit]
    if not held:
        return is_negated
    masks: list[Mask] = [found != number if is_negated else found == number for number in held]
    return reduce(and_ if is_negated else or_, masks)


@lru_cache(maxsize=16)
def _table(wanted: frozenset[int], limit: int, *, is_negated: bool) -> Mask:
    """For each number below the limit whether it is wanted."""
    table = np.full(limit, is_negated)
    table[[number for number in wanted if 0 <= number < limit]] = not is_negated
    return table


def _wanted(condition: Condition, block: Block) -> tuple[frozenset[int], SegmentColumn]:
    """The numbers of the texts that a condition takes, and the column that holds them."""
    is_outcome = condition.field is Column.OUTCOME
    column, first = (SegmentColumn.OUTCOME, 0) if is_outcome else (SegmentColumn.ADDRESS, 1)
    if condition.value is None:
        return frozenset() if is_outcome else frozenset({0}), column
    is_wanted = _remembered(condition)
    texts = OUTCOMES if is_outcome else block.texts()
    return frozenset(number for number, text in enumerate(texts, first) if is_wanted(text)), column


@lru_cache(maxsize=8)
def _remembered(condition: Condition) -> Callable[[str], bool]:
    """The test of a text, which gives the same answer again for the many that come again."""
    return lru_cache(maxsize=65_536)(text_test(condition))
