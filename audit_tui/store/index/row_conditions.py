"""The seam between the bitmaps of places and whatever answers conditions on texts.

The engine makes an ``Answer`` for a condition that the bitmaps of values cannot answer, in one snapshot, and
lets it look at the events that it needs: the newest first for a page, all for a count. It turns the seqs
that it is given into places, and tests the rows of those that are left over itself
(``store.index.row_tests``), so that an answer may be as coarse as it likes: it must only never be wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyroaring import BitMap

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import ANY_TEXT, MetaField

if TYPE_CHECKING:
    from audit_tui.core.filter.filters import Condition
    from audit_tui.store.index.text_parts import Snapshot
    from audit_tui.store.index.text_search import TextSearch

_TEXT_FIELDS = (ANY_TEXT, Column.DESCRIPTION, Column.TARGET, Column.SOURCE_IP)


class Answer:
    """The knowledge about a condition: nothing at first, and more with each look.

    Args:
        snapshot: What may be read.
        condition: With a positive operator (``operator.base``), on any field: description, target, source IP,
            any text, metadata; also on names where the engine has no bitmap of them.
    """

    def __init__(self, snapshot: Snapshot, condition: Condition) -> None:
        self.matches = BitMap()
        """Seqs of events for which the condition certainly holds."""
        self.untested = BitMap(range(1, snapshot.newest_seq + 1))
        """Seqs of events whose rows must be tested. For those in neither it certainly does not hold."""
        is_text = condition.field in _TEXT_FIELDS or isinstance(condition.field, MetaField)
        self._search: TextSearch | None = None
        if is_text:
            # It is imported in 15 ms, which most questions need not wait for.
            from audit_tui.store.index.text_search import TextSearch

            self._search = TextSearch(snapshot, condition)

    def look(self, seqs: BitMap) -> None:
        """Find out what can be told of some events, maybe of more, without their rows.

        Raises:
            QueryCancelled: If the answer is no longer wanted.
        """
        if self._search is not None:
            for first_seq, last_seq, matches in self._search.look(seqs):
                self.matches |= matches
                self.untested.remove_range(first_seq, last_seq + 1)
