"""The first rows of a result, read round the event that the cursor should keep.

No Textual here: the command reads the very first page while Textual is still being imported.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audit_tui.core.query import After, AtRow, Before, PageKey
from audit_tui.core.window import PAGE_ROWS, PageRequest, RowWindow

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import EventRow
    from audit_tui.core.query import EventQuery, EventReader, Page


@dataclass(frozen=True, slots=True)
class FirstPage:
    """Enough of a result to show it."""

    query: EventQuery
    """What was asked, bounded by the newest event of that moment."""
    blocks: tuple[tuple[PageRequest, Page], ...]
    cursor_row: int
    """Where the event to keep is, or the next older one."""

    def window(self) -> RowWindow:
        """The rows, to show and to add to."""
        window = RowWindow(self.query.sort)
        for request, page in self.blocks:
            window.add(request, page)
        return window


def read_first_page(
    reader: EventReader, query: EventQuery, keep: EventRow | None = None, cancel: CancelToken | None = None
) -> FirstPage:
    """Read the beginning of a result, or the rows round an event.

    Args:
        reader: What to ask; blocks.
        query: The query, its ``upto_seq`` not set.
        keep: The event that the cursor stays on; None begins at the first row.
        cancel: Ends it.
    """
    query = replace(query, upto_seq=reader.newest_seq())
    if keep is None:
        request = PageRequest(AtRow(0), 0, PAGE_ROWS)
        page = reader.page(query, request.place, PAGE_ROWS, cancel)
        return FirstPage(query, ((request, page),), 0)
    key = PageKey.of(keep, query.sort)
    index = reader.locate(query, key, cancel)
    places = [PageRequest(After(key.just_before(query.sort)), index, PAGE_ROWS)]
    if index:
        places.append(PageRequest(Before(key), index, PAGE_ROWS))
    blocks = tuple((request, reader.page(query, request.place, PAGE_ROWS, cancel)) for request in places)
    cursor_row = index if blocks[0][1].rows else max(0, index - 1)
    return FirstPage(query, blocks, cursor_row)
