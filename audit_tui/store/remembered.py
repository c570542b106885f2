"""What a reader remembers of the searches that it was asked last."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from audit_tui.store.predicate import Predicate
    from audit_tui.store.text_layout import Numbers

    Key: TypeAlias = tuple[int, int, int]
    """The first and the last seq of a piece, and what changes when it does."""

MAX_REMEMBERED = 8
"""Filters whose matches are remembered."""
MAX_SORTED = 20_000
"""So many matches are gathered and sorted; a place farther off is narrowed down first."""


class Moments(NamedTuple):
    """Places in the order of time, as two arrays."""

    times: Numbers
    seqs: Numbers


class Found:
    """What is known of the matches of one filter."""

    def __init__(self) -> None:
        self.bits: dict[Key, tuple[int, bytes]] = {}
        """How many events of a segment match and which, a bit an event."""
        self.moments: dict[Key, Moments] = {}
        """The matching events outside of segments."""


class Remembered:
    """The matches of the filters asked last: for one reader."""

    def __init__(self) -> None:
        self._filters: OrderedDict[Predicate, Found] = OrderedDict()

    def of(self, predicate: Predicate) -> Found:
        """What is known of a filter."""
        found = self._filters.setdefault(predicate, Found())
        self._filters.move_to_end(predicate)
        if len(self._filters) > MAX_REMEMBERED:
            self._filters.popitem(last=False)
        return found
