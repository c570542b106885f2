"""The next event of a kind in a result, from a place on, and its rank among all of them. No Textual here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.query import After, AtRow, Before, PageKey
from audit_tui.core.record import Record
from audit_tui.core.window import PAGE_ROWS, PageRequest

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import EventRow
    from audit_tui.core.query import EventQuery, EventReader, Page, Place


class Seek(Record):
    """A wish to go from event to event of a kind."""

    result: EventQuery
    query: EventQuery
    key: PageKey
    steps: int
    """The number of such events further down the list; negative goes up."""
    goes_round: bool = False
    """After the last one comes the first."""


class Hit(Record):
    """An event that was sought."""

    row: EventRow
    index: int
    blocks: tuple[tuple[PageRequest, Page], ...]
    has_gone_round: bool = False


def seek(reader: EventReader, wish: Seek, cancel: CancelToken | None = None) -> Hit | None:
    """Return the event that many steps of its kind away, the farthest where there are fewer."""
    rows = reader.page(wish.query, _place(wish), abs(wish.steps), cancel).rows
    has_gone_round = not rows and wish.goes_round
    if has_gone_round:
        rows = _first(reader, wish, cancel)
    if not rows:
        return None
    row = rows[-1] if wish.steps > 0 else rows[0]
    key = PageKey.of(row, wish.result.sort)
    index = reader.locate(wish.result, key, cancel)
    half = PAGE_ROWS // 2
    requests = (
        PageRequest(After(key.just_before(wish.result.sort)), index, half),
        PageRequest(Before(key), index, half),
    )
    blocks = ((each, reader.page(wish.result, each.place, half, cancel)) for each in requests)
    return Hit(row, index, tuple(blocks), has_gone_round)


def rank(
    reader: EventReader, wish: Seek, row: EventRow, cancel: CancelToken | None = None
) -> tuple[int, int]:
    """Return the rank of an event among those of its kind, from 1 on, and how many these are."""
    before = reader.locate(wish.query, PageKey.of(row, wish.query.sort), cancel)
    return before + 1, reader.count(wish.query, cancel)


def _place(wish: Seek) -> Place:
    return After(wish.key) if wish.steps > 0 else Before(wish.key)


def _first(reader: EventReader, wish: Seek, cancel: CancelToken | None) -> tuple[EventRow, ...]:
    if wish.steps > 0:
        return reader.page(wish.query, AtRow(0), 1, cancel).rows
    total = reader.count(wish.query, cancel)
    return reader.page(wish.query, AtRow(total - 1), 1, cancel).rows if total else ()
