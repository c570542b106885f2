"""The seam between the bitmaps of places and whatever answers conditions on texts.

The engine asks ``split`` once for a condition that the bitmaps of values cannot answer, in one snapshot. It
turns the seqs that it is given into places, and tests the rows of those that are left over itself
(``store.index.row_tests``), so that an answer may be as coarse as it likes: it must only never be wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pyroaring import BitMap

from audit_tui.core.columns import Column
from audit_tui.core.filters import ANY_TEXT, MetaField
from audit_tui.store.index.text_search import search

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.filters import Condition
    from audit_tui.store.index.snapshot import Snapshot

_TEXT_FIELDS = (ANY_TEXT, Column.DESCRIPTION, Column.TARGET, Column.SOURCE_IP)


class Split(NamedTuple):
    """An answer about all events of a snapshot; both are sets of seqs, and disjoint."""

    matches: BitMap
    """Seqs of events for which the condition certainly holds."""
    untested: BitMap
    """Seqs of events whose rows must be tested. For those in neither it certainly does not hold."""


def split(snapshot: Snapshot, condition: Condition, report: Callable[[int], None] | None = None) -> Split:
    """Part the events of a snapshot into those that match, those that do not, and those to be tested.

    Args:
        snapshot: What may be read.
        condition: With a positive operator (``operator.base``), on any field: description,
            target, source IP, any text, metadata; also on names where the engine has no bitmap of them.
        report: Is told, while it is worked out, how many match at least; maybe never.

    Raises:
        QueryCancelled: If the answer is no longer wanted.
    """
    if condition.field in _TEXT_FIELDS or isinstance(condition.field, MetaField):
        return Split(*search(snapshot, condition, report))
    return Split(BitMap(), BitMap(range(1, snapshot.newest_seq + 1)))
