"""The beginning of the screen: a store, a view, and the first rows of its result.

No Textual here: the command reads the very first page while Textual is still being imported.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.core.query import After, AtRow, Before, PageKey
from audit_tui.core.record import Record
from audit_tui.core.window import PAGE_ROWS, PageRequest, RowWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, tzinfo
    from pathlib import Path

    from audit_tui.config import Settings
    from audit_tui.core.arriving import Arrivals
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import EventRow
    from audit_tui.core.evidence.sealed import SealChecker
    from audit_tui.core.export import Exporter
    from audit_tui.core.investigate.detections import Detections
    from audit_tui.core.investigate.meaning import Meaning
    from audit_tui.core.investigate.notebook import CaseJob, Notebook
    from audit_tui.core.investigate.pairs import Pair
    from audit_tui.core.investigate.saved_views import SavedViews
    from audit_tui.core.privacy.redact_mode import RedactMode
    from audit_tui.core.query import EventQuery, EventReader, Page, ReaderFactory, Sort
    from audit_tui.core.view import View


class FirstPage(Record):
    """Enough of a result to show it."""

    query: EventQuery
    """The query, bounded by the newest event of that moment."""
    blocks: tuple[tuple[PageRequest, Page], ...]
    cursor_row: int
    """The row of the event to keep, or of the next older one."""

    def window(self) -> RowWindow:
        window = RowWindow(self.query.sort)
        for request, page in self.blocks:
            window.add(request, page)
        return window


class Anchor(Record):
    """A place in a result to begin at."""

    key: PageKey
    """The cursor goes to this event, else to the next one of the result."""
    nearest: bool = False
    """The cursor goes to the event nearest in time instead."""

    @classmethod
    def at_event(cls, row: EventRow, sort: Sort) -> Anchor:
        return cls(PageKey.of(row, sort))

    @classmethod
    def at_time(cls, occurred_us: int, sort: Sort) -> Anchor:
        return cls(PageKey(None, occurred_us, _PAST_ANY_SEQ if sort.descending else -1), nearest=True)


_PAST_ANY_SEQ = 2**62


class Opening(Record):
    """All that a review begins with."""

    open_reader: ReaderFactory
    store_name: str
    view: View
    zone: tzinfo
    clock: Callable[[], datetime]
    """Tells the time, aware."""
    settings: Settings
    first_page: FirstPage | None = None
    """Rows of ``view`` that were read while Textual was imported; None lets the screen read them."""
    begin_at: Anchor | None = None
    begin_line: int = 0
    """The number of rows above it on the screen."""
    notice: str = ""
    state_directory: Path | None = None
    """The folder for the log of a crash; None writes none."""
    exporter: Exporter | None = None
    """Writes what is shown to a file; None when nothing can."""
    open_checker: Callable[[], SealChecker] | None = None
    """Opens what checks the seals in the background; None checks nothing."""
    redact: RedactMode | None = None
    """The switch that ``open_reader`` and ``exporter`` heed; None when names cannot be replaced."""
    command_words: tuple[str, ...] = ("audit-tui", "query")
    """The beginning of a command that reads the same store."""
    names: tuple[str, ...] = ()
    """The store or the logs as ``audit-tui open`` takes them, for links; empty when there is none."""
    store_id: str = ""
    """The id of the store that was opened; empty when it changes each time."""
    arrivals: Arrivals | None = None
    """Events that still come into the store; None when nobody brings any."""
    open_notebook: Callable[[str], Notebook | None] | None = None
    """Opens the marks and notes on the store of an id; None where none can be made."""
    open_saved_views: Callable[[], SavedViews] | None = None
    """Reads the saved views; None where there are none."""
    seen_before: Callable[[], int | None] | None = None
    """Tells the newest event's number when the store was last left; None where that is not noted."""
    meaning_of: Callable[[str, str | None], Meaning | None] | None = None
    """Tells the meaning of an event by its name and source; None where nothing is explained."""
    detections: Detections | None = None
    """Rules that are asked of the source in the background; None when none were named."""
    shows_firsts: bool = False
    """True to look up what appears for the first time, of the rows on the screen."""
    pairs: Callable[[], Sequence[Pair]] | None = None
    """The events that begin and end something; None where none are known."""
    write_case: Callable[[CaseJob], int] | None = None
    """Writes a case file and tells how many events are in it; None where nothing can."""
    open_patiently: ReaderFactory | None = None
    """Opens a reader whose answers may take any time; None where there is no limit anyway."""


def read_first_page(
    reader: EventReader, query: EventQuery, anchor: Anchor | None = None, cancel: CancelToken | None = None
) -> FirstPage:
    """Read the beginning of a result, or the rows round an event."""
    query = replace(query, upto_seq=reader.newest_seq())
    if anchor is None:
        request = PageRequest(AtRow(0), 0, PAGE_ROWS)
        page = reader.page(query, request.place, PAGE_ROWS, cancel)
        return FirstPage(query, ((request, page),), 0)
    key = anchor.key
    index = reader.locate(query, key, cancel)
    requests = [PageRequest(After(key.just_before(query.sort)), index, PAGE_ROWS)]
    if index:
        requests.append(PageRequest(Before(key), index, PAGE_ROWS))
    blocks = tuple((request, reader.page(query, request.place, PAGE_ROWS, cancel)) for request in requests)
    return FirstPage(query, blocks, _cursor_row(anchor, index, [page.rows for _, page in blocks]))


def _cursor_row(anchor: Anchor, index: int, blocks: list[tuple[EventRow, ...]]) -> int:
    following = blocks[0][0] if blocks[0] else None
    if following is None:
        return max(0, index - 1)
    if anchor.nearest and len(blocks) > 1 and blocks[1]:
        wanted_us = anchor.key.occurred_us
        preceding = blocks[1][-1]
        if abs(preceding.occurred_us - wanted_us) < abs(following.occurred_us - wanted_us):
            return index - 1
    return index
